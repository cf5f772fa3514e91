//! What lies on the disk: sealed where that is asked for, and rebuilt where it has grown.

use super::*;
use crate::spool::opening::beside;
use crate::spool::rebuild;

const KEY: [u8; KEY_BYTES] = [7; KEY_BYTES];

fn open_sealed(dir: &TempDir, seal: Option<&Seal>) -> Opened<u64> {
    Spool::open_sealed(&dir.path().join("spool"), LIMITS, seal, Epoch(77)).unwrap()
}

fn on_disk(dir: &TempDir) -> Vec<u8> {
    fs::read(dir.path().join("spool/db")).unwrap()
}

fn shows(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn sealed_entries_are_read_back_and_cannot_be_read_on_the_disk() {
    let (dir, plain) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let seal = Seal::new(&KEY, true);
    let body = event("a secret that stands in no other place");
    open(&plain).spool.append_batch(std::slice::from_ref(&body), 0).unwrap();
    assert!(shows(&on_disk(&plain), "a secret that"), "this test would see it");
    let mut opened = open_sealed(&dir, Some(&seal));
    let entries = [body.clone(), block(1, 200), body.clone()];
    opened.spool.append_batch(&entries, 0).unwrap();
    drop(opened);
    assert!(!shows(&on_disk(&dir), "a secret that"));
    let opened = open_sealed(&dir, Some(&seal));
    assert!(opened.report.missing.is_empty() && opened.report.set_aside.is_none());
    let bodies: Vec<_> = all(&opened.spool.outbox()).into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies, entries);
}

#[test]
fn a_spool_of_another_key_or_of_none_is_set_aside_and_said() {
    for wrong in [Some(Seal::new(&[8; KEY_BYTES], true)), None] {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open_sealed(&dir, Some(&Seal::new(&KEY, true)));
        opened.spool.append_batch(&[event("x")], 0).unwrap();
        drop(opened);
        let opened = open_sealed(&dir, wrong.as_ref());
        let (path, why) = opened.report.set_aside.unwrap();
        assert!(path.exists() && why.contains("sealed with a key"), "{why}");
        assert!(opened.report.new_epoch);
        assert_eq!(all(&opened.spool.outbox()), []);
    }
}

#[test]
fn sealing_may_begin_and_end_while_entries_wait() {
    let dir = tempfile::tempdir().unwrap();
    for (seal, message) in [
        (None, "plain"),
        (Some(Seal::new(&KEY, true)), "sealed"),
        (Some(Seal::new(&KEY, false)), "plain again"),
    ] {
        let mut opened = open_sealed(&dir, seal.as_ref());
        assert!(opened.report.set_aside.is_none());
        opened.spool.append_batch(&[event(message)], 0).unwrap();
    }
    let opened = open_sealed(&dir, Some(&Seal::new(&KEY, false)));
    assert_eq!(all(&opened.spool.outbox()).len(), 3);
}

#[test]
fn a_rebuilt_spool_holds_the_same_and_is_small() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(&dir).spool;
    let outbox = spool.outbox();
    for index in 0..60 {
        spool.append_batch(&[block(index, 400)], index).unwrap();
    }
    outbox.trim(&ranges(&[(1, 58)])).unwrap();
    let (before, waiting) = (outbox.usage().unwrap(), all(&outbox));
    rebuild::now(&spool.shared).unwrap();
    let after = outbox.usage().unwrap();
    assert!(after.disk_bytes < before.disk_bytes, "{after:?} of {before:?}");
    assert_eq!((all(&outbox), after.live_bytes), (waiting.clone(), before.live_bytes));
    spool.append_batch(&[event("behind it")], 99).unwrap();
    drop((outbox, spool));
    let opened = open(&dir);
    assert!(opened.report.missing.is_empty() && !opened.report.new_epoch);
    assert_eq!(opened.spool.meta(), Some(&99));
    let found = all(&opened.spool.outbox());
    assert_eq!((&found[..waiting.len()], found.len()), (&waiting[..], waiting.len() + 1));
}

#[test]
fn a_crash_at_any_step_of_a_rebuild_leaves_one_whole_spool() {
    let copy = |from: &Path, to: &Path| {
        fs::create_dir_all(to).unwrap();
        for file in fs::read_dir(from).unwrap().flatten().filter(|file| file.path().is_file()) {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    };
    for step in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        let mut spool = open(&dir).spool;
        spool.append_batch(&[event("kept"), block(1, 10)], 3).unwrap();
        let waiting = all(&spool.outbox());
        drop(spool);
        let place = |suffix| beside(&path, suffix);
        match step {
            // Cut off while it was being copied.
            0 => {
                fs::create_dir_all(place("rebuilding")).unwrap();
                fs::write(place("rebuilding").join("db"), b"half").unwrap();
            }
            1 => copy(&path, &place("rebuilt")),
            2 => {
                copy(&path, &place("rebuilt"));
                fs::rename(&path, place("replaced")).unwrap();
            }
            3 => copy(&path, &place("replaced")),
            // The folder that was replaced long ago could not be removed then.
            _ => {
                copy(&path, &place("rebuilt"));
                copy(&path, &place("replaced"));
            }
        }
        let opened = open(&dir);
        assert!(opened.report.missing.is_empty(), "step {step}");
        assert!(opened.report.set_aside.is_none() && !opened.report.new_epoch, "step {step}");
        assert_eq!(all(&opened.spool.outbox()), waiting, "step {step}");
        for suffix in ["rebuilding", "rebuilt", "replaced"] {
            assert!(!place(suffix).exists(), "step {step}: {suffix}");
        }
    }
}
