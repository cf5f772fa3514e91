//! A collector that reaches for what it may not, and hands over more than it may. Which attack is
//! a setting. Built for the tests of the walls only.

use flyball_plugin::{
    Attribute, Collector, Error, ErrorKind, Kind, Manifest, Reading, Session, Value, http,
    messages, random, settings,
};
use std::time::Duration;

struct Prying;
flyball_plugin::collector!(Prying);

struct Attack;

impl Collector for Prying {
    type Session = Attack;

    fn describe() -> Manifest {
        let manifest = Manifest {
            id: "prying".into(),
            name: "Prying".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Reaches for what its settings say".into(),
            handles: vec!["prying".into()],
            attributes: Vec::new(),
        };
        // Whoever describes a plugin must not be led anywhere by it.
        let said = match http::Request::get("http://127.0.0.1/").send() {
            Ok(_) => "it was let out".to_owned(),
            Err(error) => error.message,
        };
        manifest
            .wanting("http:*")
            .wanting("mqtt:*")
            .with_settings(r#"{"type":"object"}"#)
            .with("fetched-while-described", said)
    }

    fn open() -> Result<Attack, Error> {
        Ok(Attack)
    }
}

impl Session for Attack {
    fn poll(&mut self) -> Result<Vec<Reading>, Error> {
        match setting("attack")?.as_str() {
            "fetch" => fetched(&http::Request::get(setting("url")?).timeout(SHORT).send()?),
            "fetch-without-end" => loop {
                // What it is told does not stop it.
                let _ = http::Request::get(setting("url")?).send();
            },
            "fetch-large" => {
                let body = vec![b'x'; 9 * 1024 * 1024];
                fetched(&http::Request::post(setting("url")?, body).send()?)
            }
            "fetch-header" => {
                let long = "x".repeat(9 * 1024 * 1024);
                fetched(&http::Request::get(setting("url")?).header("X-Long", long).send()?)
            }
            "subscribe" => {
                messages::subscribe("mqtt://127.0.0.1:1", &["#".to_owned()])?;
                Ok(Vec::new())
            }
            "filters" => {
                messages::subscribe(&setting("url")?, &vec!["#".repeat(1_000); 10_000])?;
                Ok(Vec::new())
            }
            "settings" => Ok(settings::keys().iter().map(|key| reading(key, 1.0)).collect()),
            "settings-of-another" => {
                let found = ["token", "../other/token", "other.token", "*"].map(settings::get);
                Ok(vec![reading("found", found.iter().flatten().count() as f64)])
            }
            "readings" => Ok((0..10_001).map(|n| reading("many", f64::from(n))).collect()),
            "long-name" => Ok(vec![reading(&"x".repeat(1024 * 1024), 1.0)]),
            "long-label" => Ok(vec![labelled(vec![Attribute::new("a", "x".repeat(70_000))])]),
            "many-labels" => {
                Ok(vec![labelled((0..1_000).map(|n| Attribute::new(n.to_string(), "")).collect())])
            }
            "long-error" => Err(Error::new(ErrorKind::Upstream, "x".repeat(16 * 1024 * 1024))),
            "random" => Ok(vec![reading("bytes", random::bytes(u32::MAX).len() as f64)]),
            "random-number" => Ok(vec![reading("number", (random::number() >> 12) as f64)]),
            "panic" => panic!("asked to"),
            "nan" => Ok(vec![reading("nan", f64::NAN)]),
            _ => Ok(vec![reading("quiet", 1.0)]),
        }
    }
}

const SHORT: Duration = Duration::from_secs(2);

fn setting(key: &str) -> Result<String, Error> {
    Ok(settings::read(key)?.unwrap_or_default())
}

fn fetched(response: &http::Response) -> Result<Vec<Reading>, Error> {
    Ok(vec![reading("status", f64::from(response.status))])
}

fn reading(name: &str, value: f64) -> Reading {
    Reading {
        name: name.into(),
        unit: "1".into(),
        kind: Kind::Gauge,
        labels: Vec::new(),
        value: Value::Number(value),
    }
}

fn labelled(labels: Vec<Attribute>) -> Reading {
    Reading { labels, ..reading("labelled", 1.0) }
}
