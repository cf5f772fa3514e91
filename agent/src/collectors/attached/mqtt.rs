//! The broker's client: subscribes what the configuration names, at every connection anew.
//!
//! With TLS it believes the authorities of the configuration's file and nobody else.

use super::cause::Cause;
use super::door::{Door, Origin};
use crate::clock::Clock;
use crate::config::Mqtt;
use crate::logging::chain;
use rumqttc::SubscribeReasonCode;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS, SubscribeFilter};
use rumqttc::{TlsConfiguration, Transport};
use std::sync::Arc;
use std::time::Duration;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A larger packet ends the connection; one that is larger than a message may be is refused
/// without that.
const MAX_PACKET_BYTES: usize = 64 * 1024;
const MAX_REQUESTS: usize = 16;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Listens for ever.
pub(super) async fn listen(mqtt: Mqtt, filters: Vec<String>, door: Arc<Door>, clock: Clock) {
    let (client, mut events) = AsyncClient::new(options(&mqtt), MAX_REQUESTS);
    let mut wait = FIRST_WAIT;
    let mut reported = false;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(packet)) => {
                if let Packet::ConnAck(_) = packet {
                    wait = FIRST_WAIT;
                    reported = false;
                    tracing::info!(broker = %mqtt.broker, "the sensors' broker is connected");
                }
                handle(packet, &client, &filters, &door, clock);
            }
            Ok(Event::Outgoing(_)) => {}
            Err(error) => {
                if !std::mem::replace(&mut reported, true) {
                    let broker = &mqtt.broker;
                    let error = chain(&error);
                    tracing::warn!(%broker, error, "the sensors' broker is away; trying again");
                }
                rest(&mut events, wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// What was subscribed before is subscribed anew: its place in the queue is not needed.
async fn rest(events: &mut EventLoop, wait: Duration) {
    events.clean();
    tokio::time::sleep(wait).await;
}

pub(super) fn options(mqtt: &Mqtt) -> MqttOptions {
    let id = format!("flyball-{:016x}", crate::random::number());
    let (host, port) = mqtt.broker.parts();
    let mut options = MqttOptions::new(id, host, port);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_clean_session(true);
    options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
    if let Some(tls) = &mqtt.tls {
        let client = TlsConfiguration::Rustls(tls.client());
        options.set_transport(Transport::tls_with_config(client));
    }
    if let Some((username, password)) = &mqtt.login {
        options.set_credentials(username, password.reveal());
    }
    options
}

fn handle(packet: Packet, client: &AsyncClient, filters: &[String], door: &Door, clock: Clock) {
    match packet {
        Packet::ConnAck(_) => {
            let filters = filters.iter().map(|f| SubscribeFilter::new(f.clone(), QoS::AtLeastOnce));
            // The queue was emptied when the last connection ended.
            if client.try_subscribe_many(filters).is_err() {
                tracing::error!("the sensors' topics cannot be subscribed: the queue is full");
            }
        }
        Packet::SubAck(answer) => {
            for (filter, code) in filters.iter().zip(answer.return_codes) {
                if code == SubscribeReasonCode::Failure {
                    tracing::warn!(filter, "the broker refuses this subscription; see its rights");
                }
            }
        }
        Packet::Publish(publish) => take(&publish, door, clock),
        _ => {}
    }
}

fn take(publish: &Publish, door: &Door, clock: Clock) {
    if publish.retain {
        door.refuse(Cause::Retained, &publish.topic);
        return;
    }
    // It was counted and said; a publisher gets no answer.
    let _refused = door.take(Origin::Topic(&publish.topic), &publish.payload, clock.now());
}
