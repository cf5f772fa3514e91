//! A cartridge as a whole: its units, each with all that stands below it.

use crate::manifest::{self, Item, MAX_DEPTH, Manifest, ResourceKind};
use crate::resource;
use course::text::slug;
use course::umcf::{Node, NodeKind};
use course::{About, Extract, Fault, Format, Package, Part, Profile, Switches, media};
use std::collections::HashSet;

#[derive(Debug)]
pub(crate) struct Cartridge {
    package: Package,
    manifest: Manifest,
    parts: Vec<Part>,
}

impl Format for Cartridge {
    const PROFILE: Profile = Profile {
        id: "cartridge",
        source: "common_cartridge",
        name: "Common Cartridge",
        description: "IMS Common Cartridges 1.0 to 1.3 (.imscc) and packages of QTI assessments",
        endings: &["imscc", "zip"],
        marker: manifest::MANIFEST,
        original_format: "imscc",
    };

    fn open(package: Package) -> Result<Self, Fault> {
        let mut manifest = manifest::read(&package)?;
        let parts = parts(&manifest.items);
        let count = |kinds: &[ResourceKind]| {
            manifest.resources.values().filter(|own| kinds.contains(&own.kind)).count()
        };
        let tests = count(&[ResourceKind::Assessment, ResourceKind::Assessment2]);
        let (pages, tasks) = (count(&[ResourceKind::Content]), count(&[ResourceKind::Assignment]));
        let has = [("lecture_notes", pages > 0), ("assignments", tasks > 0), ("exams", tests > 0)];
        let features = has.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
        let nested: Vec<String> = package
            .names()
            .filter(|name| media::is_archive(name))
            .take(20)
            .map(|name| format!("{name}: archives within a package are not opened"))
            .collect();
        manifest.about.features = features;
        manifest.about.resources =
            vec![("assignments", tasks), ("exams", tests), ("reading_materials", pages)];
        manifest.about.warnings.extend(nested);
        Ok(Self { package, manifest, parts })
    }

    fn package(&self) -> &Package {
        &self.package
    }

    fn about(&self) -> &About {
        &self.manifest.about
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn attributes(&self, part: usize) -> Result<Vec<(&'static str, String)>, Fault> {
        let mut kinds = HashSet::new();
        if let Some(item) = self.manifest.items.get(part) {
            self.kinds(item, &mut kinds);
        }
        let has = |kind: &str| kinds.contains(kind).to_string();
        Ok(vec![
            ("has_transcript", has("content")),
            ("has_video", "false".to_owned()),
            ("has_notes", has("content")),
            ("has_assessments", has("assessment")),
        ])
    }

    fn extract(&self, part: usize, switches: &Switches) -> Result<Extract, Fault> {
        let mut extract = Extract::default();
        if let (Some(item), Some(own)) = (self.manifest.items.get(part), self.parts.get(part)) {
            let mut node = self.node(item, &own.id, 0, switches, &mut extract)?;
            if node.title.is_empty() {
                node.title.clone_from(&own.id);
            }
            extract.node = Some(node).filter(|_| extract.found);
        }
        Ok(extract)
    }
}

impl Cartridge {
    /// Items nest no deeper than the manifest was read.
    fn node(
        &self,
        item: &Item,
        id: &str,
        depth: usize,
        switches: &Switches,
        extract: &mut Extract,
    ) -> Result<Node, Fault> {
        let kind = match (depth, item.children.is_empty()) {
            (0, false) => NodeKind::Unit,
            (0, true) => NodeKind::Topic,
            (1, _) => NodeKind::Lesson,
            _ => NodeKind::Section,
        };
        let mut node = Node::new(id, item.title.clone(), kind);
        if let Some(reference) = &item.resource {
            match self.manifest.resources.get(reference) {
                Some(own) => resource::add(&self.package, own, &mut node, switches, extract)?,
                None => {
                    let title = &item.title;
                    let warning = format!("`{title}`: the manifest has no resource `{reference}`");
                    extract.warnings.push(warning);
                }
            }
        }
        if depth <= MAX_DEPTH {
            let first = node.children.len();
            for (index, child) in item.children.iter().enumerate() {
                let name = if child.title.is_empty() { &child.id } else { &child.title };
                let id = format!("{id}.{}-{}", first + index + 1, slug(name));
                let child = self.node(child, &id, depth + 1, switches, extract)?;
                if !child.is_empty() {
                    node.children.push(child);
                }
            }
        }
        Ok(node)
    }

    fn kinds(&self, item: &Item, kinds: &mut HashSet<&'static str>) {
        let resource = item.resource.as_ref().and_then(|id| self.manifest.resources.get(id));
        match resource.map(|own| own.kind) {
            Some(ResourceKind::Content | ResourceKind::Topic) => {
                kinds.insert("content");
            }
            Some(
                ResourceKind::Assessment | ResourceKind::Assessment2 | ResourceKind::Assignment,
            ) => {
                kinds.insert("assessment");
            }
            Some(ResourceKind::Link | ResourceKind::Unknown) | None => {}
        }
        item.children.iter().for_each(|child| self.kinds(child, kinds));
    }
}

fn parts(items: &[Item]) -> Vec<Part> {
    let mut taken = HashSet::new();
    let part = |(index, item): (usize, &Item)| {
        let mut id = slug(if item.id.is_empty() { &item.title } else { &item.id });
        if id.is_empty() || !taken.insert(id.clone()) {
            id = format!("unit-{}", index + 1);
            taken.insert(id.clone());
        }
        let title = if item.title.is_empty() { item.id.clone() } else { item.title.clone() };
        Part { id, title }
    };
    items.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests;
