//! Tables as their readers find them.

use super::{Format, Sink};
use crate::fleet::DeviceId;
use crate::telemetry::{Found, Kind, NoData, Reader, SampleRow, SeriesId, SeriesInfo, Unit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

const AT_MS: u64 = 1_795_298_300_000;

fn found(id: i64, label: &str) -> Found {
    let device = DeviceId(Uuid::from_u128(7));
    let series = SeriesInfo {
        id: SeriesId(id),
        metric: "hw.temperature".into(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: vec![("hw.id".into(), label.into())],
        cadence_ms: 1_000,
        reader: Reader::Guard,
    };
    Found { device, machine: device, series: Arc::new(series) }
}

fn row(series: usize, second: u64, value: Option<f64>, reason: Option<NoData>) -> SampleRow {
    SampleRow { series, at_ms: AT_MS + second * 1_000, value, reason }
}

fn written(format: Format, batches: &[Vec<SampleRow>]) -> Vec<u8> {
    let (sender, mut receiver) = mpsc::channel(1_000);
    let series: Arc<[Found]> = vec![found(1, "cpu"), found(2, "board, \"left\"")].into();
    let mut table = format.begin(series, Sink::new(sender)).unwrap();
    for rows in batches {
        table.rows(rows).unwrap();
    }
    table.finish().unwrap();
    let mut bytes = Vec::new();
    while let Ok(piece) = receiver.try_recv() {
        bytes.extend_from_slice(&piece.unwrap());
    }
    bytes
}

fn few() -> Vec<Vec<SampleRow>> {
    let first = vec![row(0, 0, Some(41.5), None), row(1, 0, None, Some(NoData::Stale))];
    vec![first, vec![row(0, 1, Some(f64::NAN), None)]]
}

#[test]
fn csv_quotes_what_needs_it_and_ends_its_records_as_it_should() {
    let text = String::from_utf8(written(Format::Csv, &few())).unwrap();
    let device = Uuid::from_u128(7);
    let expected = [
        "time,device_id,series_id,metric,labels,unit,value,no_data".to_owned(),
        format!("2026-11-21T21:58:20.000Z,{device},1,hw.temperature,hw.id=cpu,Cel,41.5,"),
        format!(
            "2026-11-21T21:58:20.000Z,{device},2,hw.temperature,\
             \"hw.id=board, \"\"left\"\"\",Cel,,stale"
        ),
        format!("2026-11-21T21:58:21.000Z,{device},1,hw.temperature,hw.id=cpu,Cel,NaN,"),
    ];
    assert_eq!(text, expected.map(|line| line + "\r\n").concat());
}

#[test]
fn every_line_is_an_object_of_its_own() {
    let text = String::from_utf8(written(Format::Lines, &few())).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["value"], 41.5);
    assert!(lines[0]["no_data"].is_null());
    assert_eq!(lines[1]["labels"]["hw.id"], "board, \"left\"");
    assert!(lines[1]["value"].is_null());
    assert_eq!(lines[1]["no_data"], "stale");
    assert!(lines[2]["value"].is_null());
}

/// More than one group of rows.
fn many() -> Vec<Vec<SampleRow>> {
    let value = |second: u64| (second % 10 != 3).then_some(second as f64 / 2.0);
    let reason = |second: u64| (second % 10 == 3).then_some(NoData::Busy);
    let rows: Vec<_> = (0..100_000)
        .map(|second| row((second % 2) as usize, second, value(second), reason(second)))
        .collect();
    rows.chunks(10_000).map(<[SampleRow]>::to_vec).collect()
}

#[test]
fn parquet_is_read_back_as_it_was_written() {
    let bytes = bytes::Bytes::from(written(Format::Parquet, &many()));
    let reader = SerializedFileReader::new(bytes).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    for (second, found) in (0..).zip(reader.get_row_iter(None).unwrap()) {
        let found = found.unwrap();
        assert_eq!(found.get_timestamp_millis(0).unwrap(), (AT_MS + second * 1_000) as i64);
        assert_eq!(found.get_long(2).unwrap(), (second % 2 + 1) as i64);
        match second % 10 {
            3 => assert_eq!(found.get_string(7).unwrap(), "busy"),
            _ => assert_eq!(found.get_double(6).unwrap(), second as f64 / 2.0),
        }
    }
}

/// The interpreter of the tests' environment, where it has pyarrow.
fn python() -> Option<PathBuf> {
    let cache =
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/flyball/python"));
    let folder = std::env::var_os("FLYBALL_PYTHON").map(PathBuf::from).or(cache)?;
    let python = folder.join("bin/python");
    let has = Command::new(&python).args(["-c", "import pyarrow.parquet"]).output();
    has.is_ok_and(|output| output.status.success()).then_some(python)
}

#[test]
fn another_reader_of_parquet_finds_the_same() {
    let Some(python) = python() else {
        eprintln!("skipped: the Python environment of the tests has no pyarrow");
        return;
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), written(Format::Parquet, &many())).unwrap();
    let script = "import sys, pyarrow.parquet as p\n\
        t = p.read_table(sys.argv[1])\n\
        v = t['value'].to_pylist()\n\
        print(t.num_rows, t.schema.field('time').type, sum(x for x in v if x is not None),\n\
              v.count(None), t['no_data'].to_pylist().count('busy'), t['labels'][1])";
    let output = Command::new(python).args(["-c", script]).arg(file.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = "100000 timestamp[ms, tz=UTC] 2249985000.0 10000 10000 hw.id=board, \"left\"";
    assert_eq!(text.trim(), expected, "{}", String::from_utf8_lossy(&output.stderr));
}
