//! The manifest: what the cartridge is, its tree, and its resources.

use course::licence::Licence;
use course::package::resolved;
use course::xml::{self, roxmltree::Node};
use course::{About, Fault, Hostility, Package};
use std::collections::HashMap;

pub(crate) const MANIFEST: &str = "imsmanifest.xml";
/// Units nest a few levels.
pub(crate) const MAX_DEPTH: usize = 12;
const MAX_ITEMS: usize = 20_000;

/// What a resource is, by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    Content,
    Assessment,
    Assessment2,
    Link,
    Topic,
    Assignment,
    Unknown,
}

impl ResourceKind {
    fn of(name: &str) -> Self {
        let name = name.to_lowercase();
        if name == "webcontent" || name.starts_with("associatedcontent") {
            Self::Content
        } else if name.contains("qti_xmlv1p2") || name.contains("qti_asiv1p2") {
            Self::Assessment
        } else if name.contains("qti") && name.contains("v2p") {
            Self::Assessment2
        } else if name.starts_with("imswl") {
            Self::Link
        } else if name.starts_with("imsdt") {
            Self::Topic
        } else if name.starts_with("assignment") {
            Self::Assignment
        } else {
            Self::Unknown
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) kind: ResourceKind,
    pub(crate) type_name: String,
    /// The one that it opens with, and every file of it.
    pub(crate) files: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) resource: Option<String>,
    pub(crate) children: Vec<Item>,
}

#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) about: About,
    pub(crate) items: Vec<Item>,
    pub(crate) resources: HashMap<String, Resource>,
}

pub(crate) fn read(package: &Package) -> Result<Manifest, Fault> {
    let text = xml::guarded_text(MANIFEST, &package.text(MANIFEST)?)?;
    let document = xml::parsed(MANIFEST, &text)?;
    let root = document.root_element();
    let mut about = about(package, root);
    let mut order = Vec::new();
    let mut resources = HashMap::new();
    for node in xml::all(root, "resource").take(MAX_ITEMS) {
        let (Some(id), Some(resource)) = (node.attribute("identifier"), resource(package, node))
        else {
            continue;
        };
        order.push(id.to_owned());
        resources.insert(id.to_owned(), resource);
    }
    let organization = xml::first(root, "organization");
    let mut items = Vec::new();
    for item in organization.into_iter().flat_map(|own| xml::children(own, "item")) {
        items.push(read_item(item, 0)?);
    }
    // A cartridge has one item around all of its units.
    while let [only] = items.as_mut_slice()
        && only.resource.is_none()
        && !only.children.is_empty()
        && (only.title.is_empty() || only.children.iter().any(|child| !child.children.is_empty()))
    {
        items = std::mem::take(&mut only.children);
    }
    if items.is_empty() {
        items = order
            .into_iter()
            .filter(|id| resources.get(id).is_some_and(stands_alone))
            .map(|id| Item {
                title: String::new(),
                resource: Some(id.clone()),
                id,
                children: Vec::new(),
            })
            .collect();
        if !items.is_empty() {
            about.warnings.push(format!(
                "{MANIFEST}: it has no organization; its resources stand one by one"
            ));
        }
    }
    Ok(Manifest { about, items, resources })
}

/// A page or an assessment, rather than a picture that belongs to one.
fn stands_alone(resource: &Resource) -> bool {
    let opening = resource.files.first().map(|file| file.to_lowercase()).unwrap_or_default();
    match resource.kind {
        ResourceKind::Content => opening.ends_with(".html") || opening.ends_with(".htm"),
        ResourceKind::Unknown => false,
        ResourceKind::Assessment
        | ResourceKind::Assessment2
        | ResourceKind::Link
        | ResourceKind::Topic
        | ResourceKind::Assignment => true,
    }
}

fn resource(package: &Package, node: Node<'_, '_>) -> Option<Resource> {
    let type_name = node.attribute("type")?.to_owned();
    let base = xml::attribute(node, "base").unwrap_or_default();
    let path = |href: &str| resolved("", &format!("{base}{href}")).filter(|path| package.has(path));
    let mut files: Vec<String> = Vec::new();
    let opening = node.attribute("href").into_iter();
    let listed = xml::children(node, "file").filter_map(|file| file.attribute("href"));
    for file in opening.chain(listed).filter_map(path) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Some(Resource { kind: ResourceKind::of(&type_name), type_name, files })
}

fn read_item(node: Node<'_, '_>, depth: usize) -> Result<Item, Fault> {
    if depth > MAX_DEPTH {
        let why = Hostility::Depth { max: MAX_DEPTH };
        return Err(Fault::Hostile { entry: MANIFEST.into(), why });
    }
    let mut children = Vec::new();
    for child in xml::children(node, "item") {
        children.push(read_item(child, depth + 1)?);
    }
    Ok(Item {
        id: node.attribute("identifier").unwrap_or_default().to_owned(),
        title: xml::child(node, "title").map(xml::text).unwrap_or_default(),
        resource: node.attribute("identifierref").map(str::to_owned),
        children,
    })
}

fn about(package: &Package, root: Node<'_, '_>) -> About {
    let metadata = xml::child(root, "metadata");
    let lom = metadata.and_then(|own| xml::first(own, "lom"));
    let general = lom.and_then(|own| xml::first(own, "general"));
    let in_general = |name: &'static str| {
        general.and_then(|own| xml::child(own, name)).map(xml::text).unwrap_or_default()
    };
    let rights = lom.and_then(|own| xml::first(own, "rights"));
    let rights = rights.and_then(|own| xml::child(own, "description")).map(xml::text);
    let rights = rights.unwrap_or_default();
    let title = in_general("title");
    let keywords: Vec<String> = general
        .into_iter()
        .flat_map(|own| xml::children(own, "keyword"))
        .map(xml::text)
        .filter(|word| !word.is_empty())
        .collect();
    // A contributor stands in a vCard: `FN:James Watt`.
    let authors = lom.into_iter().flat_map(|own| xml::all(own, "contribute")).filter_map(|own| {
        let card = xml::first(own, "entity").map(|entity| entity.text().unwrap_or_default())?;
        let name = card.lines().find_map(|line| line.trim().strip_prefix("FN:"));
        name.map(|name| name.trim().to_owned())
    });
    let mut about = About {
        title: if title.is_empty() { package.id().replace(['-', '_'], " ") } else { title },
        description: in_general("description"),
        language: in_general("language"),
        subject: keywords.first().cloned().unwrap_or_default(),
        keywords,
        instructors: authors.collect(),
        licence: Licence::named_in(&rights),
        ..About::default()
    };
    let parts = [about.instructors.join(", "), about.title.clone(), rights];
    let told: Vec<&str> =
        parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    about.attribution = format!("{}.", told.join(". ").trim_end_matches('.'));
    if xml::first(root, "authorizations").is_some() {
        about
            .warnings
            .push(format!("{MANIFEST}: parts of it may be used with an authorization only"));
    }
    about
}
