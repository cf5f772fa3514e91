//! What the guard keeps, feeds, and waits for: evidence, the watchdog, buses and actuators that
//! hang.

use super::guarded::{Guarded, wait_for};
use super::machine::lay;
use flyball_guard_messages::EventKind;
use rustix::fs::{Mode, OFlags};
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const EASY: &str = r#"
[[limit]]
name = "package"
sensors = ["simboard@*/temp1:package"]
limit_celsius = 45
trip_celsius = 46
"#;

#[test]
fn a_trip_freezes_its_evidence_and_the_journal_proves_it() {
    let mut guarded = Guarded::board_with_policy(10.0, EASY);
    guarded.order(json!({ "load_watts": 150 }));
    guarded.seize_all_fans();
    wait_for("the trip", || guarded.limit_state("package") == "Tripped");
    let state = guarded.path("state");
    let frozen = || {
        let files = fs::read_dir(&state).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.into_iter().find(|name| name.starts_with("evidence-"))
    };
    wait_for("the evidence", || frozen().is_some());
    let journal = || fs::read_to_string(state.join("journal.jsonl")).unwrap();
    wait_for("its line", || journal().contains("\"what\":\"evidence\""));
    let text = fs::read_to_string(state.join(frozen().unwrap())).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["limit"], "package");
    let series = lines[0]["series"].as_array().unwrap().len();
    assert!(lines.len() > 1, "{text}");
    assert!(lines[1..].iter().all(|line| line["values"].as_array().unwrap().len() == series));
    guarded.stop();
    let folder = state.to_str().unwrap();
    let (sound, said) = guarded.ask(&["journal", "verify", "--state", folder]);
    assert!(sound && said.contains("the journal is whole"), "{said}");
    let (_, shown) = guarded.ask(&["journal", "show", "--last", "200", "--state", folder]);
    assert!(shown.contains("package went from") && shown.contains("to tripped"), "{shown}");
    fs::write(state.join("journal.jsonl"), journal().replacen("package", "pakcage", 1)).unwrap();
    let (sound, said) = guarded.ask(&["journal", "verify", "--state", folder]);
    assert!(!sound && said.contains("was changed after it was written"), "{said}");
}

#[test]
fn the_watchdog_is_fed_by_cycles_and_disarmed_by_an_ordered_stop_only() {
    let policy = |folder: &Path| {
        let device = folder.join("watchdog");
        fs::write(&device, "").unwrap();
        format!("[watchdog]\ndevice = \"{}\"\ntimeout_s = 5\n", device.display())
    };
    let mut guarded = Guarded::board_with_files(1.0, policy);
    let fed = |guarded: &Guarded| fs::read_to_string(guarded.path("watchdog")).unwrap();
    wait_for("three meals", || fed(&guarded).len() >= 3);
    assert!(!fed(&guarded).contains('V'));
    guarded.kill();
    assert!(!fed(&guarded).contains('V'), "a killed guard leaves it armed");
    fs::write(guarded.path("watchdog"), "").unwrap();
    guarded.run();
    guarded.stop();
    assert!(fed(&guarded).ends_with('V'), "{}", fed(&guarded));
}

const ZONE: &str = "class/powercap/intel-rapl:0";

#[test]
fn an_actuator_whose_write_hangs_holds_neither_the_loop_nor_the_end() {
    let hang = |folder: &Path| {
        lay(
            folder,
            &[
                ("class/hwmon/hwmon0/name", "chip"),
                ("class/hwmon/hwmon0/temp1_input", "41000"),
                ("class/hwmon/hwmon0/temp1_crit", "95000"),
                (&format!("{ZONE}/name"), "package-0"),
                (&format!("{ZONE}/energy_uj"), "1000000"),
                (&format!("{ZONE}/max_energy_range_uj"), "262143328850"),
                (&format!("{ZONE}/constraint_0_name"), "long_term"),
                (&format!("{ZONE}/constraint_0_max_power_uw"), "95000000"),
            ],
        );
        let path = folder.join("sys").join(ZONE).join("constraint_0_power_limit_uw");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
        // Held open by the test, and full: reads fail, and a write waits for ever.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        let mut pipe =
            OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path).unwrap();
        while pipe.write(&[b'\n'; 4096]).is_ok() {}
        std::mem::forget::<File>(pipe);
        let state = folder.join("state");
        fs::create_dir_all(&state).unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let saved = format!(
            "boot = \"{}\"\n[[actuator]]\nactuator = \"powercap/intel-rapl:0/limit:package-0:long_term\"\nlevel = 95000000\n",
            boot.trim()
        );
        fs::write(state.join("originals.toml"), saved).unwrap();
    };
    let mut guarded = Guarded::tree(hang);
    let actuators = guarded.status()["inventory"]["actuators"].clone();
    let stuck = |guarded: &Guarded| {
        let status = guarded.status();
        status["inventory"]["actuators"].as_array().unwrap().iter().any(|it| it["stuck"] == true)
    };
    assert!(!actuators.as_array().unwrap().is_empty(), "{}", guarded.log());
    wait_for("the engine to notice", || stuck(&guarded));
    let mut agent = guarded.agent();
    agent.next_event(|event| event.kind == EventKind::ActuatorStuck);
    let cycles = |guarded: &Guarded| guarded.status()["cycles"].as_u64().unwrap();
    let before = cycles(&guarded);
    wait_for("further cycles", || cycles(&guarded) > before + 8);
    guarded.stop();
}

#[test]
fn a_bus_that_fails_as_a_whole_is_left_alone_said_once_and_comes_back() {
    let lay_out = |folder: &Path| {
        lay(
            folder,
            &[
                ("class/hwmon/hwmon0/name", "chip"),
                ("class/hwmon/hwmon0/temp1_input", "41000"),
                ("class/hwmon/hwmon0/temp1_crit", "95000"),
            ],
        );
    };
    let guarded = Guarded::tree(lay_out);
    guarded.settle();
    let input = guarded.path("sys/class/hwmon/hwmon0/temp1_input");
    fs::write(&input, "nonsense\n").unwrap();
    let said = "read less often";
    wait_for("the breaker", || guarded.log().contains(said));
    let bus = |guarded: &Guarded| guarded.status()["buses"][0].clone();
    wait_for("its account", || bus(&guarded)["state"].as_str().unwrap().starts_with("fails"));
    assert!(bus(&guarded)["faults"].as_u64().unwrap() > 0);
    fs::write(&input, "42000\n").unwrap();
    wait_for("the bus", || guarded.log().contains("the bus reads again"));
    guarded.settle();
    assert_eq!(guarded.log().matches(said).count(), 1);
    let shown = guarded.ask(&["status", "--socket", guarded.socket().to_str().unwrap()]).1;
    assert!(shown.contains("buses and drivers:") && shown.contains("of CPU"), "{shown}");
}

#[test]
fn a_chip_that_is_plugged_in_is_read_guarded_and_told() {
    let lay_out = |folder: &Path| {
        lay(
            folder,
            &[
                ("class/hwmon/hwmon0/name", "chip"),
                ("class/hwmon/hwmon0/temp1_input", "41000"),
                ("class/hwmon/hwmon0/temp1_crit", "95000"),
            ],
        );
    };
    let guarded = Guarded::tree(lay_out);
    guarded.settle();
    let mut agent = guarded.agent();
    agent.next_tick();
    let known = agent.series.len();
    lay(
        guarded.path("").as_path(),
        &[
            ("class/hwmon/hwmon1/name", "card"),
            ("class/hwmon/hwmon1/temp1_input", "35000"),
            ("class/hwmon/hwmon1/temp1_crit", "90000"),
        ],
    );
    let told = agent.next_event(|event| event.kind == EventKind::HardwareChanged);
    assert!(told.message.contains("came: card"), "{}", told.message);
    agent.next_tick();
    agent.next_tick();
    assert!(agent.series.len() > known);
    wait_for("its limit", || {
        let limits = guarded.status()["inventory"]["limits"].as_array().unwrap().clone();
        limits.len() == 2 && limits.iter().all(|limit| limit["state"] == "Normal")
    });
}
