//! A reading for every line `name number` of a page.

use flyball_plugin::{
    Absence, Attribute, Collector, Error, ErrorKind, Kind, Manifest, Reading, Session, Value, http,
    settings,
};
use std::time::Duration;

struct Page;
flyball_plugin::collector!(Page);

const PATIENCE: Duration = Duration::from_secs(5);
/// What can be set: a JSON Schema. Values that are not like it never come here.
const SETTINGS: &str = r#"{
  "type": "object", "additionalProperties": false, "required": ["url"],
  "properties": {
    "interval_s": {
      "type": "integer", "minimum": 1, "maximum": 3600, "title": "Seconds between two polls"
    },
    "url": { "type": "string", "pattern": "^https?://", "title": "Address of the page" },
    "token": { "type": "string", "writeOnly": true, "title": "Token of the requests" }
  }
}"#;

/// What is kept from one poll to the next.
struct Source {
    url: String,
    token: Option<String>,
    /// What the page had so far: it is absent while the page is away.
    known: Vec<String>,
}

impl Collector for Page {
    type Session = Source;

    fn describe() -> Manifest {
        let manifest = Manifest {
            id: "plugin-name".into(),
            name: "plugin-name".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "You".into(),
            licence: "MIT".into(),
            description: "A reading for every line of a page".into(),
            handles: vec!["plugin-name".into()],
            attributes: Vec::new(),
        };
        // The operator names the hosts that `*` stands for.
        manifest.wanting("http:*").with_settings(SETTINGS)
    }

    fn open() -> Result<Source, Error> {
        let url = settings::read("url")?;
        let url = url.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "`url` is not set"))?;
        Ok(Source { url, token: settings::read("token")?, known: Vec::new() })
    }
}

impl Source {
    fn fetch(&self) -> Result<String, Error> {
        let mut request = http::Request::get(&self.url).timeout(PATIENCE);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        request.send()?.sound()?.text().map(str::to_owned)
    }
}

impl Session for Source {
    fn poll(&mut self) -> Result<Vec<Reading>, Error> {
        let values = match self.fetch() {
            Ok(page) => values(&page),
            // A source that does not answer is no error: its readings are absent.
            Err(error) => {
                let why = match error.kind {
                    ErrorKind::Denied => Absence::Unauthorised,
                    _ => Absence::Unreachable,
                };
                self.known.iter().map(|name| (name.clone(), Value::Absent(why))).collect()
            }
        };
        self.known = values.iter().map(|(name, _)| name.clone()).collect();
        Ok(values.into_iter().map(reading).collect())
    }
}

/// Names and numbers; a line that is neither is left out.
fn values(page: &str) -> Vec<(String, Value)> {
    let value = |line: &str| {
        let (name, number) = line.split_once(' ')?;
        let value = number.trim().parse().map_or(Value::Absent(Absence::Malformed), Value::Number);
        Some((name.to_owned(), value))
    };
    page.lines().filter_map(value).collect()
}

fn reading((name, value): (String, Value)) -> Reading {
    Reading {
        name: "plugin-name.value".into(),
        unit: "1".into(),
        kind: Kind::Gauge,
        labels: vec![Attribute::new("name", name)],
        value,
    }
}
