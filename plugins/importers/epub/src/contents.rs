//! The table of contents: EPUB 3's page, or EPUB 2's file.

use crate::opf::Opf;
use course::package::resolved;
use course::xml::{self, roxmltree::Node};
use course::{Fault, Package};
use std::collections::HashMap;

/// A page's title and how deep it stands, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Title {
    pub(crate) text: String,
    pub(crate) depth: usize,
}

/// By page; a page that is named several times has its first name, which is its outermost.
pub(crate) type Contents = HashMap<String, Title>;

/// What can't be read is told in the warnings; a book without contents has those of its spine.
pub(crate) fn read(package: &Package, opf: &mut Opf) -> Result<Contents, Fault> {
    let places = [(opf.nav.clone(), true), (opf.ncx.clone(), false)];
    for (entry, is_nav) in places {
        let Some(entry) = entry.filter(|entry| package.has(entry)) else { continue };
        match read_one(package, &entry, is_nav) {
            Ok(contents) if !contents.is_empty() => return Ok(contents),
            Ok(_) => opf.about.warnings.push(format!("{entry}: it lists nothing")),
            Err(fault @ (Fault::Hostile { .. } | Fault::Read { .. })) => return Err(fault),
            Err(fault) => opf.about.warnings.push(fault.to_string()),
        }
    }
    Ok(Contents::new())
}

fn read_one(package: &Package, entry: &str, is_nav: bool) -> Result<Contents, Fault> {
    let text = xml::guarded_text(entry, &package.text(entry)?)?;
    let document = xml::parsed(entry, &text)?;
    let root = document.root_element();
    let mut contents = Contents::new();
    let mut add = |reference: &str, text: String, depth: usize| {
        if let Some(page) = resolved(entry, reference)
            && !text.is_empty()
        {
            contents.entry(page).or_insert(Title { text, depth });
        }
    };
    if is_nav {
        let is_toc = |nav: &Node<'_, '_>| xml::attribute(*nav, "type") == Some("toc");
        let nav = xml::all(root, "nav").find(is_toc).or_else(|| xml::first(root, "nav"));
        for link in nav.into_iter().flat_map(|nav| xml::all(nav, "a")) {
            add(link.attribute("href").unwrap_or_default(), xml::text(link), depth(link, "ol"));
        }
    } else {
        for point in xml::all(root, "navPoint") {
            let reference = xml::child(point, "content").and_then(|own| own.attribute("src"));
            let title = xml::child(point, "navLabel").map(xml::text).unwrap_or_default();
            add(reference.unwrap_or_default(), title, depth(point, "navPoint"));
        }
    }
    Ok(contents)
}

fn depth(node: Node<'_, '_>, name: &str) -> usize {
    node.ancestors().filter(|own| own.tag_name().name() == name).count()
}
