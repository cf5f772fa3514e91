//! A component as it was given: what it is by its first bytes, whose signature it carries.
//!
//! Nothing of it runs here, and nothing is compiled: machines do that, in their sandboxes.

use minisign_verify::{PublicKey, Signature};
use sha2::{Digest as _, Sha256};

/// What one frame to a machine holds, with room around it.
pub const MAX_COMPONENT_BYTES: usize = 40 * 1024 * 1024;

const WASM: [u8; 4] = *b"\0asm";
/// The layer of a component; 0 is a core module's.
const COMPONENT: [u8; 2] = [1, 0];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    #[error("the file is not WebAssembly: it begins with {0}")]
    NotWasm(String),
    #[error(
        "the file is a core module, not a component: build it with `flyball plugin build`, or make \
         it a component with `wasm-tools component new`"
    )]
    CoreModule,
}

/// SHA-256 of a component's bytes, hexadecimal.
///
/// # Errors
/// Where they are none, by their first bytes.
pub fn identify(bytes: &[u8]) -> Result<String, ComponentError> {
    if !bytes.starts_with(&WASM) {
        let beginning = match bytes {
            [] => "nothing, it is empty".to_owned(),
            _ => bytes[..bytes.len().min(8)].escape_ascii().to_string(),
        };
        return Err(ComponentError::NotWasm(beginning));
    }
    if bytes.get(6..8) != Some(&COMPONENT[..]) {
        return Err(ComponentError::CoreModule);
    }
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Somebody whose components are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// As minisign prints it: sixteen hexadecimal digits.
    pub key_id: String,
    pub name: String,
    /// The second line of a `minisign.pub`.
    pub public_key: String,
    pub added_by: String,
    pub added_at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the key is no public key of minisign: give the second line of the .pub file")]
    Key,
    #[error("the signature is none of minisign: give the whole .minisig file")]
    Form,
    #[error("the signature is by the key {0}, which no trusted publisher has")]
    Stranger(String),
    #[error("the signature by {0} is not of this file: it was changed, or is another's signature")]
    Wrong(String),
}

/// The id of a public key, out of the line or out of the whole file that holds it.
///
/// # Errors
/// Where it is none.
pub fn key_id(text: &str) -> Result<(String, String), SignatureError> {
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let line = line.ok_or(SignatureError::Key)?;
    PublicKey::from_base64(line).map_err(|_| SignatureError::Key)?;
    let bytes = decode(line).ok_or(SignatureError::Key)?;
    Ok((named(&bytes).ok_or(SignatureError::Key)?, line.to_owned()))
}

/// Whose signature of `component` this is.
///
/// # Errors
/// Where it is nobody's who is trusted, or not of these bytes.
pub fn signer<'a>(
    component: &[u8],
    signature: &str,
    trusted: &'a [Publisher],
) -> Result<&'a Publisher, SignatureError> {
    let read = Signature::decode(signature).map_err(|_| SignatureError::Form)?;
    let line = signature.lines().nth(1).map(str::trim).unwrap_or_default();
    let id = decode(line).as_deref().and_then(named).ok_or(SignatureError::Form)?;
    let publisher = trusted.iter().find(|publisher| publisher.key_id == id);
    let publisher = publisher.ok_or(SignatureError::Stranger(id))?;
    let key = PublicKey::from_base64(&publisher.public_key).map_err(|_| SignatureError::Key)?;
    // Minisign's older form signs the file itself, which verifies as well and needs no more memory
    // here: the file is at hand.
    let verified = key.verify(component, &read, true);
    verified.map_err(|_| SignatureError::Wrong(publisher.name.clone()))?;
    Ok(publisher)
}

fn decode(line: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(line).ok()
}

/// The eight bytes behind the algorithm, as minisign prints them: the last first.
fn named(bytes: &[u8]) -> Option<String> {
    let id = bytes.get(2..10)?;
    Some(id.iter().rev().map(|byte| format!("{byte:02X}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use minisign::KeyPair;
    use std::io::Cursor;

    fn publisher(pair: &KeyPair, name: &str) -> Publisher {
        let (key_id, public_key) = key_id(&pair.pk.to_box().unwrap().to_string()).unwrap();
        let by = "test".to_owned();
        Publisher { key_id, name: name.into(), public_key, added_by: by, added_at_ms: 0 }
    }

    fn signed(pair: &KeyPair, bytes: &[u8]) -> String {
        let sign =
            minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(bytes), Some("bars 1"), None);
        sign.unwrap().to_string()
    }

    #[test]
    fn a_file_says_by_its_first_bytes_what_it_is() {
        let component = b"\0asm\x0d\0\x01\0rest";
        assert_eq!(identify(component).unwrap().len(), 64);
        assert_eq!(identify(b"\0asm\x01\0\0\0"), Err(ComponentError::CoreModule));
        let text = identify(b"<html>").unwrap_err().to_string();
        assert_eq!(text, "the file is not WebAssembly: it begins with <html>");
        assert!(identify(b"").unwrap_err().to_string().contains("it is empty"));
    }

    #[test]
    fn a_signature_counts_for_its_file_by_a_trusted_key_alone() {
        let (ours, theirs) = (
            KeyPair::generate_unencrypted_keypair().unwrap(),
            KeyPair::generate_unencrypted_keypair().unwrap(),
        );
        let trusted = [publisher(&ours, "ours")];
        let bytes = b"\0asm\x0d\0\x01\0";
        let signature = signed(&ours, bytes);
        assert_eq!(signer(bytes, &signature, &trusted).unwrap().name, "ours");
        let changed = signer(b"\0asm\x0d\0\x01\0!", &signature, &trusted);
        assert_eq!(changed, Err(SignatureError::Wrong("ours".into())));
        let stranger = publisher(&theirs, "theirs").key_id;
        let by_stranger = signer(bytes, &signed(&theirs, bytes), &trusted);
        assert_eq!(by_stranger, Err(SignatureError::Stranger(stranger)));
        assert_eq!(signer(bytes, "hello", &trusted), Err(SignatureError::Form));
        // The words beside it are signed too.
        let other_words = signature.replace("bars 1", "bars 2");
        assert!(matches!(signer(bytes, &other_words, &trusted), Err(SignatureError::Wrong(_))));
        assert_eq!(key_id("RWxx"), Err(SignatureError::Key));
    }
}
