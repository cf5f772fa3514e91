//! Readings in a JSON document over HTTP, by the operator's mapping.
//!
//! What is read and how is plain functions; this file is what the world asks for.

mod document;
mod session;
mod settings;

#[cfg(test)]
mod tests;

use flyball_plugin::{Attribute, Collector, Error, Manifest, Reading, Session};
use settings::{Endpoint, SCHEMA};

struct HttpJson;
flyball_plugin::collector!(HttpJson);

impl Collector for HttpJson {
    type Session = Asking;

    fn describe() -> Manifest {
        Manifest {
            id: "http-json".into(),
            name: "JSON over HTTP".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Readings in a JSON document over HTTP, by a mapping".into(),
            handles: vec!["http-json".into()],
            attributes: vec![
                Attribute::new("settings-schema", SCHEMA),
                Attribute::new("wants", "http:*"),
            ],
        }
    }

    fn open() -> Result<Asking, Error> {
        let endpoint = Endpoint::parse(&flyball_plugin::settings::get);
        Ok(Asking(session::Session::new(endpoint.map_err(readings::guest::unsound)?)))
    }
}

struct Asking(session::Session);

impl Session for Asking {
    fn poll(&mut self) -> Result<Vec<Reading>, Error> {
        let (readings, news) = self.0.poll(readings::guest::fetch);
        Ok(readings::guest::hand_over(readings, news))
    }
}
