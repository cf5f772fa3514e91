//! One connection to a broker: subscribed anew each time it comes up, ended when it is dropped.

use super::address::BrokerAddress;
use super::board::{Board, lock};
use crate::logging::chain;
use rumqttc::SubscribeReasonCode;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS, SubscribeFilter};
use rumqttc::{TlsConfiguration, Transport};
use rustls::ClientConfig;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A larger message ends the connection.
const MAX_PACKET_BYTES: usize = 64 * 1024;
const MAX_REQUESTS: usize = 16;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was just begun.
    Connecting,
    Listening,
    /// It broke or never came up, for this reason; it is tried again.
    Away(String),
    /// The broker does not let it have this filter.
    Refused(String),
}

#[derive(Debug)]
pub(super) struct Connection {
    filters: Vec<String>,
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
}

impl Connection {
    pub(super) fn start(
        broker: &BrokerAddress,
        filters: Vec<String>,
        tls: &Arc<ClientConfig>,
        board: Arc<Mutex<Board>>,
    ) -> Self {
        let (told, standing) = watch::channel(Standing::Connecting);
        let (client, events) = AsyncClient::new(options(broker, tls), MAX_REQUESTS);
        let listener = Listener { client, filters: filters.clone(), board, told };
        let task = tokio::spawn(listener.listen(events, broker.to_string()));
        Self { filters, standing, task }
    }

    pub(super) fn filters(&self) -> &[String] {
        &self.filters
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn options(broker: &BrokerAddress, tls: &Arc<ClientConfig>) -> MqttOptions {
    let id = format!("flyball-{:016x}", crate::random::number());
    let mut options = MqttOptions::new(id, broker.host.clone(), broker.port);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_clean_session(true);
    options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
    if broker.tls {
        let client = TlsConfiguration::Rustls(Arc::clone(tls));
        options.set_transport(Transport::tls_with_config(client));
    }
    if let Some((name, password)) = &broker.login {
        options.set_credentials(name, password);
    }
    options
}

struct Listener {
    client: AsyncClient,
    filters: Vec<String>,
    board: Arc<Mutex<Board>>,
    told: watch::Sender<Standing>,
}

impl Listener {
    /// Until it is aborted.
    async fn listen(self, mut events: EventLoop, broker: String) {
        let mut wait = FIRST_WAIT;
        loop {
            match events.poll().await {
                Ok(Event::Incoming(packet)) => {
                    if let Packet::ConnAck(_) = packet {
                        wait = FIRST_WAIT;
                    }
                    self.handle(packet);
                }
                Ok(Event::Outgoing(_)) => {}
                Err(error) => {
                    let why = chain(&error);
                    tracing::debug!(broker, why, "a plugin's broker is away; trying again");
                    self.told.send_replace(Standing::Away(why));
                    // What was subscribed before is subscribed anew: its place in the queue is
                    // not needed.
                    events.clean();
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    fn handle(&self, packet: Packet) {
        match packet {
            Packet::ConnAck(_) => {
                let filters = self.filters.iter();
                let filters = filters.map(|it| SubscribeFilter::new(it.clone(), QoS::AtLeastOnce));
                // The queue was emptied when the last connection ended.
                if self.client.try_subscribe_many(filters).is_err() {
                    self.told.send_replace(Standing::Away("its queue is full".to_owned()));
                }
            }
            Packet::SubAck(answer) => {
                let refused = self
                    .filters
                    .iter()
                    .zip(answer.return_codes)
                    .find(|(_, code)| *code == SubscribeReasonCode::Failure);
                self.told.send_replace(match refused {
                    Some((filter, _)) => Standing::Refused(filter.clone()),
                    None => Standing::Listening,
                });
            }
            // The broker kept it for later subscribers, and nobody knows how old it is.
            Packet::Publish(publish) if publish.retain => {}
            Packet::Publish(publish) => lock(&self.board).put(&publish.topic, &publish.payload),
            _ => {}
        }
    }
}
