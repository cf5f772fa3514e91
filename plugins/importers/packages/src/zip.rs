//! Zip archives, and such as no honest packer writes.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

/// One entry as it is to stand in the archive; what is wrong with it is wrong on purpose.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub name: &'a [u8],
    pub data: &'a [u8],
    pub deflate: bool,
    pub method: Option<u16>,
    pub flags: u16,
    /// Unix mode, in the high half of the external attributes.
    pub mode: u32,
    /// What the headers say of the inflated size, where they lie.
    pub claimed_bytes: Option<u32>,
}

impl<'a> Entry<'a> {
    #[must_use]
    pub const fn new(name: &'a str, data: &'a [u8]) -> Self {
        Self {
            name: name.as_bytes(),
            data,
            deflate: true,
            method: None,
            flags: 0,
            mode: 0o100_644,
            claimed_bytes: None,
        }
    }

    #[must_use]
    pub const fn stored(name: &'a str, data: &'a [u8]) -> Self {
        Self { deflate: false, ..Self::new(name, data) }
    }
}

#[derive(Debug, Default)]
pub struct Zip {
    body: Vec<u8>,
    directory: Vec<u8>,
    count: u64,
}

impl Zip {
    pub fn file(&mut self, name: &str, data: impl AsRef<[u8]>) {
        self.add(&Entry::new(name, data.as_ref()));
    }

    pub fn add(&mut self, entry: &Entry<'_>) {
        let at = self.body.len();
        let packed = if entry.deflate { deflated(entry.data) } else { entry.data.to_vec() };
        let header = self.header(entry, packed.len());
        self.body.extend_from_slice(b"PK\x03\x04");
        self.body.extend_from_slice(&header);
        self.body.extend_from_slice(&[0, 0]);
        self.body.extend_from_slice(entry.name);
        self.body.extend_from_slice(&packed);
        self.list(entry, &header, at);
    }

    /// A directory record for bytes that stand there already.
    pub fn list_again(&mut self, entry: &Entry<'_>, packed_bytes: usize, at: usize) {
        let header = self.header(entry, packed_bytes);
        self.list(entry, &header, at);
    }

    #[must_use]
    pub const fn length(&self) -> usize {
        self.body.len()
    }

    fn header(&self, entry: &Entry<'_>, packed_bytes: usize) -> Vec<u8> {
        let method = entry.method.unwrap_or(if entry.deflate { 8 } else { 0 });
        let mut crc = Crc::new();
        crc.update(entry.data);
        let bytes = entry.claimed_bytes.unwrap_or_else(|| small(entry.data.len()));
        let mut header = Vec::new();
        header.extend(20_u16.to_le_bytes());
        // Names are UTF-8.
        header.extend((entry.flags | 0x800).to_le_bytes());
        header.extend(method.to_le_bytes());
        // 1 January 1980, so that the same seed gives the same bytes.
        header.extend([0, 0, 0x21, 0]);
        header.extend(crc.sum().to_le_bytes());
        header.extend(small(packed_bytes).to_le_bytes());
        header.extend(bytes.to_le_bytes());
        header.extend(u16::try_from(entry.name.len()).unwrap_or(u16::MAX).to_le_bytes());
        header
    }

    fn list(&mut self, entry: &Entry<'_>, header: &[u8], at: usize) {
        self.directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        self.directory.extend_from_slice(header);
        self.directory.extend_from_slice(&[0; 8]);
        self.directory.extend((entry.mode << 16).to_le_bytes());
        self.directory.extend(small(at).to_le_bytes());
        self.directory.extend_from_slice(entry.name);
        self.count += 1;
    }

    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let at = self.body.len();
        let directory_bytes = self.directory.len();
        self.body.append(&mut self.directory);
        if self.count > 0xffff {
            let end = self.body.len() as u64;
            self.body.extend_from_slice(b"PK\x06\x06");
            self.body.extend(44_u64.to_le_bytes());
            self.body.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [self.count, self.count, directory_bytes as u64, at as u64] {
                self.body.extend(number.to_le_bytes());
            }
            self.body.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            self.body.extend(end.to_le_bytes());
            self.body.extend([1, 0, 0, 0]);
        }
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        self.body.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        self.body.extend(count.to_le_bytes());
        self.body.extend(count.to_le_bytes());
        self.body.extend(small(directory_bytes).to_le_bytes());
        self.body.extend(small(at).to_le_bytes());
        self.body.extend([0, 0]);
        self.body
    }
}

fn small(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[must_use]
pub fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    encoder.write_all(data).and_then(|()| encoder.finish()).unwrap_or_default()
}
