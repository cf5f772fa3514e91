//! One message to the client of a stream.

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;

#[derive(Debug)]
pub(in crate::http) enum Said {
    /// Made for this client.
    Own(Value),
    /// Its data are told to others as well, and were written once for all.
    Shared { topic: String, seq: u64, data: Arc<RawValue> },
}

/// What `Shared` looks like: every sample of a device.
#[derive(Serialize)]
struct Delta<'a> {
    r#type: &'static str,
    topic: &'a str,
    seq: u64,
    data: &'a RawValue,
}

const DELTA: &str = "delta";
/// What stands around the data.
const FRAME: usize = 128;

impl Said {
    /// The value of one of its own fields, where that is text.
    fn field(&self, name: &str) -> Option<&str> {
        match self {
            Self::Own(value) => value[name].as_str(),
            Self::Shared { .. } => None,
        }
    }

    pub(in crate::http) fn kind(&self) -> Option<&str> {
        match self {
            Self::Own(_) => self.field("type"),
            Self::Shared { .. } => Some(DELTA),
        }
    }

    /// The bookmark that it is.
    pub(in crate::http) fn bookmark(&self) -> Option<&str> {
        if self.kind() == Some("bookmark") { self.field("token") } else { None }
    }

    pub(in crate::http) fn text(&self) -> String {
        let data = match self {
            Self::Own(value) => return value.to_string(),
            Self::Shared { data, .. } => data.get().len(),
        };
        let mut bytes = Vec::with_capacity(data + FRAME);
        // Writing into memory does not fail, and JSON is UTF-8.
        let _ = serde_json::to_writer(&mut bytes, self);
        String::from_utf8(bytes).unwrap_or_default()
    }
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Own(value) => value.serialize(serializer),
            Self::Shared { topic, seq, data } => {
                Delta { r#type: DELTA, topic, seq: *seq, data }.serialize(serializer)
            }
        }
    }
}
