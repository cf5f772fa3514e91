//! What the opening page says of the course.

use course::html::Page;
use course::licence::Licence;
use course::{About, Fault, Package};
use serde_json::Value;

/// The licence of every course that names no other.
const LICENCE: &str = "CC BY-NC-SA 4.0";
const PUBLISHER: &str = "MIT OpenCourseWare";
const SITE: &str = "https://ocw.mit.edu";
/// A file beside the opening page that newer packages have.
const DATA: &str = "data.json";

pub(crate) fn about(package: &Package) -> Result<About, Fault> {
    let mut about = About { publisher: PUBLISHER.into(), ..About::default() };
    let mut cited = None;
    if package.has("index.html") {
        let page = Page::parse("index.html", &package.text("index.html")?)?;
        cited = read_page(&page, &mut about);
    } else {
        about.warnings.push("index.html: the package has no opening page".into());
    }
    if package.has(DATA) {
        match serde_json::from_str::<Value>(&package.text(DATA)?) {
            Ok(data) => read_data(&data, &mut about),
            Err(error) => about.warnings.push(format!("{DATA}: {error}")),
        }
    }
    if about.title.is_empty() {
        about.title = package.id().replace(['-', '_'], " ");
    }
    if about.language.is_empty() {
        about.language = "en".into();
    }
    about.licence = about.licence.take().or_else(|| Licence::named_in(LICENCE));
    let licence = about.licence.as_ref().map_or(LICENCE, |licence| licence.name.as_str());
    about.attribution = cited.unwrap_or_else(|| {
        let authors = about.instructors.join(", ");
        let authors = if authors.is_empty() { authors } else { format!("{authors}. ") };
        let title = &about.title;
        format!("{authors}{title}. Massachusetts Institute of Technology: {PUBLISHER}, {SITE}. License: {licence}.")
    });
    if about.source_url.is_empty() {
        about.source_url = SITE.into();
    }
    Ok(about)
}

/// Gives the page's own line of attribution, where it has one.
fn read_page(page: &Page, about: &mut About) -> Option<String> {
    let named = page.title.as_deref().and_then(|title| title.split('|').next()).map(str::trim);
    let title = page.heading().or(named).unwrap_or_default();
    about.title = title.split('|').next().unwrap_or_default().trim().to_owned();
    about.description = page
        .meta("description")
        .or_else(|| page.meta("og:description"))
        .unwrap_or_default()
        .to_owned();
    about.language = page.language.clone().unwrap_or_default();
    about.keywords = page
        .meta("keywords")
        .map(|words| words.split(',').map(|word| word.trim().to_owned()).collect())
        .unwrap_or_default();
    for (class, text) in &page.classed {
        match class.as_str() {
            "course-info-instructor" if !about.instructors.contains(text) => {
                about.instructors.push(text.clone());
            }
            "course-info-level" => about.level = text.to_lowercase(),
            "course-info-department" if about.subject.is_empty() => about.subject.clone_from(text),
            "course-info-topic" | "course-info-topics" if !about.keywords.contains(text) => {
                about.keywords.push(text.clone());
            }
            _ => {}
        }
    }
    if about.subject.is_empty() {
        about.subject = about.keywords.first().cloned().unwrap_or_default();
    }
    let licences = page.links.iter().filter(|link| link.target.contains("creativecommons.org/"));
    let licences: Vec<Licence> =
        licences.filter_map(|link| Licence::named_in(&link.target)).collect();
    // Where several are named, the strictest holds.
    let strict = licences.iter().position(|licence| !licence.allows_derivatives());
    about.licence = licences.into_iter().nth(strict.unwrap_or(0));
    let address =
        page.links.iter().find(|link| link.target.starts_with("https://ocw.mit.edu/courses/"));
    about.source_url = address.map(|link| link.target.clone()).unwrap_or_default();
    page.blocks
        .iter()
        .map(course::html::Block::text)
        .find(|text| text.contains(PUBLISHER) && text.contains("License:"))
        .map(str::to_owned)
}

/// The names that the file has for what the page did not say.
fn read_data(data: &Value, about: &mut About) {
    let text = |key: &str| data[key].as_str().map(course::text::squeezed).unwrap_or_default();
    let fill = |own: &mut String, other: String| {
        if own.is_empty() {
            *own = other;
        }
    };
    fill(&mut about.title, text("course_title"));
    fill(&mut about.description, text("course_description"));
    let level =
        data["level"].as_array().and_then(|levels| levels.first()).unwrap_or(&data["level"]);
    fill(&mut about.level, level.as_str().unwrap_or_default().to_lowercase());
    if about.instructors.is_empty() {
        let instructors = data["instructors"].as_array().into_iter().flatten();
        let name = |own: &Value| {
            let part = |key: &str| own[key].as_str().unwrap_or_default().to_owned();
            let full = part("title");
            let full = if full.is_empty() {
                format!("{} {}", part("first_name"), part("last_name"))
            } else {
                full
            };
            Some(course::text::squeezed(&full)).filter(|name| !name.is_empty())
        };
        about.instructors = instructors.filter_map(name).collect();
    }
}
