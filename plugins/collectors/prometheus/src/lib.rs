//! Endpoints in Prometheus' text format and OpenMetrics.
//!
//! What is parsed, bounded and named is plain functions; this file is what the world asks for.

mod exposition;
mod relabel;
mod scrape;
mod session;
mod settings;
mod unit;

#[cfg(test)]
mod tests;

use flyball_plugin::{Attribute, Collector, Error, Level, Manifest, Reading, Session, log};
use settings::{Endpoint, SCHEMA};

struct Prometheus;
flyball_plugin::collector!(Prometheus);

impl Collector for Prometheus {
    type Session = Scraping;

    fn describe() -> Manifest {
        Manifest {
            id: "prometheus".into(),
            name: "Prometheus endpoints".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Metrics in Prometheus' text format and OpenMetrics".into(),
            handles: vec!["prometheus".into()],
            attributes: vec![
                Attribute::new("settings-schema", SCHEMA),
                Attribute::new("wants", "http:*"),
            ],
        }
    }

    fn open() -> Result<Scraping, Error> {
        let endpoint = Endpoint::parse(&flyball_plugin::settings::get);
        Ok(Scraping(session::Session::new(endpoint.map_err(readings::guest::unsound)?)))
    }
}

struct Scraping(session::Session);

impl Session for Scraping {
    fn poll(&mut self) -> Result<Vec<Reading>, Error> {
        let polled = self.0.poll(readings::guest::fetch);
        for note in polled.notes {
            log(Level::Info, &note);
        }
        Ok(readings::guest::hand_over(polled.readings, polled.news))
    }
}
