//! The one task that owns the plugins: it holds the connection to the runner, and refuses what
//! is asked while there is none.

mod installed;
mod loading;
mod making;
mod session;

use super::PluginsConfig;
use super::collecting::Due;
use super::depot::Depot;
use super::hash::Hash;
use super::runner::connect;
use super::usage::Usage;
use crate::logging::chain;
use flyball_plugin_messages::{CallId, Event, Failure, FailureKind, PluginId, Request};
use flyball_protocol::message::{Component, PluginState, PluginStatus};
use session::Session;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

const RECONNECT_MS: [u64; 5] = [100, 250, 500, 1_000, 2_000];

/// What a job asks of the host.
#[derive(Debug)]
pub(super) enum Ask {
    Call {
        call: CallId,
        plugin: PluginId,
        deadline_ms: u32,
        request: Request,
        events: mpsc::Sender<Event>,
    },
    Cancel(CallId),
    /// What a component says of itself, as soon as it is compiled.
    Describe {
        hash: Hash,
        answer: Description,
    },
    /// The orders have changed.
    Look,
}

/// Where somebody waits to hear what a component is.
pub(super) type Description = oneshot::Sender<Result<Box<Component>, (FailureKind, String)>>;

#[derive(Debug)]
pub(super) struct Host {
    config: PluginsConfig,
    depot: Depot,
    status: watch::Sender<Vec<PluginStatus>>,
    due: watch::Sender<Vec<Due>>,
    usage: watch::Sender<Usage>,
}

impl Host {
    pub(super) fn new(
        config: PluginsConfig,
        status: watch::Sender<Vec<PluginStatus>>,
        due: watch::Sender<Vec<Due>>,
        usage: watch::Sender<Usage>,
    ) -> Self {
        Self { depot: Depot::of(&config.state), config, status, due, usage }
    }

    /// Until every `Plugins` is gone.
    pub(super) async fn run(self, mut asks: mpsc::Receiver<Ask>) {
        let mut failures = 0_usize;
        loop {
            match connect(&self.config.runner_socket).await {
                Ok((reader, writer, engine)) => {
                    failures = 0;
                    tracing::info!(engine, "the plugin runner is connected");
                    match Session::open(&self, writer, engine) {
                        Ok(session) => match session.serve(reader, &mut asks).await {
                            Ok(()) => return,
                            Err(error) => {
                                tracing::warn!(error = %chain(&error), "the plugin runner is lost");
                            }
                        },
                        Err(error) => {
                            tracing::error!(%error, "the plugin cache can't be opened");
                        }
                    }
                    self.mark_unready();
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(error = %chain(&error), "no plugin runner yet");
                    }
                }
            }
            let wait = RECONNECT_MS[failures.min(RECONNECT_MS.len() - 1)];
            failures += 1;
            if !refuse_for(Duration::from_millis(wait), &mut asks).await {
                return;
            }
        }
    }

    fn mark_unready(&self) {
        self.status.send_modify(|plugins| {
            for plugin in plugins {
                if plugin.state == PluginState::Ready {
                    plugin.state = PluginState::Compiling;
                }
            }
        });
    }

    /// Counts without telling: that is done at every look.
    fn count(&self, count: impl FnOnce(&mut Usage)) {
        self.usage.send_if_modified(|usage| {
            count(usage);
            false
        });
    }

    fn tell_usage(&self) {
        self.usage.send_if_modified(|usage| !usage.is_empty());
    }

    fn publish(&self, plugins: Vec<PluginStatus>, due: Vec<Due>) {
        self.status.send_if_modified(|known| {
            let changed = *known != plugins;
            *known = plugins;
            changed
        });
        self.due.send_if_modified(|known| {
            let changed = *known != due;
            *known = due;
            changed
        });
    }
}

/// Refuses calls while there is no runner. False at the end.
async fn refuse_for(time: Duration, asks: &mut mpsc::Receiver<Ask>) -> bool {
    let timer = tokio::time::sleep(time);
    tokio::pin!(timer);
    loop {
        tokio::select! {
            () = &mut timer => return true,
            ask = asks.recv() => match ask {
                None => return false,
                Some(Ask::Cancel(_) | Ask::Look) => {}
                Some(Ask::Describe { answer, .. }) => {
                    let why = "the plugin runner is not connected".to_owned();
                    // Who asked may have gone.
                    let _ = answer.send(Err((FailureKind::Unavailable, why)));
                }
                Some(Ask::Call { events, .. }) => {
                    fail(&events, FailureKind::Unavailable, "the plugin runner is not connected");
                }
            },
        }
    }
}

fn fail(events: &mpsc::Sender<Event>, kind: FailureKind, message: impl Into<String>) {
    if events.try_send(Event::Failed(Failure::new(kind, message))).is_err() {
        tracing::debug!("a job's end was told to nobody");
    }
}
