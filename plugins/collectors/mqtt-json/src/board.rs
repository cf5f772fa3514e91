//! The newest reading of every series, with the time of its message.

use crate::settings::Subscription;
use readings::{Absence, MAX_READINGS, Reading, Refused, Series};
use serde_json::Value;
use std::collections::BTreeMap;

/// Messages whose fault is named at one poll.
const MAX_NAMED: usize = 5;

#[derive(Debug, Default)]
pub(crate) struct Board {
    held: BTreeMap<Series, (Reading, u64)>,
}

impl Board {
    /// Takes messages that came by `now_ms`, and says what was wrong with them.
    pub(crate) fn take<'a>(
        &mut self,
        subscription: &Subscription,
        messages: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        now_ms: u64,
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut beyond = 0_usize;
        for (topic, payload) in messages {
            let Ok(document) = serde_json::from_slice::<Value>(payload) else {
                let topic: String = topic.chars().take(100).collect();
                warnings.push(format!("a message of {topic} is no JSON"));
                continue;
            };
            let levels: Vec<&str> = topic.split('/').collect();
            let fitting = subscription
                .mappings
                .iter()
                .filter(|mapping| mapping.topic.as_ref().is_none_or(|filter| filter.fits(topic)));
            let mut refused = Refused::default();
            let read = fitting.flat_map(|mapping| mapping.read(&document, &levels)).collect();
            for reading in refused.hold(read) {
                let series = reading.series();
                if self.held.len() < MAX_READINGS - 1 || self.held.contains_key(&series) {
                    self.held.insert(series, (reading, now_ms));
                } else {
                    beyond += 1;
                }
            }
            if !refused.is_empty() {
                warnings.push(format!("left out of a message of {topic}: {refused}"));
            }
        }
        if warnings.len() > MAX_NAMED {
            let further = warnings.len() - MAX_NAMED;
            warnings.truncate(MAX_NAMED);
            warnings.push(format!("and {further} more messages are wrong"));
        }
        if beyond > 0 {
            let most = MAX_READINGS - 1;
            warnings
                .push(format!("{beyond} readings beyond the {most} series taken; narrow `topics`"));
        }
        warnings
    }

    /// What stands at `now_ms`: too old is absent.
    pub(crate) fn readings(&self, subscription: &Subscription, now_ms: u64) -> Vec<Reading> {
        let show = |(reading, at_ms): &(Reading, u64)| {
            let age_ms = now_ms.saturating_sub(*at_ms);
            if age_ms > subscription.stale_after_ms {
                reading.clone().absent(Absence::NotReady)
            } else {
                reading.clone()
            }
        };
        self.held.values().map(show).collect()
    }
}
