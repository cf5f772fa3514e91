use super::*;
use flyball_plugin_messages::frame::encode;
use flyball_plugin_messages::{CompileFault, Manifest, World};
use std::io::Write as _;

fn entry(engine: &str) -> Entry {
    Entry { hash: Hash::of(b"component"), engine: engine.into() }
}

fn rejected() -> Report {
    Report::Rejected(CompileFault::CoreModule)
}

fn compiled(code: &[u8]) -> Report {
    let manifest = Manifest {
        id: "demo".into(),
        name: String::new(),
        version: String::new(),
        author: String::new(),
        licence: String::new(),
        description: String::new(),
        handles: Vec::new(),
        attributes: Vec::new(),
    };
    let code_bytes = code.len() as u64;
    Report::Compiled { manifest, world: World::Renderer, engine: "a".into(), code_bytes }
}

fn store(cache: &Cache, entry: &Entry, report: &Report, code: &[u8]) -> Result<Kept, CacheError> {
    let mut output = cache.incoming(entry).unwrap();
    output.write_all(&encode(report, MAX_REPORT_BYTES).unwrap()).unwrap();
    output.write_all(code).unwrap();
    cache.adopt(entry)
}

fn code_of(cache: &Cache, entry: &Entry, kept: &Kept) -> Result<Vec<u8>, CacheError> {
    let mut whole = Vec::new();
    cache.read_code(entry, kept.code, |part| {
        assert!(part.len() <= CODE_PART_BYTES);
        whole.extend(part);
        true
    })?;
    Ok(whole)
}

#[test]
fn what_was_stored_comes_back_after_a_restart_with_its_code() {
    let state = tempfile::tempdir().unwrap();
    let code: Vec<u8> = (0..3 * CODE_PART_BYTES + 7).map(|place| (place % 251) as u8).collect();
    let report = compiled(&code);
    let kept = store(&Cache::open(state.path()).unwrap(), &entry("a"), &report, &code).unwrap();
    assert_eq!(kept.report, report);
    let cache = Cache::open(state.path()).unwrap();
    assert_eq!(cache.load(&entry("a")), Some(kept.clone()));
    assert_eq!(cache.load(&entry("b")), None);
    assert_eq!(code_of(&cache, &entry("a"), &kept).unwrap(), code);
}

#[test]
fn one_flipped_bit_anywhere_makes_an_entry_worthless() {
    let state = tempfile::tempdir().unwrap();
    let cache = Cache::open(state.path()).unwrap();
    let kept = store(&cache, &entry("a"), &compiled(b"native"), b"native").unwrap();
    let sound = |cache: &Cache| {
        cache.load(&entry("a")).is_some_and(|kept| code_of(cache, &entry("a"), &kept).is_ok())
    };
    for kind in ["cwasm", "mac"] {
        let path = cache.path(&entry("a"), kind);
        let whole = std::fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(!sound(&cache), "byte {place} of {kind}");
        }
        for other in [&whole[..whole.len() - 1], &[&whole[..], b"x"].concat()] {
            std::fs::write(&path, other).unwrap();
            assert!(!sound(&cache), "{kind} of {} bytes", other.len());
        }
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(cache.load(&entry("a")), Some(kept));
}

#[test]
fn an_entry_under_another_name_or_key_is_not_loaded() {
    let state = tempfile::tempdir().unwrap();
    let cache = Cache::open(state.path()).unwrap();
    store(&cache, &entry("a"), &rejected(), b"").unwrap();
    for kind in ["cwasm", "mac"] {
        std::fs::copy(cache.path(&entry("a"), kind), cache.path(&entry("b"), kind)).unwrap();
    }
    assert_eq!(cache.load(&entry("b")), None);
    std::fs::remove_file(cache.folder.join("key")).unwrap();
    assert_eq!(Cache::open(state.path()).unwrap().load(&entry("a")), None);
}

#[test]
fn output_that_is_not_as_long_as_it_says_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let cache = Cache::open(state.path()).unwrap();
    for code in [&b"nativ"[..], b"native code"] {
        let refused = store(&cache, &entry("a"), &compiled(b"native"), code);
        assert!(matches!(refused, Err(CacheError::Length)), "{refused:?}");
    }
    assert_eq!(cache.load(&entry("a")), None);
}

#[test]
fn what_is_no_longer_used_goes() {
    let state = tempfile::tempdir().unwrap();
    let cache = Cache::open(state.path()).unwrap();
    store(&cache, &entry("a"), &rejected(), b"").unwrap();
    store(&cache, &entry("b"), &rejected(), b"").unwrap();
    cache.incoming(&entry("c")).unwrap();
    cache.keep_only(&BTreeSet::from([entry("b")]));
    assert_eq!(cache.load(&entry("a")), None);
    assert_eq!(cache.load(&entry("b")).unwrap().report, rejected());
    assert_eq!(std::fs::read_dir(&cache.folder).unwrap().count(), 3, "key, code and MAC");
}
