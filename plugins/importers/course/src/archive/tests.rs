use super::*;
use crate::files::Memory;
use packages::hostile::{archives, lying};
use packages::zip::{Entry as Packed, Zip};

const MEBIBYTE: usize = 1024 * 1024;

fn open(bytes: Vec<u8>) -> Result<Archive, Fault> {
    let size = bytes.len() as u64;
    let mut memory = Memory::default();
    memory.0.insert("a.zip".to_owned(), bytes);
    Archive::open(Rc::new(memory), "a.zip", size)
}

fn hostile(result: Result<impl std::fmt::Debug, Fault>) -> (String, Hostility) {
    match result {
        Err(Fault::Hostile { entry, why }) => (entry, why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_hostile_archive_is_stopped_by_its_directory_and_its_entry_is_named() {
    let expected = [
        ("many-entries", "a.zip", Hostility::Entries { found: 70_000, max: MAX_ENTRIES }),
        ("few-entries-too-many", "a.zip", Hostility::Entries { found: 20_001, max: MAX_ENTRIES }),
        ("bomb", "a.zip: bomb.html", Hostility::Ratio { max: MAX_RATIO }),
        ("climbing-path", "a.zip: pages/../../evil.html", Hostility::Path),
        ("absolute-path", "a.zip: /etc/evil.html", Hostility::Path),
        ("windows-path", "a.zip: ../evil.html", Hostility::Path),
        ("drive-path", "a.zip: C:/evil.html", Hostility::Path),
        ("link", "a.zip: link.html", Hostility::Link),
        ("encrypted", "a.zip: secret.html", Hostility::Encrypted),
        ("unknown-method", "a.zip: b.html", Hostility::Method(12)),
        ("twice", "a.zip: a.html", Hostility::Twice),
        (
            "long-name",
            "a.zip: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…",
            Hostility::Name { max: MAX_NAME_BYTES },
        ),
        ("overlap", "a.zip: b.html", Hostility::Overlap),
    ];
    let mut seen = 0;
    for (name, bytes) in archives("marker.xml") {
        match expected.iter().find(|(own, ..)| *own == name) {
            Some((_, entry, why)) => {
                assert_eq!(hostile(open(bytes)), ((*entry).to_owned(), *why), "{name}");
                seen += 1;
            }
            None => assert!(matches!(open(bytes), Err(Fault::NotAnArchive { .. })), "{name}"),
        }
    }
    assert_eq!(seen, expected.len());
}

#[test]
fn an_entry_that_lies_about_its_size_is_stopped_while_it_inflates() {
    let noise: Vec<u8> =
        (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for claimed in [1, 199_999, 200_001] {
        let archive = open(lying("x.html", &noise, claimed)).unwrap();
        let read = archive.read("x.html");
        assert!(
            matches!(read, Err(Fault::Damaged { ref entry, .. }) if entry == "a.zip: x.html"),
            "{claimed}: {read:?}"
        );
    }
}

#[test]
fn a_bomb_that_hides_its_size_is_stopped_within_what_it_claims() {
    let archive = open(lying("x.html", &vec![0; 64 * MEBIBYTE], 1_000)).unwrap();
    assert!(matches!(archive.read("x.html"), Err(Fault::Damaged { .. })));
    assert!(archive.inflated_bytes.get() <= 1_001);
}

#[test]
fn an_entry_may_be_large_where_nobody_reads_it() {
    let large = vec![7; 17 * MEBIBYTE];
    let mut zip = Zip::default();
    zip.add(&Packed::stored("film.mp4", &large));
    zip.file("page.html", "<p>Text.</p>");
    let archive = open(zip.finish()).unwrap();
    assert_eq!(archive.read("page.html").unwrap(), b"<p>Text.</p>");
    let (entry, why) = hostile(archive.read("film.mp4"));
    assert_eq!(
        (entry.as_str(), why),
        ("a.zip: film.mp4", Hostility::EntryBytes { max: MAX_ENTRY_BYTES })
    );
}

#[test]
fn everything_that_one_import_inflates_is_bounded() {
    let mut zip = Zip::default();
    for name in ["a", "b", "c"] {
        zip.file(name, vec![b'x'; 1_000]);
    }
    let archive = open(zip.finish()).unwrap().with_total(2_500);
    assert!(archive.read("a").is_ok() && archive.read("b").is_ok());
    let (entry, why) = hostile(archive.read("c"));
    assert_eq!((entry.as_str(), why), ("a.zip: c", Hostility::TotalBytes { max: 2_500 }));
}

#[test]
fn a_changed_byte_is_damage_and_never_a_panic() {
    let mut zip = Zip::default();
    zip.file("a.html", "<p>Some text that is long enough to be packed, packed, packed.</p>");
    let whole = zip.finish();
    for at in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= change;
            if let Ok(archive) = open(changed) {
                let names: Vec<String> = archive.names().map(str::to_owned).collect();
                names.iter().for_each(|name| drop(archive.read(name)));
            }
        }
    }
    for length in 0..whole.len() {
        drop(open(whole[..length].to_vec()));
    }
}

/// Files that count what is read of them.
#[derive(Debug)]
struct Counted {
    inner: Memory,
    largest: Cell<usize>,
    bytes: Cell<usize>,
}

impl Files for Counted {
    fn list(&self) -> Vec<(String, u64)> {
        self.inner.list()
    }

    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Fault> {
        let bytes = self.inner.read(path, offset, length)?;
        self.largest.set(self.largest.get().max(bytes.len()));
        self.bytes.set(self.bytes.get() + bytes.len());
        Ok(bytes)
    }
}

#[test]
fn a_large_archive_is_read_by_its_directory_and_the_entries_that_are_wanted() {
    let mut zip = Zip::default();
    zip.add(&Packed::stored("film.mp4", &vec![7; 40 * MEBIBYTE]));
    zip.file("page.html", "<p>Text.</p>");
    let bytes = zip.finish();
    let size = bytes.len() as u64;
    let mut inner = Memory::default();
    inner.0.insert("a.zip".to_owned(), bytes);
    let files = Rc::new(Counted { inner, largest: Cell::new(0), bytes: Cell::new(0) });
    let shared: Rc<dyn Files> = Rc::<Counted>::clone(&files);
    let archive = Archive::open(shared, "a.zip", size).unwrap();
    archive.read("page.html").unwrap();
    assert!(files.bytes.get() < MEBIBYTE, "{}", files.bytes.get());
    assert!(files.largest.get() <= READ_BYTES);
}
