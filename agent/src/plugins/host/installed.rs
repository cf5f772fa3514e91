//! One component of the folder, as far as it has come.

use super::super::cache::Entry;
use super::super::conversion::plugin_kind;
use super::super::folder::Listed;
use super::super::hash::Hash;
use flyball_plugin_messages::{Manifest, PluginId, World};
use flyball_protocol::message::{PluginKind, PluginState, PluginStatus};

#[derive(Debug)]
pub(super) struct Installed {
    pub(super) listed: Listed,
    /// Of the component and, once it is compiled, of its code.
    pub(super) hash: Option<Hash>,
    pub(super) code: Option<Hash>,
    pub(super) manifest: Option<(Manifest, World)>,
    pub(super) state: PluginState,
    pub(super) presence: Presence,
    /// Its code was refused once and made anew.
    pub(super) remade: bool,
}

/// Whether its code is with the runner: only while somebody has use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Away,
    /// On its way, or its process is starting.
    Loading,
    /// It runs; this many looks at the folder found no call of it.
    Loaded {
        idle_looks: u32,
    },
}

impl Installed {
    pub(super) const fn new(listed: Listed) -> Self {
        Self {
            listed,
            hash: None,
            code: None,
            manifest: None,
            state: PluginState::Compiling,
            presence: Presence::Away,
            remade: false,
        }
    }

    /// Its own id; until it has said it, its file's name.
    pub(super) fn id(&self) -> PluginId {
        match &self.manifest {
            Some((manifest, _)) => PluginId(manifest.id.clone()),
            None => PluginId(self.listed.name()),
        }
    }

    /// Where its code lies, its hash and its world; `None` until it is compiled.
    pub(super) fn code(&self, engine: &str) -> Option<(Entry, Hash, World)> {
        let entry = Entry { hash: self.hash?, engine: engine.to_owned() };
        Some((entry, self.code?, self.manifest.as_ref()?.1))
    }

    pub(super) fn status(&self) -> PluginStatus {
        let hash = self.hash.map(|hash| hash.to_string()).unwrap_or_default();
        let state = self.state.clone();
        match self.manifest.clone() {
            Some((manifest, world)) => PluginStatus {
                id: manifest.id,
                name: manifest.name,
                version: manifest.version,
                author: manifest.author,
                licence: manifest.licence,
                description: manifest.description,
                kind: plugin_kind(world),
                handles: manifest.handles,
                hash,
                state,
            },
            None => PluginStatus {
                id: self.listed.name(),
                name: self.listed.name(),
                version: String::new(),
                author: String::new(),
                licence: String::new(),
                description: String::new(),
                // Unknown before it was described; a rejected one renders nothing either way.
                kind: PluginKind::Renderer,
                handles: Vec::new(),
                hash,
                state,
            },
        }
    }
}
