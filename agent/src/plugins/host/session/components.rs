//! The components of the folder: what is new is compiled, what is gone is forgotten, what nobody
//! calls leaves the runner.

use super::super::super::cache::Entry;
use super::super::super::folder;
use super::super::super::runner::RunnerError;
use super::super::installed::{Installed, Presence};
use super::super::making::{Made, make};
use super::Session;
use crate::logging::chain;
use flyball_plugin_messages::{Manifest, PluginId, Report, ToRunner};
use flyball_protocol::message::PluginState;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Looks without a call after which a plugin leaves the runner: a minute.
const IDLE_LOOKS: u32 = 6;

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
            self.reject(place, reason);
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
            self.writer.send(&ToRunner::Unload { plugin }).await?;
        }
        let listed = match folder::list(&self.host.config.folder) {
            Ok(listed) => listed,
            Err(error) => {
                let folder = self.host.config.folder.display();
                tracing::warn!(%folder, %error, "the plugin folder can't be listed");
                return Ok(());
            }
        };
        let (kept, gone): (Vec<_>, Vec<_>) =
            self.installed.drain(..).partition(|installed| listed.contains(&installed.listed));
        self.installed = kept;
        for installed in gone {
            let plugin = installed.id();
            self.calls.refuse_held(&plugin, &format!("plugin `{plugin}` was removed"));
            if installed.presence != Presence::Away {
                self.writer.send(&ToRunner::Unload { plugin }).await?;
            }
        }
        for file in listed {
            if !self.installed.iter().any(|installed| installed.listed == file) {
                self.to_make.push_back(file.clone());
                self.installed.push(Installed::new(file));
            }
        }
        self.publish();
        Ok(())
    }

    /// Counts one more look, and gives back what has been idle for too many.
    fn idle(&mut self) -> Vec<PluginId> {
        let mut unloaded = Vec::new();
        for installed in &mut self.installed {
            let plugin = installed.id();
            if let Presence::Loaded { idle_looks } = &mut installed.presence {
                // The runner counts the time of a quarantine.
                let needed = self.calls.need(&plugin) || installed.state != PluginState::Ready;
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
                return self.reject(place, chain(&error).to_string());
            }
        };
        self.installed[place].hash = Some(hash);
        match kept.report {
            Report::Rejected(fault) => {
                tracing::error!(path, %fault, "a plugin was rejected");
                self.reject(place, fault.to_string());
            }
            Report::Compiled { manifest, world, engine, .. } => {
                if let Some(why) = self.objection(place, &manifest, &engine) {
                    tracing::error!(path, why, "a plugin was rejected");
                    return self.reject(place, why);
                }
                let plugin = PluginId(manifest.id.clone());
                tracing::info!(path, %plugin, version = manifest.version, "a plugin is ready");
                let installed = &mut self.installed[place];
                installed.code = Some(kept.code);
                installed.manifest = Some((manifest, world));
                installed.state = PluginState::Ready;
                self.publish();
                if self.calls.need(&plugin) {
                    self.fetch(plugin);
                }
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
            *other != place && installed.manifest.as_ref().is_some_and(|(m, _)| m.id == manifest.id)
        });
        twin.map(|(_, twin)| {
            let file = twin.listed.path.display();
            format!("the id `{}` is taken by {file}: remove one of them", manifest.id)
        })
    }

    fn reject(&mut self, place: usize, reason: String) {
        let installed = &mut self.installed[place];
        let plugin = installed.id();
        self.calls.refuse_held(&plugin, &format!("plugin `{plugin}` was rejected: {reason}"));
        installed.state = PluginState::Rejected(reason);
        self.publish();
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
