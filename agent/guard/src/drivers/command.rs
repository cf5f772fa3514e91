//! `flyball-guard credential`: what a person at the machine does with credentials.

use super::credentials::{MAX_SECRET_BYTES, Vault};
use crate::args::{CredentialArgs, CredentialDeed};
use anyhow::{Context, Result, bail};
use flyball_driver_messages::Secret;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Does what was asked on the command line. The secret comes over standard input.
///
/// # Errors
/// Where it can't be done.
pub(crate) fn credential(args: &CredentialArgs) -> Result<()> {
    let brought = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let vault = Vault::new(&args.state, brought.as_deref());
    match &args.deed {
        CredentialDeed::Set { name, user } => {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&args.state)
                .with_context(|| format!("the folder {} can't be made", args.state.display()))?;
            vault.set(name, user, secret(std::io::stdin())?)?;
            println!("{name} is set");
        }
        CredentialDeed::List => {
            for name in vault.names()? {
                match vault.open(&name) {
                    Ok(_) => println!("{name}"),
                    Err(error) => println!("{name}: {error}"),
                }
            }
        }
        CredentialDeed::Remove { name } => {
            if !vault.remove(name)? {
                bail!("there is no credential `{name}`");
            }
            println!("{name} is removed");
        }
    }
    Ok(())
}

/// The secret of an input: all of it, without the end of the line.
fn secret(input: impl Read) -> Result<Secret> {
    let mut text = Zeroizing::new(String::new());
    let most = MAX_SECRET_BYTES as u64 + 2;
    input.take(most).read_to_string(&mut text).context("the secret can't be read as text")?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_line_is_no_part_of_a_secret() {
        assert_eq!(secret(" with spaces \r\n".as_bytes()).unwrap().expose(), " with spaces ");
        assert!(secret([0xff, 0xfe].as_slice()).is_err());
    }
}
