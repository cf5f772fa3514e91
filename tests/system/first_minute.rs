//! What a new user sees in the first minute of `up`.

use crate::until::until;
use flyball_harness::fleet::{Api, Fleet};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// The newest value of a metric, by its attributes where there are several.
fn newest(api: &Api, device: &str, query: &str) -> Result<(u64, f64), String> {
    let answer = api
        .get(&format!("/api/v1/devices/{device}/readings?{query}"))
        .map_err(|error| format!("{error:#}"))?;
    let points: Vec<&Value> = answer.body["data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|series| series["points"].as_array()?.last())
        .collect();
    let last = points.last().ok_or_else(|| answer.body.to_string())?;
    Ok((last[0].as_u64().ok_or("no time")?, last[1].as_f64().ok_or("no value")?))
}

fn meminfo(key: &str) -> f64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
}

#[test]
fn up_shows_this_machine_and_boards_and_comes_back_where_it_was() {
    let fleet = Fleet::up(2).unwrap();
    let ready = fleet.ready().unwrap();
    let mode = fs::metadata(fleet.state().join("ready.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(ready.devices[0].kind, "real");
    assert_eq!(ready.devices[1].kind, "simulated");
    let api = fleet.api().unwrap();
    let real = &ready.devices[0].id;
    let board = &ready.devices[1].id;

    let (_, limit) =
        until("memory is read", 30, || newest(&api, real, "metric=system.memory.limit"));
    assert!((limit - meminfo("MemTotal")).abs() < 1.0, "{limit}");
    let (_, load) = newest(&api, real, "metric=system.cpu.load_average.15m").unwrap();
    let text = fs::read_to_string("/proc/loadavg").unwrap();
    let now: f64 = text.split_whitespace().nth(2).unwrap().parse().unwrap();
    assert!((load - now).abs() < 0.3, "15 min load {load}, /proc says {now}");
    let (_, pressure) = newest(&api, real, "metric=system.pressure.cpu.some.total").unwrap();
    assert!(pressure > 0.0);
    // A use needs two looks, and the first block may hold one.
    let use_of_cpu = || newest(&api, real, "metric=system.cpu.utilization");
    let (_, busy) = until("a use of the processor is read", 30, use_of_cpu);
    assert!((0.0..=1.0).contains(&busy), "{busy}");

    let (_, heat) =
        until("a temperature is read", 30, || newest(&api, board, "reading_type=TEMPERATURE"));
    assert!((10.0..110.0).contains(&heat), "{heat}");
    let (_, power) = until("a power is read", 30, || newest(&api, board, "metric=hw.power"));
    assert!((1.0..2000.0).contains(&power), "{power}");

    let again = fleet.start().unwrap_err().to_string();
    assert!(again.contains("already runs"), "{again}");

    let (before, _) = newest(&api, real, "metric=system.memory.limit").unwrap();
    fleet.down().unwrap();
    fleet.start().unwrap();
    let returned = fleet.ready().unwrap();
    assert_eq!(returned.admin_password, ready.admin_password);
    assert_eq!(&returned.devices[0].id, real);
    let api = fleet.api().unwrap();
    let (after, _) = newest(&api, real, "metric=system.memory.limit").unwrap();
    assert!(after >= before, "what was committed is still there");
}
