//! One course package: an archive, or the folder that it was unpacked to.

use crate::archive::{Archive, MAX_ENTRIES, MAX_ENTRY_BYTES};
use crate::fault::{Fault, Hostility};
use crate::files::Files;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where a package lies among the files of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's stem or the folder's name; the whole path where two would be called the same.
    pub id: String,
    pub kind: PlaceKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    File {
        path: String,
        size: u64,
    },
    /// With its closing `/`, or empty.
    Folder(String),
}

/// Files at the top without a folder are a course of this name.
const ROOT: &str = "course";
/// Packages of one folder.
const MAX_PACKAGES: usize = 2_000;

/// The packages among the files: those with one of the endings, and the folders of the marker.
#[must_use]
pub fn places(files: &[(String, u64)], endings: &[&str], marker: &str) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    let mut add = |id: String, long: &str, kind: PlaceKind| {
        let taken = found.iter().any(|place| place.id == id);
        let id = if taken { long.to_owned() } else { id };
        if found.len() < MAX_PACKAGES {
            found.push(Place { id, kind });
        }
    };
    let mut sorted: Vec<&(String, u64)> = files.iter().collect();
    sorted.sort();
    let folders: Vec<&str> = sorted
        .iter()
        .filter_map(|(path, _)| path.strip_suffix(marker))
        .filter(|folder| folder.is_empty() || folder.ends_with('/'))
        .collect();
    for (path, size) in sorted {
        let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
        // What lies in an unpacked package belongs to it.
        let is_part = folders.iter().any(|folder| !folder.is_empty() && path.starts_with(folder));
        if !is_part && ending.is_some_and(|ending| endings.contains(&ending.as_str())) {
            let kind = PlaceKind::File { path: path.clone(), size: *size };
            add(stem(path).to_owned(), path, kind);
        }
    }
    for (index, folder) in folders.iter().enumerate() {
        let is_inner = folders[..index].iter().any(|outer| folder.starts_with(outer));
        if !is_inner {
            let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let id = if name.is_empty() { ROOT } else { name };
            add(id.to_owned(), folder, PlaceKind::Folder((*folder).to_owned()));
        }
    }
    found
}

/// The place of that id. Where the files hold only one package it is meant, whatever the caller
/// calls it.
#[must_use]
pub fn find(mut known: Vec<Place>, id: &str) -> Option<Place> {
    match known.iter().position(|place| place.id == id) {
        Some(index) => Some(known.swap_remove(index)),
        None if known.len() == 1 => known.pop(),
        None => None,
    }
}

#[derive(Debug)]
pub struct Package {
    id: String,
    inside: Inside,
    /// The folder within the archive that everything lies in; empty as a rule.
    base: String,
}

#[derive(Debug)]
enum Inside {
    Archive(Archive),
    Folder { files: Rc<dyn Files>, prefix: String, sizes: BTreeMap<String, u64> },
}

impl Package {
    /// # Errors
    /// Where it is no package, or a hostile one.
    pub fn open(files: &Rc<dyn Files>, place: &Place, marker: &str) -> Result<Self, Fault> {
        let inside = match &place.kind {
            PlaceKind::File { path, size } => {
                Inside::Archive(Archive::open(Rc::clone(files), path, *size)?)
            }
            PlaceKind::Folder(prefix) => {
                let own = |(path, size): (String, u64)| {
                    path.strip_prefix(prefix.as_str()).map(|name| (name.to_owned(), size))
                };
                let sizes: BTreeMap<String, u64> =
                    files.list().into_iter().filter_map(own).collect();
                let found = sizes.len() as u64;
                if found > MAX_ENTRIES {
                    let why = Hostility::Entries { found, max: MAX_ENTRIES };
                    return Err(Fault::Hostile { entry: place.id.clone(), why });
                }
                Inside::Folder { files: Rc::clone(files), prefix: prefix.clone(), sizes }
            }
        };
        let mut package = Self { id: place.id.clone(), inside, base: String::new() };
        let bases = package.names().filter_map(|name| name.strip_suffix(marker));
        let base = bases
            .filter(|base| base.is_empty() || base.ends_with('/'))
            .min_by_key(|base| base.len())
            .unwrap_or_default()
            .to_owned();
        package.base = base;
        Ok(package)
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Every file, by its path in the package.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names: Box<dyn Iterator<Item = &str>> = match &self.inside {
            Inside::Archive(archive) => Box::new(archive.names()),
            Inside::Folder { sizes, .. } => Box::new(sizes.keys().map(String::as_str)),
        };
        names.filter_map(|name| name.strip_prefix(self.base.as_str()))
    }

    #[must_use]
    pub fn size(&self, name: &str) -> Option<u64> {
        let full = format!("{}{name}", self.base);
        match &self.inside {
            Inside::Archive(archive) => archive.size(&full),
            Inside::Folder { sizes, .. } => sizes.get(&full).copied(),
        }
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.size(name).is_some()
    }

    /// # Errors
    /// Where it is not there, larger than allowed, or damaged.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let full = format!("{}{name}", self.base);
        match &self.inside {
            Inside::Archive(archive) => archive.read(&full),
            Inside::Folder { files, prefix, sizes } => {
                let size =
                    sizes.get(&full).ok_or_else(|| Fault::Missing { entry: full.clone() })?;
                if *size > MAX_ENTRY_BYTES {
                    let why = Hostility::EntryBytes { max: MAX_ENTRY_BYTES };
                    return Err(Fault::Hostile { entry: full, why });
                }
                whole(files.as_ref(), &format!("{prefix}{full}"))
            }
        }
    }

    /// A file as text: UTF-8, or UTF-16 with its mark; what is neither is replaced.
    ///
    /// # Errors
    /// As [`Package::read`].
    pub fn text(&self, name: &str) -> Result<String, Fault> {
        self.read(name).map(|bytes| crate::text::decoded(&bytes))
    }
}

/// A file read piece by piece, within the bound of an entry.
fn whole(files: &dyn Files, path: &str) -> Result<Vec<u8>, Fault> {
    const CHUNK_BYTES: u32 = 1024 * 1024;
    let mut bytes = Vec::new();
    loop {
        let chunk = files.read(path, bytes.len() as u64, CHUNK_BYTES)?;
        if chunk.is_empty() {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > MAX_ENTRY_BYTES {
            let why = Hostility::EntryBytes { max: MAX_ENTRY_BYTES };
            return Err(Fault::Hostile { entry: path.to_owned(), why });
        }
    }
}

/// The name of a file without its folder and its ending.
#[must_use]
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// What a reference in the file `from` means: a path in the package, without query and
/// fragment. `None` where it leads out of the package or to the net.
#[must_use]
pub fn resolved(from: &str, reference: &str) -> Option<String> {
    let reference = reference.trim();
    let path = reference.split(['#', '?']).next().unwrap_or_default();
    if path.is_empty() || path.contains(':') || path.starts_with("//") {
        return None;
    }
    let path = crate::text::percent_decoded(path);
    let mut parts: Vec<&str> = match path.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    crate::archive::is_inside(&joined).then_some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(paths: &[&str]) -> Vec<String> {
        let files: Vec<(String, u64)> = paths.iter().map(|path| ((*path).to_owned(), 1)).collect();
        places(&files, &["zip"], "m.xml").into_iter().map(|place| place.id).collect()
    }

    #[test]
    fn archives_and_unpacked_folders_are_packages_and_what_lies_in_them_is_not() {
        let paths = ["a.zip", "b/m.xml", "b/inner.zip", "b/sub/m.xml", "c.ZIP", "d.txt"];
        assert_eq!(ids(&paths), ["a", "c", "b"]);
        assert_eq!(ids(&["m.xml", "x.html"]), ["course"]);
        assert_eq!(ids(&["x/a.zip", "y/a.zip"]), ["a", "y/a.zip"]);
    }

    #[test]
    fn an_only_package_is_found_under_any_name() {
        let one = places(&[("a.zip".to_owned(), 1)], &["zip"], "m.xml");
        assert_eq!(find(one.clone(), "whatever"), one.first().cloned());
    }

    #[test]
    fn a_reference_is_resolved_within_the_package_only() {
        for (from, reference, meant) in [
            ("pages/a/index.html", "../../s/x%20y.pdf#p2", Some("s/x y.pdf")),
            ("index.html", "./pages/b.html?x", Some("pages/b.html")),
            ("a/b.html", "/c.html", Some("c.html")),
            ("a/b.html", "../../etc/passwd", None),
            ("a/b.html", "https://example.org/x", None),
            ("a/b.html", "//example.org/x", None),
            ("a/b.html", "#only", None),
        ] {
            assert_eq!(resolved(from, reference).as_deref(), meant, "{reference}");
        }
    }
}
