//! The evidence of a trip: one file of JSON lines, the series first and then a line a second.

use crate::evidence::History;
use flyball_guard_messages::Series;
use flyball_units::NoData;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The newest files stay, the others go.
const KEPT: usize = 8;
const PREFIX: &str = "evidence-";

/// What the journal says of a file, so that its chain covers it.
#[derive(Debug, Serialize)]
pub(super) struct Frozen {
    file: String,
    limit: String,
    ticks: usize,
    sha256: String,
}

#[derive(Serialize)]
struct Head<'a> {
    at_ms: u64,
    limit: &'a str,
    series: Vec<(&'a str, &'a str, &'a str)>,
}

#[derive(Serialize)]
struct Tick {
    at_ms: u64,
    values: Vec<Cell>,
}

struct Cell(Result<f32, NoData>);

impl Serialize for Cell {
    /// A number, or the reason for its absence as a word.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Ok(value) => serializer.serialize_f32(value),
            Err(reason) => serializer.serialize_str(reason.name()),
        }
    }
}

/// Writes the history in `state`, synced.
pub(super) fn freeze(
    state: &Path,
    at_ms: u64,
    limit: &str,
    series: &[Series],
    history: &History,
) -> io::Result<Frozen> {
    let name = format!("{PREFIX}{at_ms}.jsonl");
    let path = state.join(&name);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut out = Hashed { out: BufWriter::new(file), hash: Sha256::new() };
    let id = |one: &'_ Series| {
        one.attributes.iter().position(|(key, _)| key == "hw.id").unwrap_or(usize::MAX)
    };
    let named = series.iter().map(|one| {
        let id = one.attributes.get(id(one)).map_or("", |(_, id)| id.as_str());
        (id, one.metric.as_str(), one.unit.ucum())
    });
    let head = Head { at_ms, limit, series: named.collect() };
    out.line(&head)?;
    let mut ticks = 0;
    for (at_ms, values) in history.ticks() {
        out.line(&Tick { at_ms, values: values.into_iter().map(Cell).collect() })?;
        ticks += 1;
    }
    let sha256 = out.finish()?;
    forget_oldest(state)?;
    Ok(Frozen { file: name, limit: limit.to_owned(), ticks, sha256 })
}

struct Hashed {
    out: BufWriter<File>,
    hash: Sha256,
}

impl Hashed {
    fn line<T: Serialize>(&mut self, line: &T) -> io::Result<()> {
        let mut text = serde_json::to_string(line).map_err(io::Error::other)?;
        text.push('\n');
        self.hash.update(text.as_bytes());
        self.out.write_all(text.as_bytes())
    }

    fn finish(mut self) -> io::Result<String> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        Ok(super::file::hex(&self.hash.finalize()))
    }
}

fn forget_oldest(state: &Path) -> io::Result<()> {
    let mut files: Vec<(u64, std::path::PathBuf)> = fs::read_dir(state)?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let at_ms = name.strip_prefix(PREFIX)?.strip_suffix(".jsonl")?.parse().ok()?;
            Some((at_ms, path))
        })
        .collect();
    files.sort();
    let beyond = files.len().saturating_sub(KEPT);
    files.into_iter().take(beyond).try_for_each(|(_, path)| fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Evidence;
    use flyball_guard_messages::Sample;
    use flyball_units::{Kind, Unit};
    use serde_json::{Value, json};

    #[test]
    fn a_frozen_file_says_what_was_read_and_its_hash_is_told() {
        let state = tempfile::tempdir().unwrap();
        let evidence = Evidence::for_series(1);
        evidence.keep(1000, &[Sample { series: 0, value: Ok(41.5) }]);
        evidence.keep(2000, &[Sample { series: 0, value: Err(NoData::Fault) }]);
        let series = [Series {
            metric: "hw.temperature".into(),
            kind: Kind::Temperature,
            unit: Unit::Celsius,
            attributes: vec![("hw.id".into(), "chip/temp1".into())],
            cadence_ms: 1000,
        }];
        for at_ms in 0..10 {
            freeze(state.path(), at_ms, "cpu", &series, &evidence.copy()).unwrap();
        }
        let frozen = freeze(state.path(), 10, "cpu", &series, &evidence.copy()).unwrap();
        let text = fs::read_to_string(state.path().join(&frozen.file)).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["series"], json!([["chip/temp1", "hw.temperature", "Cel"]]));
        assert_eq!(lines[1], json!({ "at_ms": 1000, "values": [41.5] }));
        assert_eq!(lines[2], json!({ "at_ms": 2000, "values": ["fault"] }));
        assert_eq!(frozen.sha256, super::super::file::hex(&Sha256::digest(text.as_bytes())));
        assert_eq!((frozen.ticks, fs::read_dir(state.path()).unwrap().count()), (2, KEPT));
    }
}
