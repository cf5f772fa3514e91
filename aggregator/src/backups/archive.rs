//! The file of a backup: sections one after another, each with its name and length, the last of
//! them a manifest with every section's checksum. The keys are one section, sealed by a key that
//! the passphrase gives; what it is bound to are the checksums of all before it, so that whoever
//! opens it knows that nothing was exchanged.

use argon2::Argon2;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use zeroize::Zeroizing;

const MAGIC: &[u8; 16] = b"flyball backup 1";
const SECRETS: &str = "secrets";
const MANIFEST: &str = "manifest.json";
const SALT: usize = 16;
const NONCE: usize = 12;
const MAX_NAME: usize = 4_096;
const MAX_SECTIONS: usize = 10_000_000;
const MAX_SMALL: u64 = 2 * 1024 * 1024 * 1024;
const CHUNK: usize = 256 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{operation} {path}")]
    File {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{0} is not there")]
    Missing(PathBuf),
    #[error("{0} is no backup of this version")]
    Foreign(PathBuf),
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    #[error("the passphrase is wrong, or the backup was changed")]
    Passphrase,
    #[error("the system has no randomness")]
    Random(#[from] getrandom::Error),
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub version: String,
    pub taken_at: String,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

pub(super) type Secrets = Vec<(String, Zeroizing<Vec<u8>>)>;

/// Writes sections; counts and sums up all that it writes.
pub(super) struct Writer {
    path: PathBuf,
    out: BufWriter<File>,
    whole: Sha256,
    written: u64,
    sections: Vec<Section>,
}

impl Writer {
    pub(super) fn create(path: &Path) -> Result<Self, ArchiveError> {
        let mut options = OpenOptions::new();
        let out = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let out = out.map_err(|source| fault("creating", path, source))?;
        let mut writer = Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(CHUNK, out),
            whole: Sha256::new(),
            written: 0,
            sections: Vec::new(),
        };
        writer.put(MAGIC)?;
        Ok(writer)
    }

    pub(super) fn add_file(&mut self, name: &str, from: &Path) -> Result<(), ArchiveError> {
        let opened = File::open(from).map_err(|source| match source.kind() {
            ErrorKind::NotFound => ArchiveError::Missing(from.to_owned()),
            _ => fault("opening", from, source),
        });
        let mut file = opened?;
        let about = file.metadata().map_err(|source| fault("looking at", from, source))?;
        let bytes = about.len();
        self.head(name, bytes)?;
        let (mut digest, mut left, mut chunk) = (Sha256::new(), bytes, vec![0; CHUNK]);
        while left > 0 {
            let most = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
            let read = file.read(&mut chunk[..most]);
            let read = read.map_err(|source| fault("reading", from, source))?;
            if read == 0 {
                return Err(ArchiveError::Damaged(format!("{} has shrunk", from.display())));
            }
            digest.update(&chunk[..read]);
            self.put(&chunk[..read])?;
            left -= read as u64;
        }
        self.sections.push(Section { name: name.into(), bytes, sha256: hex(&digest.finalize()) });
        Ok(())
    }

    pub(super) fn add_secrets(
        &mut self,
        secrets: &[(String, Zeroizing<Vec<u8>>)],
        passphrase: &str,
    ) -> Result<(), ArchiveError> {
        let map: BTreeMap<&str, &[u8]> =
            secrets.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let damaged = |_| ArchiveError::Damaged("the keys can't be encoded".into());
        let mut sealed = postcard::to_stdvec(&map).map_err(damaged)?;
        let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
        getrandom::fill(&mut salt)?;
        getrandom::fill(&mut nonce)?;
        let bound = binding(&self.sections);
        key(passphrase, &salt)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound.as_slice()),
                &mut sealed,
            )
            .map_err(|_| ArchiveError::Passphrase)?;
        let body = [salt.as_slice(), &nonce, &sealed].concat();
        self.add_bytes(SECRETS, &body)
    }

    fn add_bytes(&mut self, name: &str, body: &[u8]) -> Result<(), ArchiveError> {
        let bytes = body.len() as u64;
        self.head(name, bytes)?;
        self.put(body)?;
        let sha256 = hex(&Sha256::digest(body));
        self.sections.push(Section { name: name.into(), bytes, sha256 });
        Ok(())
    }

    /// The file's length and checksum, and its manifest; it is durable when this comes back.
    pub(super) fn finish(
        mut self,
        taken_at: &str,
    ) -> Result<(u64, String, Manifest), ArchiveError> {
        let manifest = Manifest {
            version: env!("CARGO_PKG_VERSION").into(),
            taken_at: taken_at.into(),
            sections: self.sections.clone(),
        };
        let body = serde_json::to_vec(&manifest)
            .map_err(|_| ArchiveError::Damaged("the manifest can't be encoded".into()))?;
        self.add_bytes(MANIFEST, &body)?;
        let path = self.path.clone();
        let failed = |source| fault("writing", &path, source);
        self.out.flush().map_err(failed)?;
        self.out.get_ref().sync_all().map_err(failed)?;
        Ok((self.written, hex(&self.whole.finalize()), manifest))
    }

    fn head(&mut self, name: &str, bytes: u64) -> Result<(), ArchiveError> {
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        self.put(&length.to_be_bytes())?;
        self.put(name.as_bytes())?;
        self.put(&bytes.to_be_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.whole.update(bytes);
        self.written += bytes.len() as u64;
        let path = &self.path;
        self.out.write_all(bytes).map_err(|source| fault("writing", path, source))
    }
}

/// Reads a whole backup once, and hands on the bytes of each section as they come.
pub(super) fn read(
    path: &Path,
    passphrase: &str,
    mut each: impl FnMut(&str, &[u8], bool) -> Result<(), ArchiveError>,
) -> Result<(Manifest, Secrets), ArchiveError> {
    let file = File::open(path).map_err(|source| fault("opening", path, source))?;
    let mut file = BufReader::with_capacity(CHUNK, file);
    let mut magic = [0; MAGIC.len()];
    let foreign = || ArchiveError::Foreign(path.to_owned());
    file.read_exact(&mut magic).map_err(|_| foreign())?;
    if magic != *MAGIC {
        return Err(foreign());
    }
    let (mut sections, mut secrets) = (Vec::new(), None);
    for _ in 0..MAX_SECTIONS {
        let (name, bytes) = head(&mut file)?;
        let digest = if name == SECRETS || name == MANIFEST {
            let body = whole(&mut file, bytes)?;
            if name == MANIFEST {
                return Ok((checked(&body, &sections)?, secrets.ok_or_else(no_keys)?));
            }
            secrets = Some(opened(&body, &sections, passphrase)?);
            Sha256::digest(&body)
        } else {
            pass(&mut file, &name, bytes, &mut each)?
        };
        sections.push(Section { name, bytes, sha256: hex(&digest) });
    }
    Err(ArchiveError::Damaged("it has too many sections".into()))
}

fn head(file: &mut impl Read) -> Result<(String, u64), ArchiveError> {
    let (mut length, mut bytes) = ([0; 4], [0; 8]);
    file.read_exact(&mut length).map_err(cut)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_NAME {
        return Err(ArchiveError::Damaged("a name is too long".into()));
    }
    let mut name = vec![0; length];
    file.read_exact(&mut name).map_err(cut)?;
    file.read_exact(&mut bytes).map_err(cut)?;
    let name = String::from_utf8(name)
        .map_err(|_| ArchiveError::Damaged("a name can't be read".into()))?;
    // What could leave the folder that it is unpacked into.
    let path = Path::new(&name);
    if name.is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(ArchiveError::Damaged(format!("`{name}` is no name of a section")));
    }
    Ok((name, u64::from_be_bytes(bytes)))
}

fn whole(file: &mut impl Read, bytes: u64) -> Result<Vec<u8>, ArchiveError> {
    if bytes > MAX_SMALL {
        return Err(ArchiveError::Damaged("a small section is large".into()));
    }
    let mut body = Vec::new();
    file.take(bytes).read_to_end(&mut body).map_err(cut)?;
    if body.len() as u64 == bytes { Ok(body) } else { Err(cut(ErrorKind::UnexpectedEof.into())) }
}

fn pass(
    file: &mut impl Read,
    name: &str,
    bytes: u64,
    each: &mut impl FnMut(&str, &[u8], bool) -> Result<(), ArchiveError>,
) -> Result<sha2::digest::Output<Sha256>, ArchiveError> {
    let (mut digest, mut left, mut chunk) = (Sha256::new(), bytes, vec![0; CHUNK]);
    each(name, &[], false)?;
    while left > 0 {
        let most = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
        file.read_exact(&mut chunk[..most]).map_err(cut)?;
        digest.update(&chunk[..most]);
        each(name, &chunk[..most], false)?;
        left -= most as u64;
    }
    each(name, &[], true)?;
    Ok(digest.finalize())
}

fn opened(body: &[u8], before: &[Section], passphrase: &str) -> Result<Secrets, ArchiveError> {
    let (salt, rest) = body.split_first_chunk::<SALT>().ok_or(ArchiveError::Passphrase)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(ArchiveError::Passphrase)?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let bound = binding(before);
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = key(passphrase, salt)?
        .open_in_place(nonce, Aad::from(bound.as_slice()), &mut sealed)
        .map_err(|_| ArchiveError::Passphrase)?;
    let map: BTreeMap<String, Vec<u8>> = postcard::from_bytes(plain)
        .map_err(|_| ArchiveError::Damaged("the keys can't be read".into()))?;
    Ok(map.into_iter().map(|(name, bytes)| (name, Zeroizing::new(bytes))).collect())
}

fn checked(body: &[u8], sections: &[Section]) -> Result<Manifest, ArchiveError> {
    let manifest: Manifest = serde_json::from_slice(body)
        .map_err(|_| ArchiveError::Damaged("the manifest can't be read".into()))?;
    match manifest.sections.iter().zip(sections).find(|(said, is)| said != is) {
        Some((said, _)) => {
            Err(ArchiveError::Damaged(format!("{} is not what was written", said.name)))
        }
        None if manifest.sections.len() != sections.len() => {
            Err(ArchiveError::Damaged("sections are missing".into()))
        }
        None => Ok(manifest),
    }
}

/// What the keys are bound to.
fn binding(sections: &[Section]) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(MAGIC);
    for Section { name, bytes, sha256 } in sections {
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
        digest.update(bytes.to_be_bytes());
        digest.update(sha256);
    }
    digest.finalize().into()
}

fn key(passphrase: &str, salt: &[u8; SALT]) -> Result<LessSafeKey, ArchiveError> {
    let mut key = Zeroizing::new([0; 32]);
    Argon2::default()
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| ArchiveError::Passphrase)?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice());
    key.map(LessSafeKey::new).map_err(|_| ArchiveError::Passphrase)
}

pub(super) fn fault(operation: &'static str, path: &Path, source: std::io::Error) -> ArchiveError {
    ArchiveError::File { operation, path: path.to_owned(), source }
}

fn cut(_: std::io::Error) -> ArchiveError {
    ArchiveError::Damaged("it ends too early".into())
}

fn no_keys() -> ArchiveError {
    ArchiveError::Damaged("it holds no keys".into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
