//! Which pages of a package are its lectures, and in which order they come.

use crate::files::FileClass;
use course::html::Page;
use course::pages::target;
use course::text::{natural_key, slug};
use course::{Fault, Package, Part, xml};
use std::collections::HashSet;

const MANIFEST: &str = "imsmanifest.xml";
const MAX_LECTURES: usize = 5_000;

/// A lecture's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lecture {
    pub(crate) entry: String,
    pub(crate) title: String,
}

/// In reading order: as the manifest has them, else as a page lists them, else by their names.
pub(crate) fn lectures(package: &Package) -> Result<Vec<Lecture>, Fault> {
    let mut found = of_manifest(package)?;
    if found.is_empty() {
        found = of_lists(package)?;
    }
    if found.is_empty() {
        found = of_names(package, is_lecture);
    }
    if found.is_empty() {
        found = of_names(package, |name, _| {
            name.starts_with("pages/") && !is_about_something_else(name)
        });
    }
    let mut seen = HashSet::new();
    found.retain(|lecture| seen.insert(lecture.entry.clone()));
    found.truncate(MAX_LECTURES);
    Ok(found)
}

/// The lectures as parts; the folder of its page is a lecture's id.
pub(crate) fn parts(lectures: &[Lecture]) -> Vec<Part> {
    let mut taken = HashSet::new();
    let part = |lecture: &Lecture| {
        let mut id = slug(page_name(&lecture.entry));
        if id.is_empty() || !taken.insert(id.clone()) {
            id = slug(&lecture.entry);
            taken.insert(id.clone());
        }
        Part { id, title: lecture.title.clone() }
    };
    lectures.iter().map(part).collect()
}

fn of_manifest(package: &Package) -> Result<Vec<Lecture>, Fault> {
    if !package.has(MANIFEST) {
        return Ok(Vec::new());
    }
    let text = xml::guarded_text(MANIFEST, &package.text(MANIFEST)?)?;
    let document = xml::parsed(MANIFEST, &text)?;
    let root = document.root_element();
    let pages: std::collections::HashMap<&str, &str> = xml::all(root, "resource")
        .filter_map(|own| Some((own.attribute("identifier")?, own.attribute("href")?)))
        .collect();
    let mut found = Vec::new();
    for item in xml::all(root, "item") {
        let page = item.attribute("identifierref").and_then(|id| pages.get(id));
        let Some(entry) = page.and_then(|href| target(package, MANIFEST, href)) else { continue };
        let title = xml::child(item, "title").map(xml::text).unwrap_or_default();
        if is_page(&entry) && is_lecture(&entry, &title) {
            found.push(Lecture { title: titled(&title, &entry), entry });
        }
    }
    Ok(found)
}

/// From the pages that list lectures, those of films before those of notes.
fn of_lists(package: &Package) -> Result<Vec<Lecture>, Fault> {
    let named = |marks: &[&str]| {
        let mut names: Vec<&str> = package
            .names()
            .filter(|name| is_page(name) && !name.starts_with("resources/"))
            .filter(|name| marks.iter().any(|mark| page_name(name).contains(mark)))
            .collect();
        names.sort_by_key(|name| natural_key(name));
        names
    };
    for marks in [
        &["video-lecture", "lecture-video", "video_", "videos"][..],
        &["lecture", "session", "class"],
    ] {
        let mut found = Vec::new();
        for list in named(marks) {
            let page = Page::parse(list, &package.text(list)?)?;
            for link in &page.links {
                let Some(entry) = target(package, list, &link.target) else { continue };
                let is_other = is_about_something_else(&entry) || entry == list;
                if is_page(&entry) && !is_other && entry != "index.html" {
                    found.push(Lecture { title: titled(&link.text, &entry), entry });
                }
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn of_names(package: &Package, is_one: impl Fn(&str, &str) -> bool) -> Vec<Lecture> {
    let mut names: Vec<&str> =
        package.names().filter(|name| is_page(name) && is_one(name, "")).collect();
    names.sort_by_key(|name| natural_key(name));
    let lecture = |name: &str| Lecture { entry: name.to_owned(), title: titled("", name) };
    names.into_iter().map(lecture).collect()
}

fn is_page(name: &str) -> bool {
    name.ends_with(".html") || name.ends_with(".htm")
}

/// `Lecture 3`, `lec03`, `session-12`: a word for it and a number.
fn is_lecture(entry: &str, title: &str) -> bool {
    let counted = |text: &str| {
        let lower = text.to_lowercase();
        ["lecture", "lec", "session", "class", "video"].iter().any(|word| {
            lower.match_indices(word).any(|(at, _)| {
                let rest = lower[at + word.len()..].trim_start_matches([' ', '-', '_', '#', ':']);
                rest.starts_with(|c: char| c.is_ascii_digit())
            })
        })
    };
    !is_about_something_else(entry) && (counted(page_name(entry)) || counted(title))
}

fn is_about_something_else(entry: &str) -> bool {
    let name = page_name(entry);
    let others = ["syllabus", "calendar", "reading", "instructor", "download", "tools", "project"];
    others.iter().any(|other| name.contains(other))
        || matches!(
            FileClass::of(name, ""),
            FileClass::Exam | FileClass::Assignment | FileClass::Solution | FileClass::Transcript
        )
}

/// The folder of an `index.html`, or the page's own name.
fn page_name(entry: &str) -> &str {
    let stem = course::package::stem(entry);
    match entry.rsplit('/').nth(1) {
        Some(folder) if stem == "index" => folder,
        _ => stem,
    }
}

fn titled(title: &str, entry: &str) -> String {
    let title = course::text::squeezed(title);
    if title.is_empty() { page_name(entry).replace(['-', '_'], " ") } else { title }
}
