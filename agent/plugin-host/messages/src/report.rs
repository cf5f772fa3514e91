//! What the compiler has to say of a file.

use crate::call::Attribute;
use serde::{Deserialize, Serialize};

/// Which world a component belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum World {
    Renderer,
    Importer,
    Collector,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub id: String,
    pub name: String,
    pub version: String,
    pub author: String,
    pub licence: String,
    pub description: String,
    pub handles: Vec<String>,
    pub attributes: Vec<Attribute>,
}

/// The one frame that the compiler writes. Native code follows it as it is, outside any frame,
/// so that nobody who passes it on has to hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    Compiled {
        manifest: Manifest,
        world: World,
        /// The engine that can load it, as in the runner's `Hello`.
        engine: String,
        /// How much code follows.
        code_bytes: u64,
    },
    Rejected(CompileFault),
}

/// Why a file is no plugin of ours. Each says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CompileFault {
    #[error("the file is not WebAssembly: it begins with {0}")]
    NotWasm(String),
    #[error(
        "the file is a core module, not a component: link it with wasm-component-ld, or make it \
         a component with `wasm-tools component new`"
    )]
    CoreModule,
    #[error("the file is already compiled; give the component that it was made from")]
    Precompiled,
    #[error("the file has {0} bytes, at most {1} are allowed")]
    TooLarge(u64, u64),
    #[error("the component is cut off or damaged: {0}")]
    Malformed(String),
    #[error(
        "the component exports neither rendering nor importing nor collecting of flyball:plugin, \
         but {0}: build it against wit/ of this release"
    )]
    ForeignWorld(String),
    #[error(
        "the component exports more than one of rendering, importing and collecting; make a plugin of each"
    )]
    TwoWorlds,
    #[error("the component is built against {found}; this host speaks {spoken}")]
    Version { found: String, spoken: String },
    #[error("the component imports {import}, which no world of {spoken} offers{hint}")]
    UnknownImport { import: String, spoken: String, hint: String },
    #[error("the component does not fit its world: {0}")]
    TypeMismatch(String),
    #[error("the component asks for {0} at its start, more than it may have")]
    TooHungry(String),
    #[error("the component can't be compiled: {0}")]
    NotCompilable(String),
    #[error("the component does not start: {0}")]
    NotStartable(String),
    #[error("the manifest is not usable: {0}")]
    BadManifest(String),
}
