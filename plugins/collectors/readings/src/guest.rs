//! Between these words and those of the world `collector`.

use crate::fetch::{Request, Response, unfetched};
use crate::reading::{Absence, Kind, Reading};
use crate::settings::Faults;
use crate::watched::{Failure, News};
use flyball_plugin::http;
use flyball_plugin::{Attribute, Error, ErrorKind, Level, log};

/// Settings that are not sound, as the operator is told.
#[must_use]
pub fn unsound(faults: Faults) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("the settings are not sound: {faults}"))
}

/// What the agent fetched.
///
/// # Errors
/// Where it fetched nothing.
pub fn fetch(request: Request) -> Result<Response, Failure> {
    let headers = request.headers.into_iter().map(|(name, value)| http::Header { name, value });
    let answer = http::fetch(&http::Request {
        method: "GET".to_owned(),
        url: request.url,
        headers: headers.collect(),
        body: Vec::new(),
        timeout_ms: None,
    });
    let answer = answer.map_err(failure)?;
    let headers = answer.headers.into_iter().map(|header| (header.name, header.value)).collect();
    Ok(Response { status: answer.status, headers, body: answer.body })
}

/// Why the agent did not do what it was asked.
#[must_use]
pub fn failure(error: Error) -> Failure {
    unfetched(error.kind == ErrorKind::Denied, &error.message)
}

/// The readings as the world has them; the news go to the operator's log.
#[must_use]
pub fn hand_over(readings: Vec<Reading>, news: Option<News>) -> Vec<flyball_plugin::Reading> {
    match news {
        None => {}
        Some(News::Warning(said)) => log(Level::Warn, &said),
        Some(News::Recovered(said)) => log(Level::Info, &said),
    }
    readings.into_iter().map(reading).collect()
}

fn reading(reading: Reading) -> flyball_plugin::Reading {
    let labels = reading.labels.into_iter().map(|(key, value)| Attribute { key, value });
    flyball_plugin::Reading {
        name: reading.name,
        unit: reading.unit,
        kind: match reading.kind {
            Kind::Gauge => flyball_plugin::Kind::Gauge,
            Kind::Counter => flyball_plugin::Kind::Counter,
        },
        labels: labels.collect(),
        value: match reading.value {
            Ok(value) => flyball_plugin::Value::Number(value),
            Err(why) => flyball_plugin::Value::Absent(absence(why)),
        },
    }
}

fn absence(why: Absence) -> flyball_plugin::Absence {
    match why {
        Absence::NotReady => flyball_plugin::Absence::NotReady,
        Absence::Unreachable => flyball_plugin::Absence::Unreachable,
        Absence::Unauthorised => flyball_plugin::Absence::Unauthorised,
        Absence::Unsupported => flyball_plugin::Absence::Unsupported,
        Absence::OutOfRange => flyball_plugin::Absence::OutOfRange,
        Absence::Malformed => flyball_plugin::Absence::Malformed,
    }
}
