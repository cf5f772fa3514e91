//! `sign` and `verify`, in minisign's format: `minisign -Vm` accepts what `sign` writes.
//!
//! The trusted comment names id, version and SHA-256, so that a signature can't be carried over
//! to another plugin or another version of it.

use crate::anatomy::Anatomy;
use crate::key::{Password, small_text};
use crate::{project, say};
use anyhow::{Context as _, Result, ensure};
use minisign::SignatureBox;
use minisign_verify::{PublicKey, Signature};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct SignOptions {
    /// The packed plugin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The secret key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    password: Password,
}

#[derive(clap::Args)]
pub(crate) struct VerifyOptions {
    /// The packed plugin; its signature lies beside it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The public key: a file, or the key itself
    #[arg(long, value_name = "KEY")]
    public: String,
}

pub(crate) fn sign(options: &SignOptions) -> Result<()> {
    let file = &options.file;
    let bytes = project::read(file)?;
    Anatomy::of(&bytes)?;
    let it = named(file, &project::sha256(&bytes))?;
    let key = options.password.open(&options.key)?;
    let trusted = format!("id={} version={} sha256={}", it.id, it.version, it.sha256);
    let public =
        minisign::PublicKey::from_secret_key(&key).context("the key has no public half")?;
    let signed = minisign::sign(
        Some(&public),
        &key,
        bytes.as_slice(),
        Some(&trusted),
        Some("signature of a Flyball plugin"),
    );
    let signature = signature_file(file);
    project::write(&signature, &signed.context("it can't be signed")?.to_bytes())?;
    println!("{}: {trusted}", signature.display());
    Ok(())
}

/// What `pack` wrote beside the component.
#[derive(Deserialize)]
struct Packed {
    id: String,
    version: String,
    sha256: String,
}

fn named(file: &Path, sha256: &str) -> Result<Packed> {
    let beside = file.with_extension("json");
    let text = std::fs::read_to_string(&beside).with_context(|| {
        format!("{} can't be read; `flyball plugin pack` writes it", beside.display())
    })?;
    let packed: Packed = serde_json::from_str(&text)
        .with_context(|| format!("{} is not what `pack` writes", beside.display()))?;
    ensure!(
        packed.sha256 == sha256,
        "{} is of another component than {}; pack it again",
        beside.display(),
        file.display()
    );
    Ok(packed)
}

pub(crate) fn verify(options: &VerifyOptions) -> Result<()> {
    let file = &options.file;
    let bytes = project::read(file)?;
    let signature_file = signature_file(file);
    let signature = Signature::decode(&small_text(&signature_file)?)
        .with_context(|| format!("{} is no signature", signature_file.display()))?;
    public_key(&options.public)?
        .verify(&bytes, &signature, false)
        .with_context(|| format!("{} is not signed with this key", file.display()))?;
    let trusted = signature.trusted_comment();
    let named = trusted.split(' ').find_map(|word| word.strip_prefix("sha256="));
    ensure!(
        named == Some(project::sha256(&bytes).as_str()),
        "the signature is good, but names another plugin: {trusted}"
    );
    println!("{}: signed, {}", file.display(), say::plain(trusted));
    Ok(())
}

fn public_key(given: &str) -> Result<PublicKey> {
    let file = Path::new(given);
    if file.exists() {
        return PublicKey::decode(&small_text(file)?)
            .with_context(|| format!("{given} is no public key"));
    }
    PublicKey::from_base64(given)
        .with_context(|| format!("{given:?} is neither a file nor a public key"))
}

/// `plugin.wasm.minisig`
fn signature_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

/// A signature that lies beside a component, unchecked.
#[derive(Debug, Serialize)]
pub(crate) struct Beside {
    pub(crate) file: String,
    pub(crate) key_id: String,
    pub(crate) trusted_comment: String,
}

pub(crate) fn beside(file: &Path) -> Result<Option<Beside>> {
    let file = signature_file(file);
    if !file.exists() {
        return Ok(None);
    }
    let wrong = || format!("{} is no signature", file.display());
    let signature = SignatureBox::from_string(&small_text(&file)?).with_context(wrong)?;
    let id: String = signature.keynum().iter().rev().map(|byte| format!("{byte:02X}")).collect();
    let trusted_comment = signature.trusted_comment().with_context(wrong)?;
    Ok(Some(Beside { file: file.display().to_string(), key_id: id, trusted_comment }))
}
