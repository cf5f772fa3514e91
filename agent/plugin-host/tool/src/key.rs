//! `keygen`: a key pair in minisign's format, and how a secret key is read again.

use anyhow::{Context as _, Result, bail, ensure};
use minisign::{KeyPair, SecretKey, SecretKeyBox};
use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A key file has about 200 bytes, a password less than that.
const SMALL_FILE_BYTES: u64 = 4096;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Writes NAME.key and NAME.pub
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    password: Password,
}

/// Where the password of a secret key comes from; it is asked for where neither is given.
#[derive(clap::Args)]
pub(crate) struct Password {
    /// The first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "no_password")]
    password_file: Option<PathBuf>,
    /// The key lies unencrypted
    #[arg(long)]
    no_password: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let secret_file = PathBuf::from(format!("{}.key", options.name));
    let public_file = PathBuf::from(format!("{}.pub", options.name));
    for file in [&secret_file, &public_file] {
        ensure!(!file.exists(), "{} exists already; it is not replaced", file.display());
    }
    let pair = match options.password.read()? {
        Given::None => KeyPair::generate_unencrypted_keypair(),
        Given::Password(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        Given::Ask => KeyPair::generate_encrypted_keypair(None),
    };
    let pair = pair.context("no key pair can be made")?;
    let comment = format!("minisign secret key of {}", options.name);
    let secret = pair.sk.to_box(Some(&comment)).context("the secret key can't be written")?;
    let public = pair.pk.to_box().context("the public key can't be written")?;
    write_new(&secret_file, 0o600, &secret.into_string())?;
    write_new(&public_file, 0o644, &public.into_string())?;
    println!("{}: keep it, and show it to nobody", secret_file.display());
    println!("{}: hand it to those who are to trust your plugins", public_file.display());
    println!("{}", pair.pk.to_base64());
    Ok(())
}

fn write_new(file: &Path, mode: u32, text: &str) -> Result<()> {
    let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .with_context(|| format!("{} can't be written", file.display()))
}

enum Given {
    None,
    Password(String),
    Ask,
}

impl Password {
    fn read(&self) -> Result<Given> {
        let Some(file) = &self.password_file else {
            return Ok(if self.no_password { Given::None } else { Given::Ask });
        };
        let text = small_text(file)?;
        match text.lines().next() {
            Some(password) if !password.is_empty() => Ok(Given::Password(password.to_owned())),
            _ => bail!("{} is empty; the password is its first line", file.display()),
        }
    }

    /// The secret key in `file`, open.
    pub(crate) fn open(&self, file: &Path) -> Result<SecretKey> {
        let secret = SecretKeyBox::from_string(&small_text(file)?)
            .with_context(|| format!("{} is no secret key", file.display()))?;
        let opened = match self.read()? {
            Given::None => secret.into_unencrypted_secret_key(),
            Given::Password(password) => secret.into_secret_key(Some(password)),
            Given::Ask => match SecretKeyBox::from_string(&small_text(file)?) {
                // Who has no password is not asked for one.
                Ok(plain) => {
                    plain.into_unencrypted_secret_key().or_else(|_| secret.into_secret_key(None))
                }
                Err(error) => Err(error),
            },
        };
        opened.with_context(|| {
            let hint = if std::io::stdin().is_terminal() {
                ""
            } else {
                "; without a terminal its password comes by --password-file"
            };
            format!("{} can't be opened{hint}", file.display())
        })
    }
}

pub(crate) fn small_text(file: &Path) -> Result<String> {
    let read = || -> std::io::Result<String> {
        if file.metadata()?.len() > SMALL_FILE_BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        std::fs::read_to_string(file)
    };
    read().with_context(|| format!("{} can't be read", file.display()))
}
