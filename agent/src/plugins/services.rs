//! What the agent does for plugins outside their sandbox, each within what an operator granted.
//!
//! A call asks one thing at a time and waits for it. Nothing in here waits: what takes time is a
//! task, whose answer comes out of [`Services::next`].

mod grant;
mod http;
mod mqtt;
mod trust;

use flyball_plugin_messages::{Answer, Ask, CallId, Failure, FailureKind, PluginId};
use grant::Grants;
use http::Fetcher;
use mqtt::{BrokerAddress, Brokers};
use rustls::ClientConfig;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Requests under way; their number is bounded by that of the calls as well.
const MAX_FETCHES: usize = 64;

#[derive(Debug)]
pub(super) struct Services {
    fetcher: Fetcher,
    brokers: Brokers,
    fetches: JoinSet<(CallId, Answer)>,
}

impl Services {
    /// Whom a server or broker with TLS is believed by are the authorities of this machine.
    ///
    /// # Errors
    /// Where there is no suite for TLS.
    pub(super) fn new() -> Result<Self, rustls::Error> {
        Ok(Self::trusting(trust::machines()?))
    }

    fn trusting(tls: Arc<ClientConfig>) -> Self {
        let fetcher = Fetcher::new(Arc::clone(&tls));
        Self { fetcher, brokers: Brokers::new(tls), fetches: JoinSet::new() }
    }

    /// The answer to what a call asks, where it is known at once. `grants` are the order's words.
    pub(super) fn ask(
        &mut self,
        call: CallId,
        plugin: &PluginId,
        grants: &[String],
        ask: Ask,
    ) -> Option<Answer> {
        let grants = Grants::parse(grants);
        match ask {
            Ask::Fetch(_) if self.fetches.len() >= MAX_FETCHES => {
                let why = "this agent fetches as much as it may at once";
                Some(Answer::Refused(Failure::new(FailureKind::Unavailable, why)))
            }
            Ask::Fetch(fetch) => {
                let fetcher = self.fetcher.clone();
                self.fetches.spawn(async move {
                    let fetched = fetcher.fetch(fetch, &grants).await;
                    (
                        call,
                        fetched.map_or_else(|error| Answer::Refused(error.into()), Answer::Fetched),
                    )
                });
                None
            }
            Ask::Subscribe { broker, filters } => {
                Some(answer(self.subscribe(plugin, &grants, &broker, filters), |()| {
                    Answer::Subscribed
                }))
            }
            Ask::Take { most } => Some(answer(self.brokers.take(plugin, most), Answer::Taken)),
            // Who waits for the call hears it from the session, which never brings it here.
            Ask::Progress { .. } => Some(Answer::Progress { go_on: true }),
        }
    }

    /// The next answer that took time; waits for ever where there is none.
    pub(super) async fn next(&mut self) -> (CallId, Answer) {
        loop {
            match self.fetches.join_next().await {
                Some(Ok(answered)) => return answered,
                // The call ends by its deadline.
                Some(Err(error)) => tracing::error!(%error, "a plugin's request broke"),
                None => std::future::pending().await,
            }
        }
    }

    /// Ends what is held open for a plugin that is gone, or is to do something else.
    pub(super) fn forget(&mut self, plugin: &PluginId) {
        self.brokers.forget(plugin);
    }

    fn subscribe(
        &mut self,
        plugin: &PluginId,
        grants: &Grants,
        broker: &str,
        filters: Vec<String>,
    ) -> Result<(), Failure> {
        let broker = BrokerAddress::parse(broker)
            .map_err(|error| Failure::new(FailureKind::InvalidInput, error.to_string()))?;
        if !grants.mqtt(&broker.host, broker.port) {
            let why = format!("`mqtt:{}:{}` is not granted", broker.host, broker.port);
            return Err(Failure::new(FailureKind::Denied, why));
        }
        self.brokers.subscribe(plugin, broker, filters)
    }
}

fn answer<T>(done: Result<T, Failure>, told: impl FnOnce(T) -> Answer) -> Answer {
    done.map_or_else(Answer::Refused, told)
}
