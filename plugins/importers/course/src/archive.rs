//! A zip archive that may be hostile, read piece by piece.
//!
//! The central directory is looked through first, and everything that it shows is refused
//! there, before a byte is inflated: too many entries, paths that lead out, links, passwords,
//! ratios, overlaps. The rest is checked while an entry inflates. An archive within an archive
//! is a file like any other and never opened.

use crate::fault::{Fault, Hostility};
use crate::files::Files;
use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::rc::Rc;

/// The largest course that was seen has a tenth of it.
pub const MAX_ENTRIES: u64 = 20_000;
pub const MAX_DIRECTORY_BYTES: u64 = 8 * 1024 * 1024;
pub const MAX_NAME_BYTES: usize = 512;
/// An entry that is read; a quarter of a plugin's memory. A longer one may lie there unread.
pub const MAX_ENTRY_BYTES: u64 = 16 * 1024 * 1024;
/// Everything that one import inflates.
pub const MAX_TOTAL_BYTES: u64 = 1024 * 1024 * 1024;
/// Text rarely shrinks to a twentieth, and deflate ends near a thousandth.
pub const MAX_RATIO: u64 = 200;
/// Below it a ratio harms nobody.
const RATIO_FROM_BYTES: u64 = 1024 * 1024;
/// One read of the host.
const READ_BYTES: usize = 1024 * 1024;

/// A file of the import as the archive reader wants it.
#[derive(Debug)]
struct Span {
    files: Rc<dyn Files>,
    path: String,
}

impl rawzip::ReaderAt for Span {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let length = u32::try_from(buffer.len().min(READ_BYTES)).unwrap_or(u32::MAX);
        let bytes = self.files.read(&self.path, offset, length).map_err(io::Error::other)?;
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }
}

#[derive(Debug)]
struct Entry {
    place: ZipArchiveEntryWayfinder,
    is_deflated: bool,
    packed_bytes: u64,
    bytes: u64,
}

#[derive(Debug)]
pub struct Archive {
    path: String,
    max_total_bytes: u64,
    zip: ZipArchive<Span>,
    entries: BTreeMap<String, Entry>,
    /// What has been inflated so far.
    inflated_bytes: Cell<u64>,
}

impl Archive {
    /// Looks through the directory of the archive at `path`.
    ///
    /// # Errors
    /// Where it is none, or where its directory shows that it is hostile.
    pub fn open(files: Rc<dyn Files>, path: &str, size: u64) -> Result<Self, Fault> {
        let no_archive = |message: String| Fault::NotAnArchive { package: path.into(), message };
        let span = Span { files, path: path.to_owned() };
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let zip = ZipLocator::new()
            .locate_in_reader(span, &mut buffer, size)
            .map_err(|(_, error)| no_archive(error.to_string()))?;
        let whole = |why| Fault::Hostile { entry: path.to_owned(), why };
        let claimed = zip.entries_hint();
        if claimed > MAX_ENTRIES {
            return Err(whole(Hostility::Entries { found: claimed, max: MAX_ENTRIES }));
        }
        let directory_bytes = zip.eocd_offset().saturating_sub(zip.directory_offset());
        if directory_bytes > MAX_DIRECTORY_BYTES {
            let why = Hostility::Directory { bytes: directory_bytes, max: MAX_DIRECTORY_BYTES };
            return Err(whole(why));
        }
        let mut entries = BTreeMap::new();
        let mut spans = Vec::new();
        let mut found = 0;
        let mut listed = zip.entries(&mut buffer);
        while let Some(record) =
            listed.next_entry().map_err(|error| no_archive(error.to_string()))?
        {
            found += 1;
            if found > MAX_ENTRIES {
                return Err(whole(Hostility::Entries { found, max: MAX_ENTRIES }));
            }
            let raw = record.file_path();
            let name = entry_name(path, raw.as_bytes())?;
            let hostile = |why| Fault::Hostile { entry: format!("{path}: {name}"), why };
            if record.mode().is_symlink() {
                return Err(hostile(Hostility::Link));
            }
            if record.is_dir() {
                continue;
            }
            if record.flags().is_encrypted() {
                return Err(hostile(Hostility::Encrypted));
            }
            let is_deflated = match record.compression_method() {
                CompressionMethod::STORE => false,
                CompressionMethod::DEFLATE => true,
                other => return Err(hostile(Hostility::Method(other.as_u16()))),
            };
            let (packed_bytes, bytes) =
                (record.compressed_size_hint(), record.uncompressed_size_hint());
            if bytes > RATIO_FROM_BYTES && bytes / MAX_RATIO > packed_bytes {
                return Err(hostile(Hostility::Ratio { max: MAX_RATIO }));
            }
            spans.push((record.local_header_offset(), packed_bytes, name.clone()));
            let entry = Entry { place: record.wayfinder(), is_deflated, packed_bytes, bytes };
            if entries.insert(name.clone(), entry).is_some() {
                return Err(hostile(Hostility::Twice));
            }
        }
        spans.sort_unstable();
        for pair in spans.windows(2) {
            if let [(at, bytes, _), (next, _, name)] = pair
                && at.saturating_add(*bytes) > *next
            {
                let entry = format!("{path}: {name}");
                return Err(Fault::Hostile { entry, why: Hostility::Overlap });
            }
        }
        let path = path.to_owned();
        let inflated_bytes = Cell::new(0);
        Ok(Self { path, max_total_bytes: MAX_TOTAL_BYTES, zip, entries, inflated_bytes })
    }

    #[cfg(test)]
    const fn with_total(mut self, max_total_bytes: u64) -> Self {
        self.max_total_bytes = max_total_bytes;
        self
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// What the directory says that it inflates to.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<u64> {
        self.entries.get(name).map(|entry| entry.bytes)
    }

    /// One entry, inflated and checked.
    ///
    /// # Errors
    /// Where it is not there, larger than allowed, or damaged.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let full = || format!("{}: {name}", self.path);
        let entry = self.entries.get(name).ok_or_else(|| Fault::Missing { entry: full() })?;
        let hostile = |why| Fault::Hostile { entry: full(), why };
        let damaged = |message: String| Fault::Damaged { entry: full(), message };
        if entry.bytes > MAX_ENTRY_BYTES {
            return Err(hostile(Hostility::EntryBytes { max: MAX_ENTRY_BYTES }));
        }
        let total = self.inflated_bytes.get().saturating_add(entry.bytes);
        if total > self.max_total_bytes {
            return Err(hostile(Hostility::TotalBytes { max: self.max_total_bytes }));
        }
        let packed = self.zip.get_entry(entry.place).map_err(|error| damaged(error.to_string()))?;
        let mut bytes = Vec::with_capacity(usize::try_from(entry.bytes).unwrap_or(0));
        // One byte more than the directory says shows that it lies.
        let limit = entry.bytes.saturating_add(1);
        let read = if entry.is_deflated {
            let inflater = DeflateDecoder::new(packed.reader());
            packed.verifying_reader(inflater).take(limit).read_to_end(&mut bytes)
        } else {
            packed.verifying_reader(packed.reader()).take(limit).read_to_end(&mut bytes)
        };
        self.inflated_bytes.set(self.inflated_bytes.get().saturating_add(bytes.len() as u64));
        read.map_err(|error| damaged(error.to_string()))?;
        let length = bytes.len() as u64;
        if length > RATIO_FROM_BYTES && length / MAX_RATIO > entry.packed_bytes {
            return Err(hostile(Hostility::Ratio { max: MAX_RATIO }));
        }
        if length != entry.bytes {
            let directory = entry.bytes;
            return Err(damaged(format!("the directory says {directory} bytes, it has others")));
        }
        Ok(bytes)
    }
}

/// The name as a path within the package; what leads elsewhere is refused.
fn entry_name(package: &str, raw: &[u8]) -> Result<String, Fault> {
    if raw.len() > MAX_NAME_BYTES {
        let start: String =
            String::from_utf8_lossy(&raw[..MAX_NAME_BYTES]).chars().take(40).collect();
        let why = Hostility::Name { max: MAX_NAME_BYTES };
        return Err(Fault::Hostile { entry: format!("{package}: {start}…"), why });
    }
    let name = String::from_utf8_lossy(raw).replace('\\', "/");
    if is_inside(&name) {
        Ok(name)
    } else {
        let entry = format!("{package}: {}", name.escape_default());
        Err(Fault::Hostile { entry, why: Hostility::Path })
    }
}

/// A relative path that stays where it is put.
#[must_use]
pub fn is_inside(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':');
    !path.is_empty()
        && !path.starts_with('/')
        && !drive
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| part != "..")
}

#[cfg(test)]
mod tests;
