//! Whoever built a plugin against a version that shipped needs no other one.

use crate::guests::{
    Guest, failure, graphviz, prying, v0_1_importer, v0_1_renderer, v0_2_importer,
};
use crate::scripted::{Collector, Scripted};
use flyball_plugin_host::Outside;
use flyball_plugin_messages::{
    Answer, Ask, Attribute, Context, Event, FailureKind, Fetched, File, Item, Render, Request,
    World,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Every folder of `wit/`, with the worlds that the tests below run a component of.
const COVERED: [(&str, &[World]); 2] = [
    ("0.1", &[World::Renderer, World::Importer]),
    ("0.2", &[World::Renderer, World::Importer, World::Collector]),
];
/// What has shipped, as `cat wit/<version>/*.wit | sha256sum` says it.
const FROZEN: [(&str, &str); 1] =
    [("0.1", "8b62e7bddc721d990058dc0fbd3c5b7f5f147a9156047d73e6ac9c5ed60bcdc0")];

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn every_version_has_components_that_are_run_here() {
    let mut folders = names(&wit());
    folders.remove("README.md");
    assert_eq!(folders, COVERED.map(|(version, _)| version.to_owned()).into());
    for (version, worlds) in COVERED {
        let mut files = names(&wit().join(version));
        files.retain(|file| !["types.wit", "host.wit"].contains(&file.as_str()));
        let world = |world: &World| format!("{world:?}.wit").to_lowercase();
        assert_eq!(files, worlds.iter().map(world).collect(), "{version}");
    }
}

#[test]
fn not_a_byte_of_what_has_shipped_changes() {
    for (version, digest) in FROZEN {
        let mut hasher = Sha256::new();
        for file in names(&wit().join(version)) {
            hasher.update(std::fs::read(wit().join(version).join(file)).unwrap());
        }
        let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "wit/{version} is frozen: write the change into a new version");
    }
}

fn echo(source: &str, theme: Option<&str>) -> Request {
    let theme = theme.map(|value| Attribute { key: "theme".into(), value: value.into() });
    Request::Render(Render {
        format: "echo".into(),
        source: source.into(),
        width: Some(7),
        height: None,
        options: theme.into_iter().collect(),
    })
}

#[test]
fn a_renderer_of_0_1_draws_and_explains_itself() {
    let guest = v0_1_renderer();
    assert_eq!(
        (guest.world, guest.manifest.attributes[0].key.as_str()),
        (World::Renderer, "unknown")
    );
    let drawn = guest.call(echo("hello", Some("dark")), 2_000);
    let [Event::Log { .. }, Event::Image(image), Event::Done] = &drawn[..] else {
        panic!("{drawn:?}")
    };
    assert_eq!((&image.data[..], image.width, image.height), (&b"hello dark"[..], 7, 1));
    let refused = failure(guest.call(echo("", None), 2_000));
    assert_eq!((refused.kind, refused.diagnostics.len()), (FailureKind::InvalidInput, 1));
    let validate = Request::Validate { format: "echo".into(), source: String::new() };
    let found = guest.call(validate, 2_000);
    assert!(
        matches!(&found[..], [Event::Diagnostics(found), Event::Done] if found[0].message == "an empty echo"),
        "{found:?}"
    );
}

fn file(path: &str) -> File {
    File { path: path.into(), bytes: path.as_bytes().to_vec() }
}

fn items(events: &[Event]) -> Vec<&Item> {
    events
        .iter()
        .filter_map(|it| if let Event::Item(item) = it { Some(item) } else { None })
        .collect()
}

fn import(files: Vec<File>) -> Request {
    Request::Import { files, id: "all".into(), selection: Vec::new(), switches: Vec::new() }
}

#[test]
fn an_importer_of_0_1_lists_describes_and_imports() {
    let guest = v0_1_importer();
    let files = vec![file("a.txt"), file("b/c.txt")];
    let catalog = Request::Catalog { files: files.clone(), query: String::new(), page: 0 };
    assert!(matches!(
        &guest.call(catalog, 2_000)[..],
        [Event::Catalog { total: 1, .. }, Event::Done]
    ));
    let describe = Request::DescribeCourse { files: files.clone(), id: "all".into() };
    let described = guest.call(describe, 2_000);
    assert!(
        matches!(&described[..], [Event::Detail { parts, .. }, Event::Done] if parts.len() == 2),
        "{described:?}"
    );
    let imported = guest.call(import(files), 2_000);
    let progress =
        imported.iter().filter(|it| matches!(it, Event::Progress { total: Some(2), .. }));
    assert_eq!(progress.count(), 2);
    let data: Vec<&[u8]> = items(&imported).into_iter().map(|item| &item.data[..]).collect();
    assert_eq!(data, [&b"a.txt"[..], b"b/c.txt"]);
}

#[test]
fn a_renderer_of_0_2_draws() {
    let drawn = graphviz().render("digraph { a -> b }", 10_000);
    assert!(matches!(&drawn[..], [Event::Image(_), Event::Done]), "{drawn:?}");
}

fn answered(
    guest: &Guest,
    answer: impl Fn(&Ask) -> Answer + 'static,
) -> (Rc<Scripted>, Vec<Event>) {
    let settings = vec![("url".to_owned(), "\"http://h/\"".to_owned())];
    let scripted = Scripted::new(answer);
    let outside: Rc<dyn Outside> = Rc::clone(&scripted) as Rc<dyn Outside>;
    let context = Context { settings, seed: None };
    guest.plugin().call(import(vec![file("a")]), context, 5_000, &outside);
    let events = scripted.events.take();
    (scripted, events)
}

#[test]
fn an_importer_of_0_2_fetches_reports_and_writes_in_pieces() {
    let (scripted, events) = answered(v0_2_importer(), |ask| match ask {
        Ask::Fetch(_) => {
            let body = b"ten bytes.".to_vec();
            Answer::Fetched(Fetched { status: 203, headers: Vec::new(), body })
        }
        _ => Answer::Progress { go_on: true },
    });
    let asks = scripted.asks.take();
    assert!(
        matches!(&asks[..], [Ask::Fetch(fetch), Ask::Progress { done: 1, total: Some(2), note }]
            if fetch.url == "http://h/" && fetch.timeout_ms == 1_000 && note == "fetched"),
        "{asks:?}"
    );
    let [pieces, machine] = items(&events)[..] else { panic!("{events:?}") };
    assert_eq!((pieces.id.as_str(), &pieces.data[..]), ("fetched", &b"ten bytes."[..]));
    // Times are coarse: their last digit says nothing.
    assert_eq!(machine.data, b"status 203, files 1, coarse 0, random 16");
}

#[test]
fn an_importer_of_0_2_hears_that_nobody_waits() {
    let (_, events) = answered(v0_2_importer(), |ask| match ask {
        Ask::Fetch(_) => {
            Answer::Fetched(Fetched { status: 200, headers: Vec::new(), body: Vec::new() })
        }
        _ => Answer::Progress { go_on: false },
    });
    assert_eq!(failure(events).kind, FailureKind::Cancelled);
}

#[test]
fn a_collector_of_0_2_is_polled() {
    let readings = Collector::new(prying(), &[("attack", "\"quiet\"")])
        .poll(|_| panic!("it asks for nothing"))
        .unwrap();
    assert_eq!((readings[0].name.as_str(), readings[0].value), ("quiet", Ok(1.0)));
}
