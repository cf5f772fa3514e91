//! Where the machine's files are, and reading small ones of them at discovery.

use crate::attribute::open;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No folder of sysfs that matters here has more entries; a larger one is cut off.
const MAX_ENTRIES: usize = 4096;
/// What sysfs says in one attribute.
const MAX_TEXT_BYTES: u64 = 4096;

/// The roots of sysfs and procfs: the machine's own, or a recorded or simulated tree's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    pub sysfs: PathBuf,
    pub procfs: PathBuf,
}

impl Roots {
    /// This machine's.
    #[must_use]
    pub fn machine() -> Self {
        Self { sysfs: "/sys".into(), procfs: "/proc".into() }
    }

    /// True where sysfs is a tree of ordinary files.
    #[must_use]
    pub fn simulated(&self) -> bool {
        self.sysfs != Path::new("/sys")
    }

    pub(crate) fn class(&self, name: &str) -> PathBuf {
        self.sysfs.join("class").join(name)
    }
}

/// The names in `folder`, `temp2` before `temp10`; empty where there is no such folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .take(MAX_ENTRIES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort_by(|a, b| natural_key(a).cmp(&natural_key(b)));
    names
}

fn natural_key(name: &str) -> (String, u64, &str) {
    let start = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let digits = &name[start..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    (name[..start].to_owned(), digits[..end].parse().unwrap_or(0), &digits[end..])
}

/// The trimmed text of a small file; `None` where it is absent, unreadable or empty.
pub(crate) fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    open(path).ok()?.take(MAX_TEXT_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let text: String = text.chars().filter(|c| !c.is_control()).take(128).collect();
    (!text.is_empty()).then_some(text)
}

/// The whole number in a small file.
pub(crate) fn number(path: &Path) -> Option<i64> {
    text(path)?.parse().ok()
}

/// True where the file is there but this process may not read it.
pub(crate) fn denied(path: &Path) -> bool {
    access(path, Access::READ_OK) == Err(Errno::ACCESS)
}

#[cfg(test)]
mod tests {
    use super::natural_key;

    #[test]
    fn numbers_in_names_sort_as_numbers() {
        let mut names = vec!["temp10_input", "temp2_input", "in1_input", "temp2_crit"];
        names.sort_by(|a, b| natural_key(a).cmp(&natural_key(b)));
        assert_eq!(names, ["in1_input", "temp2_crit", "temp2_input", "temp10_input"]);
    }
}
