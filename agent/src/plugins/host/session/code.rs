//! Code on its way to the runner, one plugin at a time.

use super::super::super::cache::CacheError;
use super::super::super::runner::RunnerError;
use super::super::installed::Presence;
use super::super::loading::{Loading, Part};
use super::Session;
use crate::logging::chain;
use flyball_plugin_messages::{PluginId, ToRunner};
use std::sync::Arc;

impl Session<'_> {
    /// The plugin's code is to go to the runner.
    pub(super) fn fetch(&mut self, plugin: PluginId) {
        if let Some(installed) = self.find(&plugin)
            && installed.presence == Presence::Away
        {
            installed.presence = Presence::Loading;
            self.to_load.push_back(plugin);
        }
    }

    pub(super) async fn load_next(&mut self) -> Result<(), RunnerError> {
        while self.loading.is_none()
            && let Some(plugin) = self.to_load.pop_front()
        {
            let engine = self.engine.clone();
            let Some((entry, code, world)) = self.find(&plugin).and_then(|i| i.code(&engine))
            else {
                // It was removed or rejected since, and its calls were told.
                continue;
            };
            self.writer.send(&ToRunner::Load { plugin: plugin.clone(), world }).await?;
            self.loading = Some(Loading::start(plugin, Arc::clone(&self.cache), entry, code));
        }
        Ok(())
    }

    pub(super) async fn handle_part(&mut self, part: Part) -> Result<(), RunnerError> {
        let Some(plugin) = self.loading.as_ref().map(|loading| loading.plugin.clone()) else {
            return Ok(());
        };
        match part {
            Part::Code(part) => self.writer.send(&ToRunner::Code { plugin, part }).await,
            Part::Sound => {
                self.loading = None;
                // One that was removed meanwhile must not run.
                let wanted = self.find(&plugin).is_some_and(|i| i.presence == Presence::Loading);
                let message =
                    if wanted { ToRunner::Seal { plugin } } else { ToRunner::Unload { plugin } };
                self.writer.send(&message).await
            }
            Part::Unsound(error) => {
                self.loading = None;
                self.writer.send(&ToRunner::Unload { plugin: plugin.clone() }).await?;
                self.distrust(&plugin, &error);
                Ok(())
            }
        }
    }

    fn distrust(&mut self, plugin: &PluginId, error: &CacheError) {
        tracing::warn!(%plugin, error = %chain(error), "a plugin's code is not what was compiled");
        self.make_again(plugin, chain(error).to_string());
    }
}
