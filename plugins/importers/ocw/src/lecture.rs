//! One lecture: what is spoken in it, what was handed out, and where its film is.

use crate::files::{FileClass, own_name};
use course::html::{Block, Page};
use course::pages::target;
use course::switches::Switch;
use course::umcf::{Media, Node, NodeKind, Resource};
use course::{Extract, Fault, Package, Part, Switches, captions, media, pages, pdf};

const DESCRIPTION_CHARS: usize = 1_000;

/// The files that a lecture's page points at.
#[derive(Debug, Default)]
pub(crate) struct Files {
    transcripts: Vec<String>,
    captions: Vec<String>,
    notes: Vec<(String, String)>,
    films: Vec<String>,
}

impl Files {
    pub(crate) fn of(package: &Package, entry: &str, page: &Page) -> Self {
        let mut files = Self::default();
        let add = |own: &mut Vec<String>, path: String| {
            if !own.contains(&path) {
                own.push(path);
            }
        };
        for link in &page.links {
            let Some(path) = target(package, entry, &link.target) else {
                if is_film(&link.target) {
                    add(&mut files.films, link.target.clone());
                }
                continue;
            };
            let is_pdf = path.to_lowercase().ends_with(".pdf");
            match FileClass::of(&path, &link.text) {
                FileClass::Transcript if is_pdf => add(&mut files.transcripts, path),
                FileClass::Captions => add(&mut files.captions, path),
                FileClass::Notes if is_pdf => files.notes.push((path, link.text.clone())),
                _ => {}
            }
        }
        for track in page.tracks.iter().filter_map(|track| target(package, entry, track)) {
            add(&mut files.captions, track);
        }
        for film in &page.players {
            if is_film(film) {
                add(&mut files.films, film.clone());
            }
        }
        files
    }

    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        let has_transcript = !(self.transcripts.is_empty() && self.captions.is_empty());
        vec![
            ("has_transcript", has_transcript.to_string()),
            ("has_video", (!self.films.is_empty()).to_string()),
            ("has_notes", (!self.notes.is_empty()).to_string()),
        ]
    }
}

fn is_film(address: &str) -> bool {
    let lower = address.to_lowercase();
    lower.starts_with("http")
        && (lower.contains("youtu") || lower.contains("vimeo") || lower.ends_with(".mp4"))
}

pub(crate) fn extract(
    package: &Package,
    entry: &str,
    part: &Part,
    switches: &Switches,
) -> Result<Extract, Fault> {
    let page = Page::parse(entry, &package.text(entry)?)?;
    let files = Files::of(package, entry, &page);
    let mut extract = Extract::default();
    let mut node = Node::new(part.id.clone(), part.title.clone(), NodeKind::Topic);
    node.description = description(&page);
    node.define(&page);
    if !switches.has(Switch::IncludeGlossary) {
        node.terms.clear();
    }
    let has_spoken = !(files.transcripts.is_empty() && files.captions.is_empty());
    if has_spoken {
        extract.found = true;
        if switches.has(Switch::IncludeTranscripts) {
            speak(package, &files, &mut node, &mut extract)?;
        }
    }
    if switches.has(Switch::IncludeLectureNotes) {
        for (path, label) in &files.notes {
            add_notes(package, path, label, &mut node, &mut extract)?;
        }
    }
    extract.found |= !files.notes.is_empty() || !files.films.is_empty();
    if !has_spoken && files.notes.is_empty() {
        extract.warnings.push(format!("`{}` has no transcript", part.title));
        // A page that has nothing else is its own text.
        if switches.has(Switch::IncludeLectureNotes) {
            node.tell(&page);
        }
        extract.found |= page.blocks.iter().any(|block| !matches!(block, Block::Heading { .. }));
    }
    for (index, film) in files.films.iter().enumerate() {
        node.media.push(Media::Video {
            id: format!("{}-film-{}", part.id, index + 1),
            title: part.title.clone(),
            url: film.clone(),
        });
    }
    if switches.has(Switch::IncludeMedia) {
        pages::show(package, entry, &page, &mut node, &mut extract);
    }
    extract.node = Some(node).filter(|_| extract.found);
    Ok(extract)
}

/// From the PDF that is linked as transcript, else from the film's captions.
fn speak(
    package: &Package,
    files: &Files,
    node: &mut Node,
    extract: &mut Extract,
) -> Result<(), Fault> {
    for path in &files.transcripts {
        let text = package.read(path).and_then(|bytes| pdf::text(path, bytes));
        if let Some(text) = readable(text, extract)? {
            if text.is_cut {
                extract.warnings.push(format!("{path}: only its beginning was taken"));
            }
            node.speak(text.paragraphs.iter().map(String::as_str));
            node.resources.push(resource(path, "transcript", "Transcript"));
        }
    }
    for path in &files.captions {
        let Some(text) = readable(package.text(path), extract)? else { continue };
        node.minutes = captions::duration_s(&text).map(|seconds| seconds.div_ceil(60).max(1));
        if node.segments.is_empty() {
            let spoken = captions::spoken(&text).join(" ");
            node.speak(std::iter::once(spoken.as_str()));
            node.resources.push(resource(path, "captions", "Captions"));
        }
    }
    if node.segments.is_empty() {
        extract.warnings.push(format!("`{}`: nothing of its transcript could be read", node.title));
    }
    Ok(())
}

fn add_notes(
    package: &Package,
    path: &str,
    label: &str,
    node: &mut Node,
    extract: &mut Extract,
) -> Result<(), Fault> {
    let text = package.read(path).and_then(|bytes| pdf::text(path, bytes));
    let Some(text) = readable(text, extract)? else { return Ok(()) };
    let title = if label.is_empty() { own_name(path) } else { label };
    let id = format!("{}.{}-notes", node.id, node.children.len() + 1);
    let mut notes = Node::new(id, title, NodeKind::Section);
    notes.speak(text.paragraphs.iter().map(String::as_str));
    if notes.is_empty() {
        extract.warnings.push(format!("{path}: it has no text"));
    }
    notes.resources.push(resource(path, "notes", title));
    node.children.push(notes);
    Ok(())
}

/// A file that is damaged is told and left out; a hostile one ends the import.
pub(crate) fn readable<T>(
    read: Result<T, Fault>,
    extract: &mut Extract,
) -> Result<Option<T>, Fault> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(fault @ (Fault::Hostile { .. } | Fault::Read { .. })) => Err(fault),
        Err(fault) => {
            extract.warnings.push(fault.to_string());
            Ok(None)
        }
    }
}

pub(crate) fn resource(path: &str, role: &'static str, title: &str) -> Resource {
    Resource {
        id: path.to_owned(),
        title: title.to_owned(),
        role,
        url: None,
        media_type: media::of_name(path),
    }
}

/// The page's own words on the lecture.
fn description(page: &Page) -> Option<String> {
    let paragraphs: Vec<&str> = page
        .blocks
        .iter()
        .filter_map(|block| match block {
            // What does not end like a sentence is a label or a row of links.
            Block::Paragraph(text) if text.ends_with(['.', '!', '?']) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let text = course::text::shortened(&paragraphs.join(" "), DESCRIPTION_CHARS);
    Some(text).filter(|text| !text.is_empty())
}
