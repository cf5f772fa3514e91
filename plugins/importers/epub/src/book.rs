//! A book as a whole: its chapters in the order of its spine.

use crate::chapter::{self, Chapter, Leaf};
use crate::contents::{self, Contents};
use crate::opf;
use course::html::Page;
use course::text::slug;
use course::{About, Extract, Fault, Format, Package, Part, Profile, Switches, media};
use std::collections::HashSet;

#[derive(Debug)]
pub(crate) struct Book {
    package: Package,
    about: About,
    chapters: Vec<Chapter>,
    parts: Vec<Part>,
}

impl Format for Book {
    const PROFILE: Profile = Profile {
        id: "epub",
        source: "ck12_flexbook",
        name: "CK-12 FlexBook",
        description: "Textbooks as EPUB files, CK-12's FlexBooks among them",
        endings: &["epub"],
        marker: "META-INF/container.xml",
        original_format: "epub",
    };

    fn open(package: Package) -> Result<Self, Fault> {
        let mut opf = opf::read(&package)?;
        let contents = contents::read(&package, &mut opf)?;
        let chapters = chapters(&package, &opf.spine, &contents)?;
        let mut about = opf.about;
        let pictures = package.names().filter(|name| media::picture(name).is_some()).count();
        about.features = [("lecture_notes", true), ("images", pictures > 0)]
            .iter()
            .filter(|(_, has)| *has)
            .map(|(name, _)| *name)
            .collect();
        about.resources = vec![("reading_materials", opf.spine.len()), ("images", pictures)];
        let nested: Vec<String> = package
            .names()
            .filter(|name| media::is_archive(name))
            .take(20)
            .map(|name| format!("{name}: archives within a package are not opened"))
            .collect();
        about.warnings.extend(nested);
        let part = |own: &Chapter| Part { id: own.id.clone(), title: own.title.clone() };
        Ok(Self { about, parts: chapters.iter().map(part).collect(), chapters, package })
    }

    fn package(&self) -> &Package {
        &self.package
    }

    fn about(&self) -> &About {
        &self.about
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn attributes(&self, part: usize) -> Result<Vec<(&'static str, String)>, Fault> {
        let lessons = self.chapters.get(part).map_or(0, |chapter| {
            chapter.leaves.iter().skip(1).filter(|leaf| leaf.title.is_some()).count()
        });
        Ok(vec![
            ("has_transcript", "true".to_owned()),
            ("has_video", "false".to_owned()),
            ("has_notes", "true".to_owned()),
            ("lessons", lessons.to_string()),
        ])
    }

    fn extract(&self, part: usize, switches: &Switches) -> Result<Extract, Fault> {
        self.chapters.get(part).map_or_else(
            || Ok(Extract::default()),
            |own| chapter::extract(&self.package, own, switches),
        )
    }
}

/// The spine cut where the table of contents begins a chapter. A page that it does not name
/// goes on with the one before it.
fn chapters(
    package: &Package,
    spine: &[String],
    contents: &Contents,
) -> Result<Vec<Chapter>, Fault> {
    let mut chapters: Vec<Chapter> = Vec::new();
    let mut taken = HashSet::new();
    for entry in spine {
        let title = contents.get(entry);
        let leaf = Leaf { entry: entry.clone(), title: title.map(|title| title.text.clone()) };
        match (title, chapters.last_mut()) {
            (Some(title), Some(chapter)) if title.depth > 1 => chapter.leaves.push(leaf),
            (None, Some(chapter)) if !contents.is_empty() => chapter.leaves.push(leaf),
            // What stands before the first chapter is a cover or a title page.
            (None, None) if !contents.is_empty() => {}
            (title, _) => {
                let title = match title {
                    Some(title) => title.text.clone(),
                    None => heading(package, entry)?,
                };
                let mut id = slug(course::package::stem(entry));
                if id.is_empty() || !taken.insert(id.clone()) {
                    id = slug(entry);
                    taken.insert(id.clone());
                }
                chapters.push(Chapter { id, title, leaves: vec![leaf] });
            }
        }
    }
    Ok(chapters)
}

fn heading(package: &Package, entry: &str) -> Result<String, Fault> {
    let page = Page::parse(entry, &package.text(entry)?)?;
    let stem = || course::package::stem(entry).replace(['-', '_'], " ");
    Ok(page.heading().map_or_else(stem, str::to_owned))
}

#[cfg(test)]
mod tests;
