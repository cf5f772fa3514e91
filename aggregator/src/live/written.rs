//! What is told to many, written once.

use serde_json::value::RawValue;
use std::sync::{Arc, OnceLock};

/// The JSON of one happening, made by the first stream that tells of it: two hundred streams that
/// follow one machine would write the same samples two hundred times.
#[derive(Clone, Debug, Default)]
pub struct Written(OnceLock<Arc<RawValue>>);

impl Written {
    /// What was written, or what `write` gives now.
    pub fn or_write(&self, write: impl FnOnce() -> Box<RawValue>) -> Arc<RawValue> {
        Arc::clone(self.0.get_or_init(|| Arc::from(write())))
    }
}

/// It follows from what happened and says nothing of its own.
impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
