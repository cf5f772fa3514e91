//! The UMCF plugin, as it is shipped.

use crate::guests::{failure, umcf};
use flyball_plugin_messages::{Attribute, Event, FailureKind, File, Item, Request};

const DEADLINE_MS: u32 = 10_000;

const DOCUMENT: &str = r#"{"umcf":"1.0.0","id":{"value":"heat"},"title":"Heat",
    "x-kept":[1.50,null],"version":{"number":"1"},
    "content":[{"title":"T","transcript":{"segments":[]}},{"title":"U"}]}"#;

fn file(path: &str, text: &str) -> File {
    File { path: path.into(), bytes: text.as_bytes().to_vec() }
}

fn imported(
    files: Vec<File>,
    id: &str,
    selection: &[&str],
    switches: &[(&str, &str)],
) -> Vec<Event> {
    let selection = selection.iter().map(|part| (*part).to_owned()).collect();
    let switch = |(key, value): &(&str, &str)| Attribute {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    let switches = switches.iter().map(switch).collect();
    umcf().call(Request::Import { files, id: id.into(), selection, switches }, DEADLINE_MS)
}

fn items(events: Vec<Event>) -> Vec<Item> {
    assert_eq!(events.last(), Some(&Event::Done));
    let item = |event| if let Event::Item(item) = event { Some(item) } else { None };
    events.into_iter().filter_map(item).collect()
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_document_comes_out_as_it_went_in() {
    let items = items(imported(vec![file("heat.umcf", DOCUMENT)], "heat", &[], &[]));
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].id.as_str(), items[0].title.as_str()), ("heat", "Heat"));
    assert_eq!(items[0].media_type, "application/umcf+json");
    assert_eq!(String::from_utf8(items[0].data.clone()).unwrap(), without_blanks(DOCUMENT));
}

#[test]
fn selection_and_switches_are_honoured() {
    let files = vec![file("heat.umcf", DOCUMENT)];
    let switches = [("includeTranscripts", "false")];
    let items = items(imported(files.clone(), "heat", &["topic-0"], &switches));
    let text = String::from_utf8(items[0].data.clone()).unwrap();
    assert!(!text.contains("transcript") && !text.contains(r#""title":"U""#), "{text}");
    let refused = failure(imported(files, "heat", &["nowhere"], &[]));
    assert_eq!(refused.kind, FailureKind::InvalidInput);
    assert!(refused.message.contains("nowhere"), "{}", refused.message);
}

#[test]
fn a_folder_of_markdown_becomes_a_document() {
    let files =
        vec![file("steam/1.md", "# Boiler\n\nHot."), file("steam/2.md", "# Valve\n\nShut.")];
    let catalog = Request::Catalog { files: files.clone(), query: "steam".into(), page: 0 };
    let events = umcf().call(catalog, DEADLINE_MS);
    let [Event::Catalog { entries, total: 1 }, Event::Done] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(entries[0].id, "steam");
    let items = items(imported(files, "steam", &[], &[]));
    let text = String::from_utf8(items[0].data.clone()).unwrap();
    assert!(text.contains("Boiler") && text.contains("Shut."), "{text}");
}

#[test]
fn a_course_is_described_with_the_parts_that_can_be_taken_alone() {
    let request =
        Request::DescribeCourse { files: vec![file("heat.umcf", DOCUMENT)], id: "heat".into() };
    let events = umcf().call(request, DEADLINE_MS);
    let [Event::Detail { entry, parts }, Event::Done] = &events[..] else { panic!("{events:?}") };
    assert_eq!(entry.title, "Heat");
    assert_eq!(
        parts.iter().map(|part| part.id.as_str()).collect::<Vec<_>>(),
        ["topic-0", "topic-1"]
    );
}

#[test]
fn broken_json_is_refused_with_its_line_and_nothing_is_made_of_nothing() {
    let refused = failure(imported(vec![file("a.umcf", "{\n\n oops")], "a", &[], &[]));
    assert_eq!((refused.kind, refused.diagnostics[0].line), (FailureKind::InvalidInput, 3));
    let empty = failure(imported(vec![file("a/b.md", "# \n")], "a", &[], &[]));
    assert_eq!(empty.kind, FailureKind::InvalidInput);
    let absent = failure(imported(Vec::new(), "a", &[], &[]));
    assert_eq!(absent.kind, FailureKind::InvalidInput);
}
