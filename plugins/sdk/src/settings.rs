//! What the operator has set for this plugin, as its manifest's schema asked for it.

pub use crate::bindings::flyball::plugin::settings::{get, keys};

/// A setting's value; `None` where it is not set, or is `null`.
///
/// # Errors
/// Kind `invalid-input`, with the key, where the value is of another kind than `T`.
#[cfg(feature = "json")]
pub fn read<T: serde::de::DeserializeOwned>(key: &str) -> Result<Option<T>, crate::Error> {
    let Some(json) = get(key) else {
        return Ok(None);
    };
    serde_json::from_str(&json).map_err(|why| {
        crate::Error::new(crate::ErrorKind::InvalidInput, format!("the setting `{key}`: {why}"))
    })
}
