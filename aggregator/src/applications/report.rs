//! One report, and what may be wrong with it.

use crate::access::UserId;
use std::collections::BTreeMap;

/// An id, and a client's id or name, has at most so many characters.
pub const MAX_TEXT: usize = 128;
/// Metrics under names of their own in one report.
pub const MAX_CUSTOM: usize = 32;
/// A custom metric's name has at most so many characters.
pub const MAX_NAME: usize = 64;
/// How far an application's clock may be ahead.
pub const MAX_AHEAD_MS: u64 = 5 * 60 * 1_000;
/// No number is farther from 0, so that sums and differences of them stay finite.
pub const MAX_MAGNITUDE: f64 = 1e300;

#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The application's own: the same id again is the same report again.
    pub id: String,
    pub client_id: String,
    pub client_name: Option<String>,
    pub at_ms: u64,
    pub memory_mb: Option<f64>,
    /// More than 100 where it counts several cores.
    pub cpu_percent: Option<f64>,
    pub network_latency_ms: Option<f64>,
    pub custom_metrics: BTreeMap<String, f64>,
}

/// Which reports, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportQuery {
    /// Only what this account sent.
    pub sender: Option<UserId>,
    pub client_id: Option<String>,
    /// The caller has bounded it.
    pub limit: u32,
}

/// What is wrong with a report, and what to send instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error("has to be 1 to {MAX_TEXT} characters, none of them a control character")]
    Text { field: &'static str },
    #[error("has to be a number from 0 to {MAX_MAGNITUDE:e}; leave it out where there is none")]
    Number { field: &'static str },
    #[error(
        "is {} s ahead of this server's clock, at most {} s are taken; \
         set the application's clock, or leave timestamp out",
        .ahead_ms.div_ceil(1_000), MAX_AHEAD_MS / 1_000
    )]
    Ahead { ahead_ms: u64 },
    #[error("has {0} metrics, at most {MAX_CUSTOM} are taken; leave the others out")]
    Many(usize),
    #[error(
        "`{}` is no name: write 1 to {MAX_NAME} characters, none of them a control character",
        shown(.name)
    )]
    Name { name: String },
    #[error(
        "`{}` has to be a number from -{MAX_MAGNITUDE:e} to {MAX_MAGNITUDE:e}; \
         leave it out where there is none",
        shown(.name)
    )]
    Value { name: String },
}

impl Fault {
    /// The field that it is about.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Text { field } | Self::Number { field } => field,
            Self::Ahead { .. } => "timestamp",
            Self::Many(_) | Self::Name { .. } | Self::Value { .. } => "custom_metrics",
        }
    }
}

impl Report {
    /// Everything that is wrong with it, at once.
    #[must_use]
    pub fn faults(&self, now_ms: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        let texts = [
            ("id", Some(&self.id)),
            ("client_id", Some(&self.client_id)),
            ("client_name", self.client_name.as_ref()),
        ];
        let wrong = texts.iter().filter(|(_, text)| text.is_some_and(|text| !is_name(text)));
        faults.extend(wrong.map(|(field, _)| Fault::Text { field }));
        let ahead_ms = self.at_ms.saturating_sub(now_ms);
        if ahead_ms > MAX_AHEAD_MS {
            faults.push(Fault::Ahead { ahead_ms });
        }
        let numbers = [
            ("memory_mb", self.memory_mb),
            ("cpu_percent", self.cpu_percent),
            ("network_latency_ms", self.network_latency_ms),
        ];
        let within = |number: f64| (0.0..=MAX_MAGNITUDE).contains(&number);
        let wrong = numbers.iter().filter(|(_, number)| number.is_some_and(|it| !within(it)));
        faults.extend(wrong.map(|(field, _)| Fault::Number { field }));
        faults.extend(self.custom_faults());
        faults
    }

    fn custom_faults(&self) -> Vec<Fault> {
        let count = self.custom_metrics.len();
        if count > MAX_CUSTOM {
            return vec![Fault::Many(count)];
        }
        let fault = |(name, value): (&String, &f64)| {
            if !is_text(name, MAX_NAME) {
                return Some(Fault::Name { name: name.clone() });
            }
            let within = value.abs() <= MAX_MAGNITUDE;
            (!within).then(|| Fault::Value { name: name.clone() })
        };
        self.custom_metrics.iter().filter_map(fault).collect()
    }
}

/// May it be an id, or a client's id or name?
#[must_use]
pub fn is_name(text: &str) -> bool {
    is_text(text, MAX_TEXT)
}

/// Control characters are nobody's name, and PostgreSQL stores no NUL.
fn is_text(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// The beginning of a name that may be of any length and hold anything.
fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_795_298_300_000;

    fn report(change: impl FnOnce(&mut Report)) -> Report {
        let mut report = Report {
            id: "metric-1".into(),
            client_id: "tab-1".into(),
            client_name: Some("Chrome on macOS".into()),
            at_ms: NOW_MS,
            memory_mb: Some(512.0),
            cpu_percent: Some(145.2),
            network_latency_ms: None,
            custom_metrics: BTreeMap::from([("stt_latency".into(), -150.0)]),
        };
        change(&mut report);
        report
    }

    #[test]
    fn a_report_within_its_bounds_has_no_fault() {
        assert_eq!(report(|_| {}).faults(NOW_MS), []);
        let widest = report(|it| {
            it.id = "é".repeat(MAX_TEXT);
            it.at_ms = NOW_MS + MAX_AHEAD_MS;
            it.memory_mb = Some(MAX_MAGNITUDE);
            it.custom_metrics = (0..MAX_CUSTOM).map(|n| (format!("{n:064}"), 0.0)).collect();
        });
        assert_eq!(widest.faults(NOW_MS), []);
        assert_eq!(report(|it| it.at_ms = 0).faults(NOW_MS), []);
    }

    #[test]
    fn each_bound_is_held_and_names_its_field() {
        let of = |change: fn(&mut Report)| report(change).faults(NOW_MS);
        assert_eq!(of(|it| it.id = String::new()), [Fault::Text { field: "id" }]);
        assert_eq!(of(|it| it.client_id = "a\0b".into()), [Fault::Text { field: "client_id" }]);
        let long = of(|it| it.client_name = Some("x".repeat(MAX_TEXT + 1)));
        assert_eq!(long, [Fault::Text { field: "client_name" }]);
        let ahead = of(|it| it.at_ms = NOW_MS + MAX_AHEAD_MS + 1);
        assert_eq!(ahead, [Fault::Ahead { ahead_ms: MAX_AHEAD_MS + 1 }]);
        assert_eq!(of(|it| it.memory_mb = Some(-1.0)), [Fault::Number { field: "memory_mb" }]);
        let none = of(|it| it.cpu_percent = Some(f64::NAN));
        assert_eq!(none, [Fault::Number { field: "cpu_percent" }]);
        let endless = of(|it| it.network_latency_ms = Some(f64::INFINITY));
        assert_eq!(endless, [Fault::Number { field: "network_latency_ms" }]);
        let many =
            of(|it| it.custom_metrics = (0..=MAX_CUSTOM).map(|n| (n.to_string(), 0.0)).collect());
        assert_eq!(many, [Fault::Many(MAX_CUSTOM + 1)]);
        let unnamed = of(|it| it.custom_metrics = BTreeMap::from([(String::new(), 1.0)]));
        assert_eq!(unnamed, [Fault::Name { name: String::new() }]);
        let numberless = of(|it| it.custom_metrics = BTreeMap::from([("a".into(), f64::MAX)]));
        assert_eq!(numberless, [Fault::Value { name: "a".into() }]);
        assert!(many.iter().chain(&numberless).all(|fault| fault.field() == "custom_metrics"));
    }

    #[test]
    fn all_faults_are_told_at_once_and_say_what_to_do() {
        let faults = report(|it| {
            it.id = String::new();
            it.at_ms = NOW_MS + 3_600_000;
            it.custom_metrics = BTreeMap::from([("x\n".repeat(900), 1.0)]);
        })
        .faults(NOW_MS);
        let told: Vec<(&str, String)> =
            faults.iter().map(|fault| (fault.field(), fault.to_string())).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told[1].0, "timestamp");
        assert!(told[1].1.contains("3600 s ahead") && told[1].1.contains("leave timestamp out"));
        assert!(told[2].1.len() < 200 && !told[2].1.contains('\n'), "{}", told[2].1);
    }
}
