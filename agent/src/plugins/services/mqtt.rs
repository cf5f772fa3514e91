//! MQTT for collectors: the agent listens on brokers that were granted, and a plugin takes what
//! came.
//!
//! One connection per plugin and broker. Of each topic the newest message is kept until it is
//! taken; a broker's kept messages have no age and are passed over. A connection that breaks comes
//! back by itself, ever more rarely, and ends with the plugin.

mod address;
mod board;
mod connection;

pub(super) use address::BrokerAddress;

use board::{Board, lock};
use connection::{Connection, Standing};
use flyball_plugin_messages::{Failure, FailureKind, Message, PluginId};
use rustls::ClientConfig;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Brokers of one plugin.
const MAX_BROKERS: usize = 4;
/// Filters at one broker.
const MAX_FILTERS: usize = 64;
const MAX_FILTER_BYTES: usize = 512;
/// Messages that are taken at once.
const MAX_TAKEN: usize = 1_000;

/// Everything that plugins listen to.
#[derive(Debug)]
pub(super) struct Brokers {
    tls: Arc<ClientConfig>,
    plugins: HashMap<PluginId, Listening>,
}

#[derive(Debug, Default)]
struct Listening {
    /// Connections write, and the owner of this takes: neither waits for the other longer than a
    /// message is moved.
    board: Arc<Mutex<Board>>,
    connections: HashMap<BrokerAddress, Connection>,
}

impl Brokers {
    /// `tls` is whom brokers with TLS are believed by.
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls, plugins: HashMap::new() }
    }

    /// Listens to `filters` on a broker that was granted. Asked again with the same filters it is
    /// the same connection; with others it is one in its place.
    ///
    /// # Errors
    /// Where a bound is broken or a filter is none. Whether the broker is there is told by
    /// [`Self::take`].
    pub(super) fn subscribe(
        &mut self,
        plugin: &PluginId,
        broker: BrokerAddress,
        filters: Vec<String>,
    ) -> Result<(), Failure> {
        if filters.is_empty() || filters.len() > MAX_FILTERS {
            let why = format!("at one broker 1 to {MAX_FILTERS} topics are listened to");
            return Err(Failure::new(FailureKind::Limit, why));
        }
        if let Some(wrong) = filters.iter().find(|filter| !is_filter(filter)) {
            let wrong: String = wrong.chars().take(80).collect();
            let why = format!("`{wrong}` is no filter of topics");
            return Err(Failure::new(FailureKind::InvalidInput, why));
        }
        let listening = self.plugins.entry(plugin.clone()).or_default();
        let known = listening.connections.get(&broker);
        if known.is_some_and(|known| known.filters() == filters) {
            return Ok(());
        }
        if known.is_none() && listening.connections.len() >= MAX_BROKERS {
            let why = format!("a plugin listens to {MAX_BROKERS} brokers at most");
            return Err(Failure::new(FailureKind::Limit, why));
        }
        // The one before it ends first: a broker would end it as the same client.
        listening.connections.remove(&broker);
        let board = Arc::clone(&listening.board);
        let connection = Connection::start(&broker, filters, &self.tls, board);
        listening.connections.insert(broker, connection);
        Ok(())
    }

    /// The newest messages that were not taken before, `most` of them at most.
    ///
    /// # Errors
    /// Where there is none and a broker is away or refuses, with its reason.
    pub(super) fn take(&mut self, plugin: &PluginId, most: u32) -> Result<Vec<Message>, Failure> {
        let Some(listening) = self.plugins.get(plugin) else {
            let why = "nothing was subscribed before messages were taken";
            return Err(Failure::new(FailureKind::InvalidInput, why));
        };
        let most = usize::try_from(most).unwrap_or(MAX_TAKEN).min(MAX_TAKEN);
        let (messages, left_out) = lock(&listening.board).take(most);
        if left_out > 0 {
            tracing::warn!(%plugin, left_out, "more topics than are kept; narrow the filters");
        }
        if !messages.is_empty() {
            return Ok(messages);
        }
        for (broker, connection) in &listening.connections {
            match connection.standing() {
                Standing::Connecting | Standing::Listening => {}
                Standing::Away(why) => {
                    let why = format!("the broker {broker} is away: {why}");
                    return Err(Failure::new(FailureKind::Upstream, why));
                }
                Standing::Refused(filter) => {
                    let why = format!("the broker {broker} refuses the topic `{filter}`");
                    return Err(Failure::new(FailureKind::Denied, why));
                }
            }
        }
        Ok(messages)
    }

    /// The plugin is gone: so are its connections and what came over them.
    pub(super) fn forget(&mut self, plugin: &PluginId) {
        self.plugins.remove(plugin);
    }
}

/// MQTT 3.1.1, section 4.7.
fn is_filter(filter: &str) -> bool {
    let last = filter.split('/').count() - 1;
    let sound = |(at, level): (usize, &str)| match level {
        "+" => true,
        "#" => at == last,
        level => !level.contains(['+', '#', '\0']),
    };
    !filter.is_empty()
        && filter.len() <= MAX_FILTER_BYTES
        && filter.split('/').enumerate().all(sound)
}

#[cfg(test)]
mod tests;
