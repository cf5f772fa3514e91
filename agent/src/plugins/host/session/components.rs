//! The components of the folder: what is new is compiled, what is gone is forgotten, what nobody
//! calls leaves the runner.

use super::super::super::cache::Entry;
use super::super::super::compiler::CompilerError;
use super::super::super::folder::{self, Listed};
use super::super::super::policy::{self, PolicyError};
use super::super::super::runner::RunnerError;
use super::super::installed::{Installed, Origin, Presence};
use super::super::making::{Made, MakeError, make};
use super::Session;
use crate::clock::Clock;
use crate::logging::chain;
use flyball_plugin_messages::{FailureKind, Manifest, PluginId, Report, ToRunner};
use flyball_protocol::message::{PluginOrder, PluginState};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Looks without a call after which a plugin leaves the runner: a minute.
const IDLE_LOOKS: u32 = 6;
/// What was complained of, so that it is not said at every look.
const MAX_COMPLAINTS: usize = 64;

impl Session<'_> {
    /// Code that does not run here is compiled once more, while its calls wait.
    pub(super) fn make_again(&mut self, plugin: &PluginId, reason: String) {
        let engine = self.engine.clone();
        let Some(place) = self.installed.iter().position(|i| i.id() == *plugin) else {
            return self.calls.refuse_held(plugin, "the plugin is gone");
        };
        let installed = &mut self.installed[place];
        installed.presence = Presence::Away;
        if let Some(hash) = installed.hash {
            self.cache.forget(&Entry { hash, engine });
        }
        if installed.remade {
            self.reject(place, reason, FailureKind::Internal);
        } else {
            installed.remade = true;
            installed.state = PluginState::Compiling;
            self.to_make.push_back(installed.listed.clone());
            self.publish();
        }
    }

    /// Looks at the folder: what is new or changed is made, what is gone is forgotten, what
    /// nobody has called for a while leaves the runner.
    pub(super) async fn look(&mut self) -> Result<(), RunnerError> {
        let unloaded = self.idle();
        for plugin in unloaded {
            tracing::debug!(%plugin, "nobody needs a plugin; its process ends");
            self.services.forget(&plugin);
            self.writer.send(&ToRunner::Unload { plugin }).await?;
        }
        let before = std::mem::take(&mut self.orders);
        let Some(listed) = self.list() else { return Ok(()) };
        self.forget_changed(&before);
        let (kept, gone): (Vec<_>, Vec<_>) = self
            .installed
            .drain(..)
            .partition(|installed| listed.iter().any(|(listed, _)| *listed == installed.listed));
        self.installed = kept;
        for installed in gone {
            let plugin = installed.id();
            self.calls.refuse_held(&plugin, &format!("plugin `{plugin}` was removed"));
            self.services.forget(&plugin);
            if installed.presence != Presence::Away {
                self.writer.send(&ToRunner::Unload { plugin }).await?;
            }
        }
        for (file, origin) in listed {
            if !self.installed.iter().any(|installed| installed.listed == file) {
                self.to_make.push_back(file.clone());
                self.installed.push(Installed::new(file, origin));
            }
        }
        self.publish();
        self.describe();
        Ok(())
    }

    /// The operator's folder and the depot, and the orders as they are now.
    fn list(&mut self) -> Option<Vec<(Listed, Origin)>> {
        self.orders = self.host.depot.orders();
        let swept = self.host.depot.sweep(&self.orders, Clock.unix_ms());
        let own = folder::list(&self.host.config.folder);
        match (own, swept.and_then(|()| self.host.depot.list())) {
            (Ok(own), Ok(kept)) => {
                for listed in &own {
                    match policy::of(listed) {
                        Ok(order) => self.orders.extend(order),
                        Err(error) => self.complain(&error),
                    }
                }
                let own = own.into_iter().map(|listed| (listed, Origin::Folder));
                Some(own.chain(kept.into_iter().map(|listed| (listed, Origin::Depot))).collect())
            }
            (Err(error), _) | (_, Err(error)) => {
                let folder = self.host.config.folder.display();
                tracing::warn!(%folder, %error, "the plugin folders can't be listed");
                None
            }
        }
    }

    /// Once, as long as it stays the same.
    fn complain(&mut self, error: &PolicyError) {
        let said = chain(error).to_string();
        if !self.complaints.contains(&said) {
            tracing::warn!("a plugin has neither grants nor settings: {said}");
            // Of a folder with a bounded number of files; it begins anew where that is outgrown.
            if self.complaints.len() >= MAX_COMPLAINTS {
                self.complaints.clear();
            }
            self.complaints.push(said);
        }
    }

    /// What is held open for a plugin whose order is another one now is ended.
    fn forget_changed(&mut self, before: &[PluginOrder]) {
        for installed in &self.installed {
            if installed.order(before) != installed.order(&self.orders) {
                self.services.forget(&installed.id());
            }
        }
    }

    /// Counts one more look, and gives back what has been idle for too many.
    fn idle(&mut self) -> Vec<PluginId> {
        let mut unloaded = Vec::new();
        // A session is kept from one poll to the next, however far apart they are.
        let polled = self.installed.iter().filter(|it| self.due(it).is_some()).map(Installed::id);
        let polled: BTreeSet<PluginId> = polled.collect();
        for installed in &mut self.installed {
            let plugin = installed.id();
            if let Presence::Loaded { idle_looks } = &mut installed.presence {
                // The runner counts the time of a quarantine.
                let needed = self.calls.need(&plugin)
                    || polled.contains(&plugin)
                    || installed.state != PluginState::Ready;
                *idle_looks = if needed { 0 } else { *idle_looks + 1 };
                if *idle_looks >= IDLE_LOOKS {
                    installed.presence = Presence::Away;
                    unloaded.push(plugin);
                }
            }
        }
        unloaded
    }

    pub(super) fn make_next(&mut self) {
        if !self.making.is_empty() {
            return;
        }
        let Some(listed) = self.to_make.pop_front() else {
            return;
        };
        let (cache, engine) = (Arc::clone(&self.cache), self.engine.clone());
        let compiler = self.host.config.compiler.clone();
        self.making.spawn(async move {
            let outcome = make(&cache, engine, &compiler, &listed).await;
            Made { listed, outcome }
        });
    }

    pub(super) fn handle_made(&mut self, made: Made) {
        let path = made.listed.path.display().to_string();
        let Some(place) = self.installed.iter().position(|i| i.listed == made.listed) else {
            return;
        };
        let (hash, kept) = match made.outcome {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(path, error = %chain(&error), "a plugin was not compiled");
                let blame = match error {
                    // It ran into the compiler's limits.
                    MakeError::Compile(CompilerError::Died { .. } | CompilerError::Patience) => {
                        FailureKind::InvalidInput
                    }
                    _ => FailureKind::Internal,
                };
                return self.reject(place, chain(&error).to_string(), blame);
            }
        };
        self.installed[place].hash = Some(hash);
        match kept.report {
            Report::Rejected(fault) => {
                tracing::error!(path, %fault, "a plugin was rejected");
                self.reject(place, fault.to_string(), FailureKind::InvalidInput);
            }
            Report::Compiled { manifest, world, engine, .. } => {
                if let Some(why) = self.objection(place, &manifest, &engine) {
                    tracing::error!(path, why, "a plugin was rejected");
                    return self.reject(place, why, FailureKind::Internal);
                }
                let plugin = PluginId(manifest.id.clone());
                tracing::info!(path, %plugin, version = manifest.version, "a plugin is ready");
                let installed = &mut self.installed[place];
                installed.code = Some(kept.code);
                installed.manifest = Some((manifest, world));
                installed.state = PluginState::Ready;
                let plugin = installed.id();
                self.publish();
                if self.calls.need(&plugin) {
                    self.fetch(plugin);
                }
                self.describe();
            }
        }
        self.tidy_cache();
    }

    fn objection(&self, place: usize, manifest: &Manifest, engine: &str) -> Option<String> {
        if engine != self.engine {
            return Some(format!(
                "the compiler makes code for {engine}, the runner runs {}: upgrade both",
                self.engine
            ));
        }
        let twin = self.installed.iter().enumerate().find(|(other, installed)| {
            // Kept versions lie side by side; how they stand to the folder's is said by `ordered`.
            let both = [installed.origin, self.installed[place].origin];
            *other != place
                && both == [Origin::Folder; 2]
                && installed.manifest.as_ref().is_some_and(|(m, _)| m.id == manifest.id)
        });
        twin.map(|(_, twin)| {
            let file = twin.listed.path.display();
            format!("the id `{}` is taken by {file}: remove one of them", manifest.id)
        })
    }

    fn reject(&mut self, place: usize, reason: String, blame: FailureKind) {
        let installed = &mut self.installed[place];
        let plugin = installed.id();
        self.calls.refuse_held(&plugin, &format!("plugin `{plugin}` was rejected: {reason}"));
        installed.state = PluginState::Rejected(reason);
        installed.blame = blame;
        self.publish();
        self.describe();
    }

    /// Once everything is known: only code of what lies in the folder is kept.
    fn tidy_cache(&self) {
        if self.to_make.is_empty() && self.making.is_empty() {
            let entry = |hash| Entry { hash, engine: self.engine.clone() };
            let kept: BTreeSet<Entry> =
                self.installed.iter().filter_map(|i| i.hash).map(entry).collect();
            self.cache.keep_only(&kept);
        }
    }
}
