//! Components that no compiler would make: bombs that go off before anything is called, and words
//! that are none. Each is refused with what it did, or its call ends, and the host goes on.

use crate::attacks::resident_mib;
use crate::guests::{Heard, failure};
use crate::handmade::{Handmade, ID, pair};
use flyball_plugin_host::compile::compile;
use flyball_plugin_host::{Outside, Plugin};
use flyball_plugin_messages::{
    CompileFault, Context, Event, Failure, FailureKind, Render, Report, Request, World,
};
use std::rc::Rc;

fn rejected(handmade: &Handmade) -> CompileFault {
    let before = resident_mib();
    let (report, code) = compile(&handmade.component());
    let after = resident_mib();
    assert!(after < before + 192, "from {before} to {after} MiB");
    assert!(code.is_empty());
    match report {
        Report::Rejected(fault) => fault,
        compiled @ Report::Compiled { .. } => panic!("it compiled: {compiled:?}"),
    }
}

fn not_startable(handmade: &Handmade) -> String {
    match rejected(handmade) {
        CompileFault::NotStartable(why) => why,
        other => panic!("{other:?}"),
    }
}

fn bad_manifest(handmade: &Handmade) -> String {
    match rejected(handmade) {
        CompileFault::BadManifest(why) => why,
        other => panic!("{other:?}"),
    }
}

fn module(text: &str) -> Handmade {
    Handmade { module: text.into(), ..Handmade::default() }
}

#[test]
fn one_that_is_not_bent_is_taken() {
    let (report, _) = compile(&Handmade::default().component());
    let Report::Compiled { manifest, world, .. } = report else { panic!("{report:?}") };
    assert_eq!(
        (world, manifest.id.as_str(), &manifest.handles[..]),
        (World::Renderer, ID, &[ID.to_owned()][..])
    );
}

#[test]
fn a_start_function_without_end_is_stopped() {
    let spins = module("(func $go (loop $again (br $again))) (start $go)");
    assert!(not_startable(&spins).starts_with("time: it was stopped after 2000 ms"));
}

#[test]
fn a_start_function_that_traps_calls_itself_or_takes_memory_is_named() {
    assert!(not_startable(&module("(func $go unreachable) (start $go)")).contains("unreachable"));
    let calls = module("(func $go (call $go)) (start $go)");
    assert!(not_startable(&calls).starts_with("stack"), "{}", not_startable(&calls));
    // A guest that sees no more pages may go on; one that goes on without end does not.
    let eats = module(
        "(func $go (loop $again (drop (memory.grow (i32.const 64))) (br $again))) (start $go)",
    );
    let why = not_startable(&eats);
    assert!(why.starts_with("memory") || why.starts_with("time"), "{why}");
}

#[test]
fn tables_are_bounded_as_they_are_and_as_they_grow() {
    let large = not_startable(&module("(table 20001 funcref)"));
    assert!(large.starts_with("tables"), "{large}");
    let grows = module(
        "(table $t 1 funcref) (func $go (loop $again
            (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $again))) (start $go)",
    );
    let why = not_startable(&grows);
    assert!(why.starts_with("tables") || why.starts_with("time"), "{why}");
    let many = module(&"(table 1 funcref)".repeat(17));
    assert!(matches!(rejected(&many), CompileFault::TooHungry(what) if what == "17 tables"));
}

#[test]
fn instances_are_bounded() {
    let component =
        format!("(core module $small) {}", "(core instance (instantiate $small))".repeat(64));
    let why = not_startable(&Handmade { component, ..Handmade::default() });
    assert!(why.contains("instance"), "{why}");
}

#[test]
fn memories_beside_the_first_count_as_well() {
    let large = "(core module $a (memory 600)) (core instance (instantiate $a))
        (core module $b (memory 600)) (core instance (instantiate $b))";
    let why = not_startable(&Handmade { component: large.into(), ..Handmade::default() });
    assert!(why.starts_with("memory"), "{why}");
}

/// The manifest with one of its texts elsewhere.
fn saying(part: usize, text: &[u8]) -> Handmade {
    let mut handmade = Handmade::default();
    handmade.manifest[part] = (4096, text.len() as u32);
    handmade.data.push((4096, text.into()));
    handmade
}

#[test]
fn words_that_are_no_utf_8_are_no_words() {
    for text in [&b"\xff\xfe"[..], b"ab\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"] {
        let why = not_startable(&saying(1, text));
        assert!(why.contains("utf-8") || why.contains("UTF-8"), "{text:?}: {why}");
    }
}

#[test]
fn pointers_out_of_memory_end_the_call() {
    for place in [(131_000, 100), (u32::MAX, 1), (4, u32::MAX), (u32::MAX - 3, 8)] {
        let mut handmade = Handmade::default();
        handmade.manifest[1] = place;
        let text = not_startable(&handmade);
        handmade = Handmade::default();
        handmade.manifest[6] = place;
        let list = not_startable(&handmade);
        for why in [text, list] {
            assert!(
                ["out-of-bounds", "out of bounds", "not aligned", "lifting"]
                    .iter()
                    .any(|w| why.contains(w)),
                "{place:?}: {why}"
            );
        }
    }
}

#[test]
fn a_forged_manifest_is_refused_by_the_field_that_is_wrong() {
    for id in [&b"../../etc"[..], b"Upper", b"", b"a b", &[b'x'; 65], "\u{430}".as_bytes()] {
        assert!(bad_manifest(&saying(0, id)).starts_with("the id "), "{id:?}");
    }
    for (part, what, bound) in [
        (1, "name", 128),
        (2, "version", 64),
        (3, "author", 256),
        (4, "licence", 128),
        (5, "description", 1024),
    ] {
        let said = bad_manifest(&saying(part, &vec![b'x'; bound + 1]));
        assert_eq!(
            said,
            format!("its {what} has {} bytes, at most {bound} are allowed", bound + 1)
        );
    }
    let handling = |count: u32| {
        let mut handmade = Handmade::default();
        handmade.manifest[6] = (8192, count);
        let word = pair((2048, ID.len() as u32));
        handmade.data.push((8192, word.repeat(count as usize)));
        handmade
    };
    for count in [0, 33, 2_000] {
        let said = bad_manifest(&handling(count));
        assert!(said.starts_with(&format!("it handles {count} things")), "{said}");
    }
    let mut attributes = Handmade::default();
    attributes.manifest[7] = (8192, 65);
    attributes.data.push((8192, pair((2048, ID.len() as u32)).repeat(130)));
    assert!(bad_manifest(&attributes).starts_with("it has more than 64 attributes"));
}

#[test]
fn a_list_that_says_the_same_long_text_ever_again_is_stopped_while_it_is_read() {
    let mut lifting = Handmade::default();
    lifting.manifest[6] = (8192, 2_000);
    lifting.data.push((8192, pair((32_768, 90_000)).repeat(2_000)));
    let why = not_startable(&lifting);
    assert!(why.starts_with("lifting"), "{why}");
}

/// What a call of it fails with.
fn drawn(handmade: &Handmade) -> Failure {
    let (report, code) = compile(&handmade.component());
    let Report::Compiled { world, .. } = report else { panic!("{report:?}") };
    let folder = std::env::temp_dir();
    let path = folder.join(format!("flyball-{}-handmade-{:p}.cwasm", std::process::id(), handmade));
    std::fs::write(&path, code).unwrap();
    let plugin = Plugin::load(&path, world).unwrap();
    std::fs::remove_file(&path).unwrap();
    let heard = Rc::new(Heard::default());
    let outside: Rc<dyn Outside> = Rc::clone(&heard) as Rc<dyn Outside>;
    for _ in 0..2 {
        let source = "source".into();
        let render =
            Render { format: ID.into(), source, width: None, height: None, options: Vec::new() };
        plugin.call(Request::Render(render), Context::default(), 1_000, &outside);
    }
    let events: Vec<Event> = heard.0.take();
    // The second call of the same code ends in the same way.
    assert_eq!(events.iter().filter(|event| event.is_last()).count(), 2, "{events:?}");
    failure(events)
}

/// A picture whose parts lie where the test says.
fn picture(media_type: (u32, u32), data: (u32, u32), warnings: (u32, u32)) -> Handmade {
    let image =
        [vec![0; 4], pair(media_type), vec![1, 0, 0, 0, 1, 0, 0, 0], pair(data), pair(warnings)];
    Handmade {
        data: [Handmade::default().data, vec![(16_384, image.concat())]].concat(),
        render: "i32.const 16384".into(),
        ..Handmade::default()
    }
}

#[test]
fn a_result_that_is_none_ends_its_call() {
    let word = (2048, ID.len() as u32);
    for (handmade, what) in [
        (picture((512, 2), word, (0, 0)), "utf-8"),
        (picture(word, (131_000, 1_000_000), (0, 0)), "bounds"),
        (picture(word, word, (512, u32::MAX)), "bounds"),
    ] {
        let handmade =
            Handmade { data: [handmade.data, vec![(512, vec![0xff, 0xff])]].concat(), ..handmade };
        let Failure { kind, message, .. } = drawn(&handmade);
        assert!(matches!(kind, FailureKind::Trapped | FailureKind::Limit), "{message}");
        assert!(
            message.to_lowercase().contains(what) || message.starts_with("lifting"),
            "{message}"
        );
    }
    let mut neither = picture(word, word, (0, 0));
    neither.data.push((16_384, vec![7]));
    let Failure { kind, message, .. } = drawn(&neither);
    assert_eq!(kind, FailureKind::Trapped, "{message}");
    // A severity that the interface does not have.
    let mut severe = picture(word, word, (20_480, 1));
    severe.data.push((20_480, vec![99; 64]));
    assert_eq!(drawn(&severe).kind, FailureKind::Trapped);
}

#[test]
fn an_allocator_that_lies_is_never_written_through() {
    for place in ["i32.const -1", "i32.const 131071", "unreachable", "i32.const 2147483647"] {
        let handmade = Handmade { realloc: place.into(), ..Handmade::default() };
        let Failure { kind, message, .. } = drawn(&handmade);
        assert_eq!(kind, FailureKind::Trapped, "{place}: {message}");
    }
}

#[test]
fn handles_without_end_are_refused() {
    let handles = Handmade {
        component: "(type $r (resource (rep i32))) (core func $new (canon resource.new $r))".into(),
        with: r#"(with "own" (instance (export "new" (func $new))))"#.into(),
        module: r#"(import "own" "new" (func $new (param i32) (result i32)))"#.into(),
        render: "(loop $again (drop (call $new (i32.const 0))) (br $again)) unreachable".into(),
        ..Handmade::default()
    };
    let before = resident_mib();
    let Failure { kind, message, .. } = drawn(&handles);
    assert_eq!(kind, FailureKind::Limit, "{message}");
    assert!(message.starts_with("handles: "), "{message}");
    let after = resident_mib();
    assert!(after < before + 128, "from {before} to {after} MiB");
}
