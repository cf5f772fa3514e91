//! Signing and checking. The signed bytes travel as they were signed, so that no decoder's
//! idea of them stands between the key and the check.

use crate::{Action, DeviceId, OperationId, Origin};
use core::fmt;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// The version byte that every signed command begins with. Version 1 says nothing of its origin
/// and its end: it is a remote operator's, without one, and such a command is signed so still.
const VERSION: u8 = 2;
const WITHOUT_ORIGIN: u8 = 1;
/// No command is longer: the decoder is handed nothing above this.
const MAX_COMMAND_BYTES: usize = 4096;

/// One command as the aggregator means it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub device: DeviceId,
    pub operation: OperationId,
    /// Strictly rising per device; the guard keeps the highest on disk.
    pub counter: u64,
    /// Unix milliseconds after which the guard refuses it.
    pub not_after_ms: u64,
    pub action: Action,
    /// The account that asked, for the guard's journal.
    pub issuer: String,
    /// The rank of who asked. A signed command is never a person's at the machine.
    pub origin: Origin,
    /// What it asks for stands until then, Unix milliseconds; for ever or not at all where
    /// `None`, as its action has it.
    pub until_ms: Option<u64>,
}

/// A command as version 1 has it.
#[derive(Serialize, Deserialize)]
struct Plain {
    device: DeviceId,
    operation: OperationId,
    counter: u64,
    not_after_ms: u64,
    action: Action,
    issuer: String,
}

impl From<Plain> for Command {
    fn from(plain: Plain) -> Self {
        let Plain { device, operation, counter, not_after_ms, action, issuer } = plain;
        let (origin, until_ms) = (Origin::Remote, None);
        Self { device, operation, counter, not_after_ms, action, issuer, origin, until_ms }
    }
}

impl Command {
    fn to_bytes(&self) -> Result<Vec<u8>, SignatureError> {
        let (version, body) = if self.origin == Origin::Remote && self.until_ms.is_none() {
            let Self { device, operation, counter, not_after_ms, action, issuer, .. } =
                self.clone();
            let plain = Plain { device, operation, counter, not_after_ms, action, issuer };
            (WITHOUT_ORIGIN, postcard::to_stdvec(&plain))
        } else {
            (VERSION, postcard::to_stdvec(self))
        };
        let mut bytes = vec![version];
        bytes.extend(body.map_err(SignatureError::Decode)?);
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        let decoded = match bytes.split_first() {
            Some((&WITHOUT_ORIGIN, body)) => postcard::from_bytes::<Plain>(body).map(Self::from),
            Some((&VERSION, body)) => postcard::from_bytes(body),
            Some((&version, _)) => return Err(SignatureError::Version(version)),
            None => return Err(SignatureError::Version(0)),
        };
        decoded.map_err(SignatureError::Decode)
    }
}

/// The command's bytes and the organization key's signature over them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCommand {
    pub bytes: Vec<u8>,
    pub signature: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    #[error("the command is {0} bytes long, more than {MAX_COMMAND_BYTES}")]
    TooLong(usize),
    #[error("the command has version {0}, this guard knows {VERSION}")]
    Version(u8),
    #[error("the signature is not the pinned key's")]
    Signature,
    #[error("the command cannot be decoded")]
    Decode(#[source] postcard::Error),
    #[error("a key has 32 bytes in hexadecimal, this one has not")]
    Key,
}

/// The organization's command key, held by the aggregator alone.
pub struct CommandKey(SigningKey);

/// The half that the guard pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl CommandKey {
    /// A key of 32 secret bytes.
    #[must_use]
    pub fn from_bytes(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `command`.
    ///
    /// # Errors
    /// Where the command does not fit the wire's bound.
    pub fn sign(&self, command: &Command) -> Result<SignedCommand, SignatureError> {
        let bytes = command.to_bytes()?;
        if bytes.len() > MAX_COMMAND_BYTES {
            return Err(SignatureError::TooLong(bytes.len()));
        }
        let signature = self.0.sign(&bytes).to_bytes().to_vec();
        Ok(SignedCommand { bytes, signature })
    }
}

impl fmt::Debug for CommandKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommandKey(..)")
    }
}

impl PublicKey {
    /// The key of its 64 hexadecimal digits.
    ///
    /// # Errors
    /// Where `hex` is no key.
    pub fn from_hex(hex: &str) -> Result<Self, SignatureError> {
        let hex = hex.trim();
        if hex.len() != 64 || !hex.is_ascii() {
            return Err(SignatureError::Key);
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let digits = core::str::from_utf8(digits).map_err(|_| SignatureError::Key)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| SignatureError::Key)?;
        }
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| SignatureError::Key)
    }

    #[must_use]
    pub fn to_hex(self) -> String {
        self.0.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The command, if this key signed it.
    ///
    /// # Errors
    /// Where it is too long, foreign, of another version or not a command.
    pub fn open(&self, signed: &SignedCommand) -> Result<Command, SignatureError> {
        if signed.bytes.len() > MAX_COMMAND_BYTES {
            return Err(SignatureError::TooLong(signed.bytes.len()));
        }
        let signature =
            Signature::from_slice(&signed.signature).map_err(|_| SignatureError::Signature)?;
        self.0.verify_strict(&signed.bytes, &signature).map_err(|_| SignatureError::Signature)?;
        Command::from_bytes(&signed.bytes)
    }
}

impl fmt::Debug for SignedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedCommand({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_units::Watts;
    use uuid::Uuid;

    fn command() -> Command {
        Command {
            device: DeviceId(Uuid::from_u128(1)),
            operation: OperationId(Uuid::from_u128(2)),
            counter: 7,
            not_after_ms: 1_000,
            action: Action::SetPowerCap { actuator: None, watts: Watts(150.0) },
            issuer: "operator@example.org".into(),
            origin: Origin::Remote,
            until_ms: None,
        }
    }

    #[test]
    fn a_command_says_its_origin_and_end_only_where_the_first_version_could_not() {
        let key = CommandKey::from_bytes(&[7; 32]);
        let plain = key.sign(&command()).unwrap();
        assert_eq!(plain.bytes[0], 1);
        assert_eq!(key.public().open(&plain).unwrap(), command());
        for (origin, until_ms) in [(Origin::Automation, None), (Origin::Remote, Some(9_000))] {
            let command = Command { origin, until_ms, ..command() };
            let signed = key.sign(&command).unwrap();
            assert_eq!(signed.bytes[0], 2);
            assert_eq!(key.public().open(&signed).unwrap(), command);
        }
    }

    #[test]
    fn the_pinned_key_opens_what_the_command_key_signed() {
        let key = CommandKey::from_bytes(&[7; 32]);
        let signed = key.sign(&command()).unwrap();
        assert_eq!(key.public().open(&signed).unwrap(), command());
    }

    #[test]
    fn a_foreign_key_and_a_changed_byte_are_refused() {
        let key = CommandKey::from_bytes(&[7; 32]);
        let mut signed = key.sign(&command()).unwrap();
        let foreign = CommandKey::from_bytes(&[8; 32]).public();
        assert!(matches!(foreign.open(&signed), Err(SignatureError::Signature)));
        for index in 0..signed.bytes.len() {
            signed.bytes[index] ^= 1;
            assert!(matches!(key.public().open(&signed), Err(SignatureError::Signature)));
            signed.bytes[index] ^= 1;
        }
    }

    #[test]
    fn a_public_key_survives_its_hexadecimal_form() {
        let key = CommandKey::from_bytes(&[9; 32]).public();
        assert_eq!(PublicKey::from_hex(&key.to_hex()).unwrap(), key);
        assert!(matches!(PublicKey::from_hex("zz"), Err(SignatureError::Key)));
    }

    #[test]
    fn the_signed_bytes_of_version_1_never_change() {
        let signed = CommandKey::from_bytes(&[7; 32]).sign(&command()).unwrap();
        let hex: String = signed.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "011000000000000000000000000000000001100000000000000000000000000000000207e80700000000000000c06240146f70657261746f72406578616d706c652e6f7267"
        );
    }
}
