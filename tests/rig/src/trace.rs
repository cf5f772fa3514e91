//! One run as the plant saw it: the truth, what the guest was shown, and what it did.

use std::fmt::Write;

/// Half an hour at four a second: a test that takes longer has gone astray.
const MAX_SAMPLES: usize = 8192;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub at_s: f64,
    /// The truth.
    pub celsius: f64,
    /// What the sensor shows.
    pub shown: f64,
    pub watts: f64,
    pub fan_percent: f64,
    pub cap_watts: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub at_s: f64,
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    pub samples: Vec<Sample>,
    pub marks: Vec<Mark>,
    /// The time base: when the trace was begun, in the plant's seconds.
    began_s: Option<f64>,
}

impl Trace {
    pub(crate) fn begin(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn push(&mut self, sample: Sample) {
        let began_s = *self.began_s.get_or_insert(sample.at_s);
        let sample = Sample { at_s: sample.at_s - began_s, ..sample };
        if self.samples.len() < MAX_SAMPLES {
            self.samples.push(sample);
        }
    }

    pub(crate) fn mark(&mut self, text: &str) {
        let at_s = self.elapsed_s();
        self.marks.push(Mark { at_s, text: text.to_owned() });
    }

    #[must_use]
    pub fn elapsed_s(&self) -> f64 {
        self.samples.last().map_or(0.0, |sample| sample.at_s)
    }

    #[must_use]
    pub fn peak_celsius(&self) -> f64 {
        self.samples.iter().map(|sample| sample.celsius).fold(f64::NEG_INFINITY, f64::max)
    }

    /// When a sample first was as `wanted`, from the mark `from` on.
    #[must_use]
    pub fn first(&self, from: &str, wanted: impl Fn(&Sample) -> bool) -> Option<f64> {
        let since = self.marks.iter().find(|mark| mark.text == from)?.at_s;
        let sample = self.samples.iter().find(|sample| sample.at_s >= since && wanted(sample))?;
        Some(sample.at_s - since)
    }

    /// The run as comma-separated values.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "seconds,celsius,shown,watts,fan_percent,cap_watts\n".to_owned();
        for s in &self.samples {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{:.2},{:.2},{:.2},{:.1},{:.0},{:.0}",
                s.at_s, s.celsius, s.shown, s.watts, s.fan_percent, s.cap_watts
            );
        }
        text
    }
}
