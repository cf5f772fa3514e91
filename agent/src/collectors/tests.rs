//! The collectors over a process file system that is written here, so that values are exact.

use super::*;
use crate::clock::Clock;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// A recorded `/proc` and the collectors over it.
struct Recorded {
    root: TempDir,
}

const STAT: &str = "\
cpu  100 20 30 1000 40 5 6 7 50 60
cpu0 60 10 20 500 20 3 3 4 0 0
cpu2 40 10 10 500 20 2 3 3 0 0
intr 1 0 0
ctxt 5
processes 4321
procs_running 3
procs_blocked 1
";

const MEMINFO: &str = "\
MemTotal:        1000 kB
MemFree:          300 kB
MemAvailable:     600 kB
Buffers:           50 kB
Cached:           200 kB
SwapCached:         0 kB
SwapTotal:        100 kB
SwapFree:          75 kB
SReclaimable:      50 kB
";

impl Recorded {
    fn new() -> Self {
        let recorded = Self { root: tempfile::tempdir().unwrap() };
        recorded.write("stat", STAT);
        recorded.write("meminfo", MEMINFO);
        recorded.write("loadavg", "0.98 1.04 0.78 4/126 17658\n");
        recorded.write("uptime", "1234.56 4000.00\n");
        for name in ["cpu", "memory", "io"] {
            let line =
                |word: &str| format!("{word} avg10=12.50 avg60=3.88 avg300=4.61 total=59299417\n");
            recorded.write(&format!("pressure/{name}"), &(line("some") + &line("full")));
        }
        recorded.write(
            "diskstats",
            "   7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n \
             254 0 vda 65143 21908 5087082 19886 47915 73524 9454752 40916 0 11468 61672\n \
             254 1 vda1 60000 21908 5087082 19886 47915 73524 9454752 40916 0 11468 61672\n",
        );
        recorded.write(
            "net/dev",
            "Inter-|   Receive\n face |bytes    packets\n    \
             lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n  \
             eth0: 435872411   17791    1    2    0     0          0         0  1027790   11543    3    4    0     0       0          0\n",
        );
        recorded.write("mounts", "proc /proc proc rw 0 0\n");
        recorded
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn collectors(&self) -> Collectors {
        Collectors::new(self.root.path(), Attached::none())
    }
}

/// Values by `metric{attribute values}`.
fn read(collectors: &mut Collectors) -> BTreeMap<String, Value> {
    let samples = collectors.read(Moment::read(Clock)).to_vec();
    assert_eq!(samples.len(), collectors.series().len());
    samples
        .into_iter()
        .map(|sample| {
            let series = &collectors.series()[usize::from(sample.series)];
            let values: Vec<_> = series.attributes.iter().map(|(_, v)| v.as_str()).collect();
            (format!("{}{{{}}}", series.metric, values.join(",")), sample.value)
        })
        .collect()
}

fn assert_values(read: &BTreeMap<String, Value>, expected: &[(&str, Value)]) {
    for (name, value) in expected {
        assert_eq!(read.get(*name), Some(value), "{name}");
    }
}

#[test]
fn the_files_of_proc_become_values_in_base_units() {
    let recorded = Recorded::new();
    let values = read(&mut recorded.collectors());
    assert_values(
        &values,
        &[
            ("system.cpu.time{user}", Ok(1.0)),
            ("system.cpu.time{interrupt}", Ok(0.11)),
            ("system.cpu.time{steal}", Ok(0.07)),
            ("system.cpu.logical.count{}", Ok(2.0)),
            ("system.process.created{}", Ok(4321.0)),
            ("system.process.count{running}", Ok(3.0)),
            ("system.process.count{blocked}", Ok(1.0)),
            ("system.cpu.load_average.1m{}", Ok(0.98)),
            ("system.cpu.load_average.5m{}", Ok(1.04)),
            ("system.cpu.load_average.15m{}", Ok(0.78)),
            ("system.uptime{}", Ok(1234.56)),
            ("system.memory.limit{}", Ok(1_024_000.0)),
            ("system.memory.linux.available{}", Ok(614_400.0)),
            ("system.memory.usage{used}", Ok(409_600.0)),
            ("system.memory.usage{free}", Ok(307_200.0)),
            ("system.memory.usage{buffers}", Ok(51_200.0)),
            ("system.memory.usage{cached}", Ok(256_000.0)),
            ("system.memory.utilization{}", Ok(0.4)),
            ("system.paging.usage{used}", Ok(25_600.0)),
            ("system.paging.usage{free}", Ok(76_800.0)),
            ("system.pressure.cpu.some.avg10{}", Ok(0.125)),
            ("system.pressure.io.full.total{}", Ok(59.299_417)),
            ("system.disk.io{read,vda}", Ok(5_087_082.0 * 512.0)),
            ("system.disk.io{write,vda}", Ok(9_454_752.0 * 512.0)),
            ("system.disk.operations{read,vda}", Ok(65_143.0)),
            ("system.disk.operations{write,vda}", Ok(47_915.0)),
            ("system.disk.io_time{vda}", Ok(11.468)),
            ("system.network.io{eth0,receive}", Ok(435_872_411.0)),
            ("system.network.io{eth0,transmit}", Ok(1_027_790.0)),
            ("system.network.packet.count{eth0,transmit}", Ok(11_543.0)),
            ("system.network.errors{eth0,receive}", Ok(1.0)),
            ("system.network.packet.dropped{eth0,transmit}", Ok(4.0)),
        ],
    );
}

#[test]
fn what_was_never_used_and_partitions_have_no_series() {
    let recorded = Recorded::new();
    let values = read(&mut recorded.collectors());
    for name in ["loop0", "vda1", "lo"] {
        assert!(
            values.keys().all(|key| key.split(['{', ',', '}']).all(|word| word != name)),
            "{name}"
        );
    }
}

#[test]
fn shares_need_two_ticks_and_are_of_the_time_between_them() {
    let recorded = Recorded::new();
    let mut collectors = recorded.collectors();
    let first = read(&mut collectors);
    for name in ["system.cpu.utilization{}", "system.cpu.utilization{user}"] {
        assert_eq!(first[name], Err(NoData::NoHistory));
    }
    recorded.write(
        "stat",
        "cpu  140 20 40 1030 50 5 6 17 50 60\n\
         cpu0 100 10 20 500 20 3 3 4 0 0\n\
         cpu2 40 10 10 500 20 2 3 3 0 0\n",
    );
    assert_values(
        &read(&mut collectors),
        &[
            ("system.cpu.utilization{}", Ok(0.6)),
            ("system.cpu.utilization{user}", Ok(0.4)),
            ("system.cpu.utilization{system}", Ok(0.1)),
            ("system.cpu.utilization{idle}", Ok(0.3)),
            ("system.cpu.utilization{iowait}", Ok(0.1)),
            ("system.cpu.utilization{steal}", Ok(0.1)),
            ("system.cpu.utilization{0}", Ok(1.0)),
            // Its counters stood still: there is no time to take a share of.
            ("system.cpu.utilization{2}", Err(NoData::Stale)),
        ],
    );
}

#[test]
fn a_processor_that_goes_offline_is_missing_and_begins_anew() {
    let recorded = Recorded::new();
    let mut collectors = recorded.collectors();
    read(&mut collectors);
    recorded.write("stat", "cpu  140 20 40 1030 50 5 6 17 50 60\n");
    let values = read(&mut collectors);
    assert_eq!(values["system.cpu.utilization{0}"], Err(NoData::Missing));
    assert_eq!(values["system.cpu.logical.count{}"], Ok(0.0));
}

#[test]
fn a_file_that_goes_leaves_its_reason_and_comes_back() {
    let recorded = Recorded::new();
    let mut collectors = recorded.collectors();
    read(&mut collectors);
    // The held descriptor would go on reading a file that is only unlinked.
    std::fs::write(recorded.path("loadavg"), "no numbers at all").unwrap();
    recorded.write("meminfo", "MemTotal: 1000 kB\nMemAvailable: x kB\n");
    let values = read(&mut collectors);
    assert_values(
        &values,
        &[
            ("system.cpu.load_average.1m{}", Err(NoData::Unparsable)),
            ("system.memory.limit{}", Ok(1_024_000.0)),
            ("system.memory.linux.available{}", Err(NoData::Unparsable)),
            ("system.memory.utilization{}", Err(NoData::Unparsable)),
            ("system.memory.usage{used}", Err(NoData::Missing)),
        ],
    );
    recorded.write("meminfo", MEMINFO);
    assert_eq!(read(&mut collectors)["system.memory.utilization{}"], Ok(0.4));
}

#[test]
fn a_kernel_without_pressure_files_gets_no_such_series() {
    let recorded = Recorded::new();
    std::fs::remove_dir_all(recorded.path("pressure")).unwrap();
    let values = read(&mut recorded.collectors());
    assert!(values.keys().all(|name| !name.starts_with("system.pressure")));
    assert!(values.contains_key("system.uptime{}"));
}

#[test]
fn an_interface_that_appears_is_put_at_the_end_and_one_that_goes_is_missing() {
    let recorded = Recorded::new();
    let mut collectors = recorded.collectors();
    read(&mut collectors);
    let before = collectors.series().to_vec();
    recorded.write("net/dev", "wlan0: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n");
    for _ in 1..RESCAN_TICKS {
        let values = read(&mut collectors);
        assert_eq!(values["system.network.io{eth0,receive}"], Err(NoData::Missing));
        assert!(!values.contains_key("system.network.io{wlan0,receive}"));
    }
    assert_eq!(read(&mut collectors)["system.network.io{wlan0,transmit}"], Ok(20.0));
    assert_eq!(collectors.series()[..before.len()], before);
    assert!(collectors.series().len() > before.len());
}

#[test]
fn a_local_file_system_has_its_room() {
    let recorded = Recorded::new();
    let place = recorded.root.path().to_str().unwrap().to_owned();
    recorded
        .write("mounts", &format!("/dev/vda {place} ext4 rw 0 0\n/dev/vda /twice ext4 rw 0 0\n"));
    let values = read(&mut recorded.collectors());
    let [used, free] = ["used", "free"].map(|state| {
        values[&format!("system.filesystem.usage{{/dev/vda,{place},{state}}}")].unwrap()
    });
    // Somebody else may write to this disk meanwhile, so the two are only near each other.
    let part = values[&format!("system.filesystem.utilization{{/dev/vda,{place}}}")].unwrap();
    assert!((part - used / (used + free)).abs() < 1e-9);
    assert!(values.keys().all(|name| !name.contains("/twice")));
}

#[test]
fn this_machines_own_values_match_its_proc() {
    let mut collectors = Collectors::new(Path::new("/proc"), Attached::none());
    read(&mut collectors);
    let values = read(&mut collectors);
    let text = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = text.split(' ').next().unwrap().parse().unwrap();
    assert!((values["system.uptime{}"].unwrap() - uptime).abs() < 1.0);
    assert!(values["system.memory.limit{}"].unwrap() > 0.0);
}

#[test]
fn the_process_table_names_this_process_from_the_second_scan_on() {
    let mut table = ProcessTable::new().unwrap();
    assert_eq!(table.scan(), None);
    let processes = table.scan().unwrap();
    assert!(!processes.is_empty() && processes.len() <= 64);
    assert!(processes.iter().any(|process| process.memory_bytes > 0));
}
