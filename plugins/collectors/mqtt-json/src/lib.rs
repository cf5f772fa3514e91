//! Readings in JSON messages of an MQTT broker, by the operator's mapping.
//!
//! What is read and how is plain functions; this file is what the world asks for.

mod board;
mod broker;
mod session;
mod settings;

#[cfg(test)]
mod tests;

use flyball_plugin::{Attribute, Collector, Error, Manifest, Reading, Session, clock, messages};
use readings::Filter;
use settings::{SCHEMA, Subscription};

struct MqttJson;
flyball_plugin::collector!(MqttJson);

impl Collector for MqttJson {
    type Session = Listening;

    fn describe() -> Manifest {
        Manifest {
            id: "mqtt-json".into(),
            name: "JSON over MQTT".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Readings in JSON messages of an MQTT broker, by a mapping".into(),
            handles: vec!["mqtt-json".into()],
            attributes: vec![
                Attribute::new("settings-schema", SCHEMA),
                Attribute::new("wants", "mqtt:*"),
            ],
        }
    }

    fn open() -> Result<Listening, Error> {
        let subscription = Subscription::parse(&flyball_plugin::settings::get);
        let subscription = subscription.map_err(readings::guest::unsound)?;
        let filters: Vec<String> =
            subscription.topics.iter().map(Filter::as_str).map(str::to_owned).collect();
        messages::subscribe(&subscription.broker.address(), &filters)?;
        Ok(Listening(session::Session::new(subscription)))
    }
}

struct Listening(session::Session);

impl Session for Listening {
    fn poll(&mut self) -> Result<Vec<Reading>, Error> {
        let taken = messages::take(session::MOST)
            .map(|taken| taken.into_iter().map(|it| (it.topic, it.payload)).collect())
            .map_err(readings::guest::failure);
        let (readings, news) = self.0.poll(taken, clock::monotonic_ms());
        Ok(readings::guest::hand_over(readings, news))
    }
}
