//! What a run leaves behind: a row on standard output, and in the documentation where
//! `FLYBALL_BLESS` asks for it.

use flyball_rig::{Trace, draw};
use std::fmt::Write;
use std::fs::{self, File};
use std::path::PathBuf;

const HEAD: &str = "| scenario | highest | fan full | capped | smallest cap | what the guard said | end |\n\
                    |---|---|---|---|---|---|---|\n";
/// The order of the table. Each run of a test writes its own rows.
const ORDER: [&str; 11] = [
    "load rises",
    "the network is cut",
    "the agent is killed",
    "the sensor freezes",
    "the fan seizes",
    "the disk is full",
    "eight programs spin",
    "the clock is set back",
    "the guard is killed and started again",
    "fan and cap lose their effect",
    "the guard is killed for good",
];

/// One scenario: how hot it became, and how long each step took from the load's rise.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    what: String,
    peak_celsius: f64,
    fan_s: Option<f64>,
    pub(crate) capped_s: Option<f64>,
    least_cap_s: Option<f64>,
    said: Option<String>,
    lasted_s: f64,
    /// How the machine ended, where it did.
    end: Option<&'static str>,
}

impl Row {
    pub(crate) fn of(what: &str, trace: &Trace, said: Option<String>) -> Self {
        // 400 W is no cap and 50 W the smallest: `guest/plant.asl`.
        Self {
            what: what.to_owned(),
            peak_celsius: trace.peak_celsius(),
            fan_s: trace.first("load", |sample| sample.fan_percent > 90.0),
            capped_s: trace.first("load", |sample| sample.cap_watts < 400.0),
            least_cap_s: trace.first("load", |sample| sample.cap_watts < 50.5),
            said,
            lasted_s: trace.elapsed_s(),
            end: None,
        }
    }

    /// The same, of a machine that ended.
    pub(crate) fn ended(self, how: &'static str) -> Self {
        Self { end: Some(how), ..self }
    }

    fn line(&self) -> String {
        let seconds = |span: Option<f64>| span.map_or("–".to_owned(), |s| format!("{s:.1} s"));
        let end = self
            .end
            .map_or("goes on".to_owned(), |how| format!("{how} after {:.1} s", self.lasted_s));
        format!(
            "| {} | {:.1} °C | {} | {} | {} | {} | {end} |",
            self.what,
            self.peak_celsius,
            seconds(self.fan_s),
            seconds(self.capped_s),
            seconds(self.least_cap_s),
            self.said.as_deref().unwrap_or("–")
        )
    }
}

/// Says a row, and puts it into the table in place of the one that was there.
pub(crate) fn row(row: &Row) {
    let line = row.line();
    println!("{HEAD}{line}");
    let Some(folder) = documentation() else { return };
    // Two tests at a time would lose each other's rows.
    let lock = File::open(&folder).unwrap();
    lock.lock().unwrap();
    let path = folder.join("closed-loop.md");
    let there = fs::read_to_string(&path).unwrap_or_default();
    let mut text = HEAD.to_owned();
    for name in ORDER {
        let of = |line: &&str| line.starts_with(&format!("| {name}"));
        let kept = there.lines().find(of);
        if let Some(line) = Some(line.as_str()).filter(of).or(kept) {
            writeln!(text, "{line}").unwrap();
        }
    }
    fs::write(path, text).unwrap();
}

pub(crate) fn picture(name: &str, trace: &Trace, title: &str, levels: &[(&str, f64)]) {
    let svg = draw(trace, title, levels).unwrap();
    if let Some(folder) = documentation() {
        fs::write(folder.join(name), svg).unwrap();
    }
}

/// Where tables and pictures are wanted.
fn documentation() -> Option<PathBuf> {
    std::env::var_os("FLYBALL_BLESS")?;
    Some(PathBuf::from("../../docs/safety"))
}
