//! What a run leaves behind: a table on standard output, and in the documentation where
//! `FLYBALL_BLESS` asks for it.

use flyball_rig::{Trace, draw};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// One scenario: how hot it became, and how long each step took from the load's rise.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    what: String,
    peak_celsius: f64,
    fan_s: Option<f64>,
    pub(crate) capped_s: Option<f64>,
    lowest_cap_watts: f64,
}

impl Row {
    pub(crate) fn of(what: &str, trace: &Trace) -> Self {
        let caps = trace.samples.iter().map(|sample| sample.cap_watts);
        Self {
            what: what.to_owned(),
            peak_celsius: trace.peak_celsius(),
            fan_s: trace.first("load", |sample| sample.fan_percent > 90.0),
            capped_s: trace.first("load", |sample| sample.cap_watts < 380.0),
            lowest_cap_watts: caps.fold(f64::INFINITY, f64::min),
        }
    }
}

pub(crate) fn table(name: &str, rows: &[Row]) {
    let seconds = |span: Option<f64>| span.map_or("never".to_owned(), |s| format!("{s:.1} s"));
    let mut text = "| scenario | highest | fan at full after | capped after | lowest cap |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        writeln!(
            text,
            "| {} | {:.1} °C | {} | {} | {:.0} W |",
            row.what,
            row.peak_celsius,
            seconds(row.fan_s),
            seconds(row.capped_s),
            row.lowest_cap_watts
        )
        .unwrap();
    }
    println!("{text}");
    write(name, &text);
}

pub(crate) fn picture(name: &str, trace: &Trace, title: &str, levels: &[(&str, f64)]) {
    write(name, &draw(trace, title, levels).unwrap());
}

fn write(name: &str, text: &str) {
    if std::env::var_os("FLYBALL_BLESS").is_some() {
        let docs: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/safety");
        fs::create_dir_all(&docs).unwrap();
        fs::write(docs.join(name), text).unwrap();
    }
}
