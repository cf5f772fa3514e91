//! The exact account of one device's samples: every tick of every series is there once, or is
//! in a named gap.

use flyball_harness::fleet::Api;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One series' ticks and gaps, as the API gives them.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) metric: String,
    pub(crate) reader: String,
    pub(crate) samples: BTreeSet<u64>,
    pub(crate) doubled: Vec<u64>,
    /// First tick, last tick, reason.
    pub(crate) gaps: Vec<(u64, u64, String)>,
}

impl Account {
    fn is_named(&self, tick: u64) -> bool {
        self.gaps.iter().any(|(from, to, _)| (*from..=*to).contains(&tick))
    }

    /// The whole seconds of the range that are neither sampled nor in a named gap.
    pub(crate) fn missing(&self, from_ms: u64, to_ms: u64) -> Vec<u64> {
        ticks(from_ms, to_ms)
            .filter(|tick| !self.samples.contains(tick) && !self.is_named(*tick))
            .collect()
    }

    /// How many ticks of the range are gaps for one of `reasons`.
    pub(crate) fn lost_to(&self, reasons: &[&str], from_ms: u64, to_ms: u64) -> usize {
        ticks(from_ms, to_ms)
            .filter(|tick| {
                !self.samples.contains(tick)
                    && self.gaps.iter().any(|(from, to, reason)| {
                        (*from..=*to).contains(tick) && reasons.contains(&reason.as_str())
                    })
            })
            .count()
    }
}

fn ticks(from_ms: u64, to_ms: u64) -> impl Iterator<Item = u64> {
    (from_ms.div_ceil(1000)..=to_ms / 1000).map(|second| second * 1000)
}

/// Reads the whole account of `device` between two moments.
pub(crate) fn read(api: &Api, device: &str, from_ms: u64, to_ms: u64) -> BTreeMap<String, Account> {
    let described = api.get(&format!("/api/v1/devices/{device}")).unwrap();
    let series = described.body["data"]["series"].as_array().unwrap().clone();
    assert!(!series.is_empty(), "the device has no series");
    // What is told more seldom, such as the plugins' cost, begins and ends with its own reasons.
    let each_second = |one: &&Value| one["cadence_ms"] == 1_000;
    let mut accounts: BTreeMap<String, Account> = series
        .iter()
        .filter(each_second)
        .map(|one| {
            let account = Account {
                metric: one["metric"].as_str().unwrap().to_owned(),
                reader: one["reader"].as_str().unwrap().to_owned(),
                ..Account::default()
            };
            (one["id"].as_str().unwrap().to_owned(), account)
        })
        .collect();
    // A range of the API ends before `to`, the account with it.
    let end_ms = to_ms + 1;
    let answer =
        api.get(&format!("/api/v1/devices/{device}/readings?from={from_ms}&to={end_ms}")).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["meta"]["truncated"], Value::Bool(false), "the answer is whole");
    for part in answer.body["data"].as_array().unwrap() {
        let id = part["series"]["id"].as_str().unwrap();
        if let Some(account) = accounts.get_mut(id) {
            take(account, part);
        }
    }
    accounts
}

fn take(account: &mut Account, part: &Value) {
    for point in part["points"].as_array().unwrap() {
        let tick = point[0].as_u64().unwrap();
        if !account.samples.insert(tick) {
            account.doubled.push(tick);
        }
    }
    for gap in part["gaps"].as_array().unwrap() {
        account.gaps.push((
            gap["from_ms"].as_u64().unwrap(),
            gap["to_ms"].as_u64().unwrap(),
            gap["reason"].as_str().unwrap().to_owned(),
        ));
    }
}
