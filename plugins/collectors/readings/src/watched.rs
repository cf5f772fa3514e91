//! A source from one poll to the next: what it had, whether it answers, and what has been said of
//! it already.

use crate::reading::{Absence, Kind, MAX_READINGS, Reading};

/// Why a poll gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub absence: Absence,
    pub why: String,
}

impl Failure {
    #[must_use]
    pub fn new(absence: Absence, why: impl Into<String>) -> Self {
        Self { absence, why: why.into() }
    }
}

/// What an answer of HTTP says by its status.
///
/// # Errors
/// Where it is none with a document.
pub fn check_status(status: u16) -> Result<(), Failure> {
    let absence = match status {
        200 => return Ok(()),
        401 | 403 | 407 => Absence::Unauthorised,
        404 | 405 | 406 | 410 | 501 => Absence::Unsupported,
        _ => Absence::Unreachable,
    };
    Err(Failure::new(absence, format!("it answers with status {status} instead of 200")))
}

/// What an operator is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Warning(String),
    Recovered(String),
}

#[derive(Clone, Debug)]
pub struct Watched {
    /// As an operator knows it, without secrets.
    source: String,
    known: Vec<Reading>,
    told: String,
}

impl Watched {
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), known: Vec::new(), told: String::new() }
    }

    /// The readings of one poll with `up` before them. Where the poll failed, those that are known
    /// are absent for that reason. `warnings` are told when they are others than before.
    pub fn settle(
        &mut self,
        polled: Result<Vec<Reading>, Failure>,
        warnings: &[String],
    ) -> (Vec<Reading>, Option<News>) {
        let up = Reading {
            name: "up".to_owned(),
            unit: "1".to_owned(),
            kind: Kind::Gauge,
            labels: vec![("source".to_owned(), self.source.clone())],
            value: Ok(if polled.is_ok() { 1.0 } else { 0.0 }),
        };
        let (rest, said) = match polled {
            Ok(mut readings) => {
                readings.retain(|reading| reading.series() != up.series());
                readings.truncate(MAX_READINGS - 1);
                self.known.clone_from(&readings);
                (readings, warnings.join("; "))
            }
            Err(Failure { absence, why }) => {
                let known = self.known.iter().cloned();
                let absent = known.map(|reading| reading.absent(absence)).collect();
                let said = [std::slice::from_ref(&why), warnings].concat().join("; ");
                (absent, said)
            }
        };
        let mut readings = Vec::with_capacity(rest.len() + 1);
        readings.push(up);
        readings.extend(rest);
        (readings, self.news(said))
    }

    /// Readings that are known before anything came.
    pub fn know(&mut self, readings: Vec<Reading>) {
        self.known = readings;
    }

    fn news(&mut self, said: String) -> Option<News> {
        if said == self.told {
            return None;
        }
        let source = &self.source;
        let news = match said.as_str() {
            "" => News::Recovered(format!("{source}: everything is read again")),
            said => News::Warning(format!("{source}: {said}")),
        };
        self.told = said;
        Some(news)
    }
}
