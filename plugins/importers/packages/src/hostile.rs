//! Archives that try to harm who opens them. Each is small on disk.

use crate::zip::{Entry, Zip};

const LINK_MODE: u32 = 0o120_777;
const MEBIBYTE: usize = 1024 * 1024;

/// Every archive by what it tries; `marker` is the file that the format asks for.
#[must_use]
pub fn archives(marker: &str) -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0; 64 * MEBIBYTE];
    let page = b"<html><body><p>Text.</p></body></html>";
    let long_name = "n".repeat(600);
    let with = |entries: &[Entry<'_>]| {
        let mut zip = Zip::default();
        zip.file(marker, "<manifest/>");
        entries.iter().for_each(|entry| zip.add(entry));
        zip.finish()
    };
    vec![
        ("many-entries", many_entries(marker, 70_000)),
        ("few-entries-too-many", many_entries(marker, 20_001)),
        ("bomb", with(&[Entry::new("bomb.html", &zeros)])),
        ("climbing-path", with(&[Entry::new("pages/../../evil.html", page)])),
        ("absolute-path", with(&[Entry::new("/etc/evil.html", page)])),
        ("windows-path", with(&[Entry::new("..\\evil.html", page)])),
        ("drive-path", with(&[Entry::new("C:/evil.html", page)])),
        ("link", with(&[Entry { mode: LINK_MODE, ..Entry::stored("link.html", b"/etc/passwd") }])),
        ("encrypted", with(&[Entry { flags: 1, ..Entry::stored("secret.html", page) }])),
        ("unknown-method", with(&[Entry { method: Some(12), ..Entry::stored("b.html", page) }])),
        ("twice", with(&[Entry::new("a.html", page), Entry::new("a.html", b"other")])),
        ("long-name", with(&[Entry::new(&long_name, page)])),
        ("overlap", overlap(marker)),
        ("cut-off", cut_off(&with(&[Entry::new("a.html", page)]))),
        ("no-archive", b"This is no archive at all.".to_vec()),
    ]
}

/// An archive whose file `name` inflates to other than its headers say.
#[must_use]
pub fn lying(name: &str, data: &[u8], claimed_bytes: u32) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.add(&Entry { claimed_bytes: Some(claimed_bytes), ..Entry::new(name, data) });
    zip.finish()
}

fn many_entries(marker: &str, count: usize) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.file(marker, "<manifest/>");
    for index in 1..count {
        zip.add(&Entry::stored(&format!("{index}"), b""));
    }
    zip.finish()
}

/// Two names for the same bytes: with enough of them a small file inflates to anything.
fn overlap(marker: &str) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.file(marker, "<manifest/>");
    let at = zip.length();
    let data = b"the same bytes for everyone";
    zip.add(&Entry::stored("a.html", data));
    zip.list_again(&Entry::stored("b.html", data), data.len(), at);
    zip.finish()
}

fn cut_off(whole: &[u8]) -> Vec<u8> {
    whole[..whole.len() - 30].to_vec()
}

/// XML that grows a thousand millionfold where entities are expanded.
#[must_use]
pub fn entity_bomb(root: &str) -> String {
    let mut declared = String::from("<!ENTITY a0 \"ha\">");
    for level in 1..10 {
        let below = format!("&a{};", level - 1).repeat(10);
        declared.push_str(&format!("<!ENTITY a{level} \"{below}\">"));
    }
    format!("<?xml version=\"1.0\"?><!DOCTYPE {root} [{declared}]><{root}>&a9;</{root}>")
}

/// XML that asks for a file of the machine.
#[must_use]
pub fn entity_theft(root: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><!DOCTYPE {root} [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><{root}>&x;</{root}>"
    )
}

/// Elements in elements.
#[must_use]
pub fn deep(root: &str, depth: usize) -> String {
    format!("<{root}>{}{}</{root}>", "<item>".repeat(depth), "</item>".repeat(depth))
}
