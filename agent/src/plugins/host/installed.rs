//! One component of the operator's folder or of the depot, as far as it has come.

use super::super::cache::Entry;
use super::super::conversion::{component, plugin_kind};
use super::super::folder::Listed;
use super::super::hash::Hash;
use super::super::policy;
use flyball_plugin_messages::{FailureKind, Manifest, PluginId, World};
use flyball_protocol::message::{Component, PluginKind, PluginOrder, PluginState, PluginStatus};

#[derive(Debug)]
pub(super) struct Installed {
    pub(super) listed: Listed,
    pub(super) origin: Origin,
    /// Of the component and, once it is compiled, of its code.
    pub(super) hash: Option<Hash>,
    pub(super) code: Option<Hash>,
    pub(super) manifest: Option<(Manifest, World)>,
    pub(super) state: PluginState,
    /// Where it was rejected: its own fault, or this machine's.
    pub(super) blame: FailureKind,
    pub(super) presence: Presence,
    /// Its code was refused once and made anew.
    pub(super) remade: bool,
}

/// Who says that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The machine's own operator: it lies in the folder.
    Folder,
    /// The aggregator: it runs as an order says, and several versions may lie side by side.
    Depot,
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
    pub(super) const fn new(listed: Listed, origin: Origin) -> Self {
        Self {
            listed,
            origin,
            hash: None,
            code: None,
            manifest: None,
            state: PluginState::Compiling,
            blame: FailureKind::InvalidInput,
            presence: Presence::Away,
            remade: false,
        }
    }

    /// What the runner calls it: its own id, with its hash where versions may lie side by side;
    /// until it has said it, its file's name.
    pub(super) fn id(&self) -> PluginId {
        match (&self.manifest, self.origin) {
            (Some((manifest, _)), Origin::Folder) => PluginId(manifest.id.clone()),
            (Some((manifest, _)), Origin::Depot) => {
                PluginId(format!("{}@{:.12}", manifest.id, self.listed.name()))
            }
            (None, _) => PluginId(self.listed.name()),
        }
    }

    /// What callers call it.
    pub(super) fn is_called(&self, plugin: &str) -> bool {
        self.manifest.as_ref().is_some_and(|(manifest, _)| manifest.id == plugin)
    }

    /// The order that it runs by.
    pub(super) fn order<'a>(&self, orders: &'a [PluginOrder]) -> Option<&'a PluginOrder> {
        let own = match self.origin {
            Origin::Depot => self.listed.name(),
            Origin::Folder => policy::place(&self.listed),
        };
        orders.iter().find(|order| order.hash == own)
    }

    /// What it is, once that is known; why it is nothing.
    pub(super) fn said(&self) -> Option<Result<Box<Component>, (FailureKind, String)>> {
        match (&self.state, &self.manifest) {
            (PluginState::Rejected(why), _) => Some(Err((self.blame, why.clone()))),
            (_, Some((manifest, world))) => {
                Some(Ok(Box::new(component(self.listed.name(), manifest.clone(), *world))))
            }
            (_, None) => None,
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
