//! What a resource gives to the node of its item.

use crate::manifest::{Resource, ResourceKind};
use crate::qti::{self, Questions};
use crate::qti2;
use course::format::Asset;
use course::html::Page;
use course::switches::Switch;
use course::umcf::{Assessment, AssessmentKind, Media, Node, Resource as Reference};
use course::{Extract, Fault, Package, Switches, media, pages, xml};

pub(crate) fn add(
    package: &Package,
    resource: &Resource,
    node: &mut Node,
    switches: &Switches,
    extract: &mut Extract,
) -> Result<(), Fault> {
    let Some(entry) = resource.files.first() else {
        let (title, kind) = (&node.title, &resource.type_name);
        extract
            .warnings
            .push(format!("`{title}`: its file is missing, or a tool elsewhere ({kind})"));
        return Ok(());
    };
    let added = match resource.kind {
        ResourceKind::Content => content(package, entry, node, switches, extract),
        ResourceKind::Assessment => {
            qti::read(package, entry).map(|own| ask(own, node, switches, extract))
        }
        ResourceKind::Assessment2 => {
            qti2::read(package, entry).map(|own| ask(own, node, switches, extract))
        }
        ResourceKind::Link => link(package, entry, node).map(|()| extract.found = true),
        ResourceKind::Topic => topic(package, entry, node, switches, extract),
        ResourceKind::Assignment => assignment(package, entry, node, switches, extract),
        ResourceKind::Unknown => {
            let kind = &resource.type_name;
            extract.warnings.push(format!("{entry}: what is of type `{kind}` is not imported"));
            Ok(())
        }
    };
    match added {
        Err(fault @ (Fault::Hostile { .. } | Fault::Read { .. })) => Err(fault),
        Err(fault) => {
            extract.warnings.push(fault.to_string());
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn content(
    package: &Package,
    entry: &str,
    node: &mut Node,
    switches: &Switches,
    extract: &mut Extract,
) -> Result<(), Fault> {
    let lower = entry.to_lowercase();
    if lower.ends_with(".html") || lower.ends_with(".htm") || lower.ends_with(".xhtml") {
        let page = Page::parse(entry, &package.text(entry)?)?;
        if node.title.is_empty() {
            node.title = page.heading().unwrap_or(course::package::stem(entry)).to_owned();
        }
        extract.found |= !page.blocks.is_empty();
        if switches.has(Switch::IncludeTranscripts) {
            node.tell(&page);
        }
        if switches.has(Switch::IncludeGlossary) {
            node.define(&page);
        }
        if switches.has(Switch::IncludeMedia) {
            pages::show(package, entry, &page, node, extract);
        }
    } else if lower.ends_with(".txt") || lower.ends_with(".md") {
        let text = package.text(entry)?;
        extract.found |= !text.trim().is_empty();
        if switches.has(Switch::IncludeTranscripts) {
            node.speak(text.split("\n\n"));
        }
    } else if let Some(media_type) = media::of_name(entry) {
        extract.found = true;
        file(entry, media_type, node, switches, extract);
    } else {
        let why = if media::is_archive(entry) {
            "archives within a package are not opened"
        } else {
            "files of its kind are not imported"
        };
        extract.warnings.push(format!("{entry}: {why}"));
    }
    Ok(())
}

/// A picture, a film or a document that stands for itself.
fn file(
    entry: &str,
    media_type: &'static str,
    node: &mut Node,
    switches: &Switches,
    extract: &mut Extract,
) {
    if !switches.has(Switch::IncludeMedia) {
        return;
    }
    let (id, title) = (pages::asset_id(entry), node.title.clone());
    if media::picture(entry).is_some() {
        node.media.push(Media::Picture {
            id: id.clone(),
            alt: title.clone(),
            caption: None,
            path: entry.to_owned(),
            kind: media_type,
        });
    } else {
        node.resources.push(Reference {
            id: entry.to_owned(),
            title: title.clone(),
            role: "file",
            url: None,
            media_type: Some(media_type),
        });
    }
    extract.assets.push(Asset { id, title, entry: entry.to_owned(), media_type });
}

fn ask(questions: Questions, node: &mut Node, switches: &Switches, extract: &mut Extract) {
    extract.found |= !questions.asked.is_empty();
    extract.warnings.extend(questions.warnings);
    if switches.has(Switch::IncludeAssessments) {
        node.assessments.extend(questions.asked);
    }
}

fn link(package: &Package, entry: &str, node: &mut Node) -> Result<(), Fault> {
    let text = xml::guarded_text(entry, &package.text(entry)?)?;
    let document = xml::parsed(entry, &text)?;
    let root = document.root_element();
    let url = xml::first(root, "url").and_then(|own| own.attribute("href")).unwrap_or_default();
    let title = xml::first(root, "title").map(xml::text).unwrap_or_default();
    // Anything but an address of the web is not for a learner to follow.
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        let message = format!("it links to `{url}`, which is no address of the web");
        return Err(Fault::Malformed { entry: entry.to_owned(), message });
    }
    let title = if title.is_empty() { node.title.clone() } else { title };
    node.resources.push(Reference {
        id: entry.to_owned(),
        title,
        role: "link",
        url: Some(url.to_owned()),
        media_type: None,
    });
    Ok(())
}

/// What learners are to talk about.
fn topic(
    package: &Package,
    entry: &str,
    node: &mut Node,
    switches: &Switches,
    extract: &mut Extract,
) -> Result<(), Fault> {
    let text = xml::guarded_text(entry, &package.text(entry)?)?;
    let document = xml::parsed(entry, &text)?;
    let told = xml::first(document.root_element(), "text").map(xml::text).unwrap_or_default();
    let told = qti::plain(entry, &told);
    extract.found |= !told.is_empty();
    if switches.has(Switch::IncludeTranscripts) {
        node.speak(std::iter::once(told.as_str()));
    }
    Ok(())
}

fn assignment(
    package: &Package,
    entry: &str,
    node: &mut Node,
    switches: &Switches,
    extract: &mut Extract,
) -> Result<(), Fault> {
    let text = xml::guarded_text(entry, &package.text(entry)?)?;
    let document = xml::parsed(entry, &text)?;
    let root = document.root_element();
    let told = xml::child(root, "text").map(xml::text).unwrap_or_default();
    let prompt = qti::plain(entry, &told);
    extract.found |= !prompt.is_empty();
    if prompt.is_empty() || !switches.has(Switch::IncludeAssignments) {
        return Ok(());
    }
    node.assessments.push(Assessment {
        id: format!("{}-assignment", node.id),
        kind: AssessmentKind::TextEntry,
        title: xml::child(root, "title").map(xml::text).unwrap_or_default(),
        prompt,
        spoken: None,
        choices: Vec::new(),
        correct: Vec::new(),
        max_score: None,
        feedback: (None, None),
    });
    Ok(())
}
