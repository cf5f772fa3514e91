//! `/metrics`: the server's counters and the newest value of every series, in OpenMetrics' text.
//!
//! OpenTelemetry's names are mapped as its compatibility page says: dots become underscores, the
//! unit is a suffix, attributes are labels. Without a token it is open to loopback listeners
//! only.

use super::Api;
use super::auth::{Identity, unauthorized};
use super::error::{ErrorCode, Problem};
use crate::fleet::SubjectQuery;
use crate::page::PageRequest;
use crate::telemetry::{LatestValue, Unit};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Devices whose names are looked up.
const MAX_DEVICES: u32 = 10_000;

pub(crate) async fn metrics(State(api): State<Api>, request: Request) -> Response {
    let open = api.app.config.api.ip().is_loopback();
    match request.extensions().get::<Identity>() {
        Some(Identity::Known(_)) => {}
        Some(Identity::Refused(code)) => return unauthorized(*code).into_response(),
        _ if open => {}
        _ => return unauthorized(ErrorCode::Unauthorized).into_response(),
    }
    match expose(&api).await {
        Ok(text) => {
            let mut response = text.into_response();
            let media_type = HeaderValue::from_static(MEDIA_TYPE);
            response.headers_mut().insert(header::CONTENT_TYPE, media_type);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn expose(api: &Api) -> Result<String, Problem> {
    let page = PageRequest::first(MAX_DEVICES);
    let query = SubjectQuery { gateway: None, kind: None, page };
    let devices = api.app.fleet.subjects(&query).await.map_err(Problem::internal)?;
    let names: HashMap<_, _> =
        devices.items.iter().map(|subject| (subject.id(), subject.name().to_owned())).collect();
    let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (device, values) in api.app.latest.all() {
        let name = names.get(&device).map_or("", String::as_str);
        let labels = [("device_id", device.to_string()), ("device_name", name.to_owned())];
        for value in &values {
            if let Some((family, line)) = sample(&labels, value) {
                families.entry(family).or_default().push(line);
            }
        }
    }
    let counters = api.app.metrics.expose().map_err(Problem::internal)?;
    let mut text = counters.trim_end().trim_end_matches("# EOF").to_owned();
    for (family, lines) in families {
        text.push_str(&format!("# TYPE {family} gauge\n"));
        for line in lines {
            text.push_str(&line);
        }
    }
    text.push_str("# EOF\n");
    Ok(text)
}

/// The metric's name and its line; none where there is no value now.
fn sample(device: &[(&str, String)], latest: &LatestValue) -> Option<(String, String)> {
    let value = latest.value.ok()?;
    let series = &latest.series;
    let family = family(&series.metric, series.unit);
    let mut line = format!("{family}{{");
    let own = series.attributes.iter().map(|(key, value)| (word(key), value.clone()));
    let given = device.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    for (index, (key, value)) in given.chain(own).enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(line, "{comma}{key}=\"{}\"", escape(&value)).ok()?;
    }
    let seconds = latest.at_ms as f64 / 1_000.0;
    writeln!(line, "}} {value} {seconds}").ok()?;
    Some((family, line))
}

fn family(metric: &str, unit: Unit) -> String {
    let name = word(metric);
    let suffix = match unit {
        Unit::Celsius => "celsius",
        Unit::Watt => "watts",
        Unit::Joule => "joules",
        Unit::Volt => "volts",
        Unit::Ampere => "amperes",
        Unit::Rpm => "rpm",
        Unit::One => "ratio",
        Unit::Byte => "bytes",
        Unit::Hertz => "hertz",
        Unit::Second => "seconds",
        Unit::Count => return name,
        Unit::BytePerSecond => "bytes_per_second",
        Unit::Percent => "percent",
    };
    if name.ends_with(suffix) { name } else { format!("{name}_{suffix}") }
}

fn word(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let word: String = letters.collect();
    if word.starts_with(|c: char| c.is_ascii_digit()) { format!("_{word}") } else { word }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Kind, Reader, SeriesId, SeriesInfo};
    use std::sync::Arc;

    #[test]
    fn a_series_becomes_a_line_with_its_unit_and_labels() {
        let series = SeriesInfo {
            id: SeriesId(1),
            metric: "hw.temperature".into(),
            kind: Kind::Temperature,
            unit: Unit::Celsius,
            attributes: vec![("hw.id".into(), "a\"b".into())],
            cadence_ms: 1_000,
            reader: Reader::Guard,
        };
        let latest = LatestValue { series: Arc::new(series), at_ms: 1_500, value: Ok(41.5) };
        let (family, line) = sample(&[("device_id", "d".into())], &latest).unwrap();
        assert_eq!(family, "hw_temperature_celsius");
        assert_eq!(line, "hw_temperature_celsius{device_id=\"d\",hw_id=\"a\\\"b\"} 41.5 1.5\n");
    }

    #[test]
    fn a_unit_is_not_said_twice() {
        assert_eq!(family("hw.fan.speed_ratio", Unit::One), "hw_fan_speed_ratio");
        assert_eq!(family("system.process.count", Unit::Count), "system_process_count");
    }
}
