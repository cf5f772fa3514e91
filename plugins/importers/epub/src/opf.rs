//! The package document: what the book is, which files it has, and their order.

use course::licence::Licence;
use course::package::resolved;
use course::{About, Fault, Hostility, Package, xml};
use std::collections::HashMap;

const CONTAINER: &str = "META-INF/container.xml";
const ENCRYPTION: &str = "META-INF/encryption.xml";
/// These hide fonts and no text.
const FONT_ALGORITHMS: [&str; 2] =
    ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"];
const MAX_SPINE: usize = 5_000;

#[derive(Debug)]
pub(crate) struct Opf {
    pub(crate) about: About,
    /// Pages in reading order, by their path in the package.
    pub(crate) spine: Vec<String>,
    pub(crate) nav: Option<String>,
    pub(crate) ncx: Option<String>,
}

pub(crate) fn read(package: &Package) -> Result<Opf, Fault> {
    refuse_encrypted(package)?;
    let text = xml::guarded_text(CONTAINER, &package.text(CONTAINER)?)?;
    let container = xml::parsed(CONTAINER, &text)?;
    let path = xml::first(container.root_element(), "rootfile")
        .and_then(|file| file.attribute("full-path"))
        .and_then(|path| resolved("", path))
        .ok_or_else(|| malformed(CONTAINER, "it names no package document (`rootfile`)"))?;
    let text = xml::guarded_text(&path, &package.text(&path)?)?;
    let document = xml::parsed(&path, &text)?;
    let root = document.root_element();
    let mut items = HashMap::new();
    let (mut nav, mut ncx) = (None, None);
    for item in xml::all(root, "item") {
        let (Some(id), Some(href)) = (item.attribute("id"), item.attribute("href")) else {
            continue;
        };
        let Some(entry) = resolved(&path, href) else { continue };
        let properties = item.attribute("properties").unwrap_or_default();
        if properties.split_whitespace().any(|property| property == "nav") {
            nav = Some(entry.clone());
        }
        if item.attribute("media-type") == Some("application/x-dtbncx+xml") {
            ncx = Some(entry.clone());
        }
        items.insert(id, entry);
    }
    let spine: Vec<String> = xml::all(root, "itemref")
        .filter(|own| own.attribute("linear") != Some("no"))
        .filter_map(|own| own.attribute("idref").and_then(|id| items.get(id)).cloned())
        .filter(|entry| package.has(entry) && nav.as_ref() != Some(entry))
        .take(MAX_SPINE)
        .collect();
    if spine.is_empty() {
        return Err(malformed(&path, "its spine names no page that is there"));
    }
    Ok(Opf { about: about(package, root), spine, nav, ncx })
}

fn malformed(entry: &str, message: &str) -> Fault {
    Fault::Malformed { entry: entry.to_owned(), message: message.to_owned() }
}

fn refuse_encrypted(package: &Package) -> Result<(), Fault> {
    if !package.has(ENCRYPTION) {
        return Ok(());
    }
    let text = xml::guarded_text(ENCRYPTION, &package.text(ENCRYPTION)?)?;
    let document = xml::parsed(ENCRYPTION, &text)?;
    let hides_text = xml::all(document.root_element(), "EncryptionMethod")
        .filter_map(|method| method.attribute("Algorithm"))
        .any(|algorithm| !FONT_ALGORITHMS.contains(&algorithm));
    if hides_text {
        return Err(Fault::Hostile { entry: ENCRYPTION.into(), why: Hostility::Encrypted });
    }
    Ok(())
}

fn about(package: &Package, root: xml::roxmltree::Node<'_, '_>) -> About {
    let metadata = xml::first(root, "metadata");
    let all = |name: &str| -> Vec<String> {
        metadata
            .into_iter()
            .flat_map(|metadata| metadata.children())
            .filter(|own| own.is_element() && own.tag_name().name() == name)
            .map(xml::text)
            .filter(|text| !text.is_empty())
            .collect()
    };
    let one = |name: &str| all(name).into_iter().next().unwrap_or_default();
    let linked = metadata.into_iter().flat_map(|own| own.children()).find_map(|own| {
        let role = own.attribute("rel").or_else(|| own.attribute("property"))?;
        let text = own.attribute("href").map_or_else(|| xml::text(own), str::to_owned);
        role.contains("license").then(|| Licence::named_in(&text)).flatten()
    });
    let rights = one("rights");
    let title = one("title");
    let mut about = About {
        title: if title.is_empty() { package.id().replace(['-', '_'], " ") } else { title },
        description: plain(&one("description")),
        language: one("language"),
        subject: one("subject"),
        keywords: all("subject"),
        instructors: all("creator"),
        publisher: one("publisher"),
        source_url: Some(one("source")).filter(|url| url.starts_with("http")).unwrap_or_default(),
        licence: linked.or_else(|| Licence::named_in(&rights)),
        ..About::default()
    };
    let authors = about.instructors.join(", ");
    let parts = [authors.as_str(), about.title.as_str(), about.publisher.as_str(), rights.as_str()];
    let told: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    about.attribution = format!("{}.", told.join(". ").trim_end_matches('.'));
    about
}

/// A description may be HTML in disguise.
fn plain(text: &str) -> String {
    if !text.contains('<') {
        return text.to_owned();
    }
    course::html::Page::parse("description", text).map_or_else(
        |_| String::new(),
        |page| page.blocks.iter().map(course::html::Block::text).collect::<Vec<_>>().join(" "),
    )
}
