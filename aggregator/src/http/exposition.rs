//! `/metrics`: the server's counters and the newest value of every series, as Prometheus reads
//! them; in OpenMetrics' text where the client asks for it.
//!
//! A value that is no longer fresh is left out, so that nobody takes it for what is there now.
//! Without a token it is open to loopback listeners only.

use super::Api;
use super::accept::Accept;
use super::auth::{Identity, unauthorized};
use super::error::{ErrorCode, Problem};
use crate::export::naming;
use crate::fleet::SubjectQuery;
use crate::http::resources::devices::sight;
use crate::listing::Listing;
use crate::page::PageRequest;
use crate::telemetry::LatestValue;
use crate::tenancy::Sight;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

/// Devices whose names are looked up.
const MAX_DEVICES: u32 = 10_000;
/// An older value is stale, unless its series comes more rarely.
const FRESH_MS: u64 = 5 * 60 * 1_000;
const FRESH_CADENCES: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Prometheus,
    OpenMetrics,
}

/// One family: its type and help, and each sample's time and value by its labels.
#[derive(Debug)]
struct Family {
    counter: bool,
    help: String,
    samples: BTreeMap<String, (u64, f64)>,
}

pub(crate) async fn metrics(State(api): State<Api>, accept: Accept, request: Request) -> Response {
    let open = api.app.config.api.ip().is_loopback();
    let sight = match request.extensions().get::<Identity>() {
        Some(Identity::Known(caller)) => match sight(&api, caller).await {
            Ok(sight) => sight,
            Err(problem) => return problem.into_response(),
        },
        Some(Identity::Refused(code)) => return unauthorized(*code).into_response(),
        _ if open => Sight::Everything,
        _ => return unauthorized(ErrorCode::Unauthorized).into_response(),
    };
    let text = match accept.choose(&["text/plain", "application/openmetrics-text"]) {
        Ok(1) => Text::OpenMetrics,
        Ok(_) | Err(_) => Text::Prometheus,
    };
    match expose(&api, &sight, text).await {
        Ok(body) => {
            let mut response = body.into_response();
            let media_type = HeaderValue::from_static(text.media_type());
            response.headers_mut().insert(header::CONTENT_TYPE, media_type);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn expose(api: &Api, sight: &Sight, text: Text) -> Result<String, Problem> {
    let page = PageRequest::first(MAX_DEVICES);
    let query =
        SubjectQuery { gateway: None, listing: Listing::default(), sight: sight.clone(), page };
    let devices = api.app.fleet.subjects(&query).await.map_err(Problem::internal)?;
    let names: HashMap<_, _> =
        devices.items.iter().map(|subject| (subject.id(), subject.name().to_owned())).collect();
    let now_ms = api.app.clock.now_ms();
    let mut families = BTreeMap::new();
    let seen = api.app.latest.all().into_iter().filter(|(device, _)| sight.sees(*device));
    for (device, values) in seen {
        let name = names.get(&device).map_or("", String::as_str);
        let labels = [("device_id", device.to_string()), ("device_name", name.to_owned())];
        for value in values.iter().filter(|value| is_fresh(value, now_ms)) {
            add(&mut families, &labels, value);
        }
    }
    let counters = api.app.metrics.expose().map_err(Problem::internal)?;
    let mut body = text.own(&counters);
    for (name, family) in &families {
        text.write(&mut body, name, family);
    }
    if text == Text::OpenMetrics {
        body.push_str("# EOF\n");
    }
    Ok(body)
}

fn is_fresh(value: &LatestValue, now_ms: u64) -> bool {
    let cadences_ms = u64::from(value.series.cadence_ms) * FRESH_CADENCES;
    now_ms.saturating_sub(value.at_ms) <= cadences_ms.max(FRESH_MS)
}

/// Of samples with the same labels the newest stands.
fn add(families: &mut BTreeMap<String, Family>, device: &[(&str, String)], latest: &LatestValue) {
    let Ok(value) = latest.value else { return };
    let series = &latest.series;
    let counter = naming::is_counter(series);
    let name = naming::family(&series.metric, series.unit, counter);
    let family = families.entry(name).or_insert_with(|| Family {
        counter,
        help: format!("{} in {}, as it was read last", series.metric, series.unit.ucum()),
        samples: BTreeMap::new(),
    });
    let labels = naming::labels(device, series);
    let labels: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect();
    let sample = family.samples.entry(labels.join(",")).or_insert((latest.at_ms, value));
    if sample.0 < latest.at_ms {
        *sample = (latest.at_ms, value);
    }
}

impl Text {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// A family and its samples; writing to a text does not fail.
    fn write(self, body: &mut String, name: &str, family: &Family) {
        let kind = if family.counter { "counter" } else { "gauge" };
        let total = if family.counter && !name.ends_with("_total") { "_total" } else { "" };
        // OpenMetrics names the family, Prometheus its samples.
        let named = match self {
            Self::Prometheus => format!("{name}{total}"),
            Self::OpenMetrics => name.to_owned(),
        };
        let _ = writeln!(body, "# HELP {named} {}", family.help);
        let _ = writeln!(body, "# TYPE {named} {kind}");
        for (labels, (at_ms, value)) in &family.samples {
            let value = number(*value);
            let _ = match self {
                Self::Prometheus => writeln!(body, "{name}{total}{{{labels}}} {value} {at_ms}"),
                Self::OpenMetrics => {
                    let seconds = *at_ms as f64 / 1_000.0;
                    writeln!(body, "{name}{total}{{{labels}}} {value} {seconds}")
                }
            };
        }
    }

    /// The server's own counters, which are written in OpenMetrics' text.
    fn own(self, counters: &str) -> String {
        let counters = counters.trim_end().trim_end_matches("# EOF");
        if self == Self::OpenMetrics {
            return counters.to_owned();
        }
        let about = |line: &'_ str| -> Option<(String, String, String)> {
            let mut parts = line.strip_prefix("# ")?.splitn(3, ' ');
            Some((parts.next()?.into(), parts.next()?.into(), parts.next()?.into()))
        };
        let totals: BTreeSet<String> = counters
            .lines()
            .filter_map(about)
            .filter(|(word, _, kind)| word == "TYPE" && kind == "counter")
            .map(|(_, name, _)| name)
            .collect();
        let mut text = String::with_capacity(counters.len());
        for line in counters.lines() {
            match about(line) {
                Some((word, name, rest)) if totals.contains(&name) => {
                    let _ = writeln!(text, "# {word} {name}_total {rest}");
                }
                Some((word, ..)) if word == "UNIT" => {}
                Some(_) | None => {
                    let _ = writeln!(text, "{line}");
                }
            }
        }
        text
    }
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Kind, Reader, SeriesId, SeriesInfo, Unit};
    use std::sync::Arc;

    fn latest(metric: &str, unit: Unit, at_ms: u64, value: f64) -> LatestValue {
        let series = SeriesInfo {
            id: SeriesId(1),
            metric: metric.into(),
            kind: Kind::Temperature,
            unit,
            attributes: vec![("hw.id".into(), "a\"b".into())],
            cadence_ms: 1_000,
            reader: Reader::Guard,
        };
        LatestValue { series: Arc::new(series), at_ms, value: Ok(value) }
    }

    fn written(text: Text, values: &[LatestValue]) -> String {
        let mut families = BTreeMap::new();
        for value in values {
            add(&mut families, &[("device_id", "d".into())], value);
        }
        let mut body = String::new();
        families.iter().for_each(|(name, family)| text.write(&mut body, name, family));
        body
    }

    #[test]
    fn a_series_becomes_a_line_in_the_words_of_each_text() {
        let values = [
            latest("hw.temperature", Unit::Celsius, 1_500, 41.5),
            latest("hw.temperature", Unit::Celsius, 2_500, 42.5),
            latest("hw.energy", Unit::Joule, 1_000, f64::INFINITY),
        ];
        insta::assert_snapshot!(written(Text::Prometheus, &values), @r#"
        # HELP hw_energy_joules_total hw.energy in J, as it was read last
        # TYPE hw_energy_joules_total counter
        hw_energy_joules_total{device_id="d",hw_id="a\"b"} +Inf 1000
        # HELP hw_temperature_celsius hw.temperature in Cel, as it was read last
        # TYPE hw_temperature_celsius gauge
        hw_temperature_celsius{device_id="d",hw_id="a\"b"} 42.5 2500
        "#);
        insta::assert_snapshot!(written(Text::OpenMetrics, &values[2..]), @r#"
        # HELP hw_energy_joules hw.energy in J, as it was read last
        # TYPE hw_energy_joules counter
        hw_energy_joules_total{device_id="d",hw_id="a\"b"} +Inf 1
        "#);
    }

    #[test]
    fn a_value_is_shown_while_it_is_fresh() {
        let mut value = latest("hw.temperature", Unit::Celsius, 1_000, 1.0);
        assert!(is_fresh(&value, 301_000) && !is_fresh(&value, 301_001));
        Arc::make_mut(&mut value.series).cadence_ms = 3_600_000;
        assert!(is_fresh(&value, 301_001));
    }

    #[test]
    fn the_servers_own_counters_end_in_total_in_both_texts() {
        let own = "# HELP c Things.\n# TYPE c counter\nc_total 3\n# HELP g Now.\n# TYPE g gauge\n\
                   # UNIT g seconds\ng 1\n# EOF\n";
        let expected = "# HELP c_total Things.\n# TYPE c_total counter\nc_total 3\n\
                        # HELP g Now.\n# TYPE g gauge\ng 1\n";
        assert_eq!(Text::Prometheus.own(own), expected);
    }
}
