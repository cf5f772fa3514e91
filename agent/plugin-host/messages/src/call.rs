//! One call of a plugin: the request that goes in, the events that come out.

use serde::{Deserialize, Serialize};

/// What a plugin is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    Validate {
        format: String,
        source: String,
    },
    Render(Render),
    Catalog {
        files: Vec<File>,
        query: String,
        page: u32,
    },
    DescribeCourse {
        files: Vec<File>,
        id: String,
    },
    Import {
        files: Vec<File>,
        id: String,
        selection: Vec<String>,
        switches: Vec<Attribute>,
    },
    /// A collector's readings as they are now. Its session is opened by the first poll, and kept
    /// until it fails or its settings change.
    Poll,
}

/// What a call is given besides its request.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Context {
    /// Values as JSON by their names, secrets among them.
    pub settings: Vec<(String, String)>,
    /// What randomness comes from; the same every time without it.
    pub seed: Option<u64>,
}

impl core::fmt::Debug for Context {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Settings hold secrets.
        let names: Vec<&str> = self.settings.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "Context({names:?}, {:?})", self.seed)
    }
}

/// What a plugin asks of the agent in the middle of a call; it waits for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    Fetch(Fetch),
    Subscribe {
        broker: String,
        filters: Vec<String>,
    },
    Take {
        most: u32,
    },
    /// Does anybody still wait for the call?
    Progress {
        done: u64,
        total: Option<u64>,
        note: String,
    },
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
    pub timeout_ms: u32,
}

impl Fetch {
    /// All that is handed over for it.
    #[must_use]
    pub fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        self.method.len() + self.url.len() + headers.sum::<usize>() + self.body.len()
    }
}

impl core::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Headers hold tokens.
        write!(f, "Fetch({} {}, {} bytes)", self.method, self.url, self.body.len())
    }
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
}

impl Fetched {
    /// All that came back.
    #[must_use]
    pub fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        headers.sum::<usize>() + self.body.len()
    }
}

impl core::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Fetched({}, {} bytes)", self.status, self.body.len())
    }
}

/// The newest message of a topic.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub topic: String,
    #[serde(with = "bytes")]
    pub payload: Vec<u8>,
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Message({}, {} bytes)", self.topic, self.payload.len())
    }
}

/// The agent's answer to an [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Fetched(Fetched),
    Subscribed,
    Taken(Vec<Message>),
    Progress { go_on: bool },
    Refused(Failure),
}

/// One value that a collector has read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub name: String,
    /// UCUM.
    pub unit: String,
    pub kind: ReadingKind,
    pub labels: Vec<Attribute>,
    pub value: Result<f64, Absence>,
}

impl Reading {
    /// What it takes of a call's output.
    #[must_use]
    pub fn size(&self) -> usize {
        self.name.len() + self.unit.len() + size(&self.labels) + RECORD_BYTES
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadingKind {
    Gauge,
    Counter,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Absence {
    NotReady,
    Unreachable,
    Unauthorised,
    Unsupported,
    OutOfRange,
    Malformed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Render {
    pub format: String,
    pub source: String,
    /// Pixels.
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub options: Vec<Attribute>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub key: String,
    pub value: String,
}

/// Any record, without its texts.
const RECORD_BYTES: usize = 64;

fn size(attributes: &[Attribute]) -> usize {
    attributes.iter().map(|it| it.key.len() + it.value.len() + RECORD_BYTES).sum()
}

/// A file that an importer may read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    #[serde(with = "bytes")]
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for File {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "File({}, {} bytes)", self.path, self.bytes.len())
    }
}

/// What a call gives back, in order; `Done` or `Failed` is the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    Log { level: LogLevel, line: String },
    Diagnostics(Vec<Diagnostic>),
    Image(Image),
    Catalog { entries: Vec<CatalogEntry>, total: u32 },
    Detail { entry: CatalogEntry, parts: Vec<Part> },
    Item(Item),
    Progress { done: u64, total: Option<u64>, note: String },
    Readings(Vec<Reading>),
    Done,
    Failed(Failure),
}

impl Event {
    /// Does nothing come after it?
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub media_type: String,
    pub width: u32,
    pub height: u32,
    #[serde(with = "bytes")]
    pub data: Vec<u8>,
}

impl core::fmt::Debug for Image {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { media_type, width, height, data } = self;
        write!(f, "Image({media_type}, {width}x{height}, {} bytes)", data.len())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    pub id: String,
    pub title: String,
    pub description: String,
    pub attributes: Vec<Attribute>,
}

impl CatalogEntry {
    /// What it takes of a call's output.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = self.id.len() + self.title.len() + self.description.len();
        texts + size(&self.attributes) + RECORD_BYTES
    }
}

/// A part of a course that an import can be told to take alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub id: String,
    pub title: String,
    pub attributes: Vec<Attribute>,
}

impl Part {
    /// What it takes of a call's output.
    #[must_use]
    pub fn size(&self) -> usize {
        self.id.len() + self.title.len() + size(&self.attributes) + RECORD_BYTES
    }
}

/// A document or an asset.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub id: String,
    pub title: String,
    pub media_type: String,
    #[serde(with = "bytes")]
    pub data: Vec<u8>,
    pub attributes: Vec<Attribute>,
}

impl Item {
    /// What it takes of a call's output.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = self.id.len() + self.title.len() + self.media_type.len();
        texts + self.data.len() + size(&self.attributes) + RECORD_BYTES
    }
}

impl core::fmt::Debug for Item {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Item({}, {}, {} bytes)", self.id, self.media_type, self.data.len())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    Error,
    Warning,
    Info,
    Hint,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: String,
    pub message: String,
    /// From 1; 0 where the plugin does not know.
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
    pub diagnostics: Vec<Diagnostic>,
}

impl Failure {
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), diagnostics: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    InvalidInput,
    Unsupported,
    Denied,
    Cancelled,
    /// Stopped at a limit; the message says which.
    Limit,
    /// The plugin broke: a trap, or its process died.
    Trapped,
    Upstream,
    Internal,
    /// No such plugin is loaded, it is quarantined, or its queue is full.
    Unavailable,
}

/// Byte lists as one run: serde's way would visit every byte of a picture.
pub(crate) mod bytes {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Bytes)
    }
}
