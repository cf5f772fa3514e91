//! Sensors that say nothing, nonsense, or always the same: failsafe, no trip, and never cool.

use super::guarded::{Guarded, wait_for};
use super::machine::{CHIP, Driver, RAPL, lay, lay_machine};
use flyball_guard_messages::RecordBody;
use flyball_units::NoData;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const WATCHED: &str = r#"
[timing]
step_time_s = 1
release_after_s = 1
stale_after_s = 1
[[limit]]
name = "board"
sensors = ["chip/temp1"]
limit_celsius = 80
trip_celsius = 90
stuck_with = "chip/temp2"
stuck_moved = 5
stuck_samples = 8
"#;

fn input() -> String {
    format!("{CHIP}/temp1_input")
}

fn put(guarded: &Guarded, damage: impl Fn(&Path)) {
    let path = guarded.sysfs(&input());
    fs::remove_file(&path).unwrap();
    damage(&path);
}

fn heal(guarded: &Guarded) {
    let path = guarded.sysfs(&input());
    let gone = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
    drop(gone);
    guarded.show(&input(), "41000");
}

#[test]
fn whatever_a_sensor_does_instead_of_reading_is_failsafe_and_no_trip() {
    let mut guarded = Guarded::laid_out(WATCHED, lay_machine);
    guarded.run();
    guarded.settle();
    type Damage = (&'static str, fn(&Path));
    let damages: [Damage; 8] = [
        ("the file is gone", |_| {}),
        // The kernel answers EIO at an address where nothing is mapped.
        ("an input/output error", |path| symlink("/proc/self/mem", path).unwrap()),
        ("0000, as an emc1403 says that has not measured", |path| {
            fs::write(path, "0000\n").unwrap();
        }),
        ("-44 degrees, as ACPI says that has no sensor", |path| {
            fs::write(path, "-44000\n").unwrap();
        }),
        ("65261 degrees, as an NVMe says that has no limit", |path| {
            fs::write(path, "65261850\n").unwrap();
        }),
        ("an empty file", |path| fs::write(path, "").unwrap()),
        ("words", |path| fs::write(path, "N/A\n").unwrap()),
        ("a folder", |path| fs::create_dir(path).unwrap()),
    ];
    for (what, damage) in damages {
        put(&guarded, damage);
        wait_for(what, || guarded.limit_state("board") == "Failsafe");
        wait_for("the fans", || pwm(&guarded) >= 204);
        heal(&guarded);
        wait_for("the end of it", || guarded.limit_state("board") == "Normal");
    }
    // A constant alone is no fault; beside one that moves it is.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(guarded.limit_state("board"), "Normal");
    guarded.show(&format!("{CHIP}/temp2_input"), "49000");
    wait_for("the frozen one", || guarded.limit_state("board") == "Failsafe");
    guarded.show(&input(), "47000");
    wait_for("its thaw", || guarded.limit_state("board") == "Normal");
    let journal = fs::read_to_string(guarded.path("state/journal.jsonl")).unwrap();
    assert!(!journal.contains("\"Tripped\""), "{journal}");
}

fn pwm(guarded: &Guarded) -> u32 {
    guarded.file(&format!("{CHIP}/pwm1")).parse().unwrap()
}

#[test]
fn a_guard_starts_in_failsafe_and_leaves_it_when_all_that_is_required_has_read() {
    let patient = "[timing]\nsettle_samples = 8\nrelease_after_s = 1\n\
                   [[limit]]\nname = \"board\"\nsensors = [\"chip/temp1\"]\nlimit_celsius = 80\n";
    let mut guarded = Guarded::laid_out(patient, lay_machine);
    let fan = Driver::behind(guarded.sysfs(&format!("{CHIP}/pwm1")), |_| None);
    guarded.run();
    guarded.settle();
    let mode = || guarded.file(&format!("{CHIP}/pwm1_enable"));
    wait_for("the fan to be given back", || mode() == "2");
    assert_eq!(fan.taken().first().map(String::as_str), Some("204"), "four fifths, and at once");
    drop(fan);

    // One that is required and never reads holds it there.
    let required = "[timing]\nrelease_after_s = 1\n\
                    [[limit]]\nname = \"inlet\"\nsensors = [\"chip/temp9\"]\nlimit_celsius = 35\n";
    let mut guarded = Guarded::laid_out(required, lay_machine);
    guarded.run();
    wait_for("failsafe", || guarded.limit_state("inlet") == "Failsafe");
    thread::sleep(Duration::from_secs(4));
    assert_eq!(guarded.limit_state("inlet"), "Failsafe");
    assert_eq!((pwm(&guarded), guarded.file(&format!("{CHIP}/pwm1_enable"))), (204, "1".into()));
}

/// `max_energy_range_uj` of a common package.
const RANGE_UJ: u64 = 262_143_328_850;
const WATTS: u64 = 200;

#[test]
#[expect(clippy::disallowed_methods, reason = "the counter runs in real time")]
fn an_energy_counter_that_wraps_is_the_same_power_before_and_after() {
    let before_uj = RANGE_UJ - WATTS * 4_000_000;
    let mut guarded = Guarded::laid_out("", |folder| {
        lay_machine(folder);
        lay(folder, &[(&format!("{RAPL}/energy_uj"), &before_uj.to_string())]);
    });
    let path = guarded.sysfs(&format!("{RAPL}/energy_uj"));
    let end = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&end);
    let counter = thread::spawn(move || {
        let began = Instant::now();
        while !ends.load(Ordering::Relaxed) {
            let used_uj = u64::try_from(began.elapsed().as_micros()).unwrap() * WATTS;
            let counter_uj = (before_uj + used_uj) % RANGE_UJ;
            // In place: a reader must not find it empty.
            let beside = path.with_extension("new");
            fs::write(&beside, format!("{counter_uj}\n")).unwrap();
            fs::rename(&beside, &path).unwrap();
            thread::sleep(Duration::from_millis(2));
        }
    });
    guarded.run();
    let mut agent = guarded.agent();
    let metered = agent.series.iter().position(|series| {
        series.metric == "hw.power"
            && series.attributes.iter().any(|(_, id)| id.contains("package-0"))
    });
    let metered = u16::try_from(metered.unwrap()).unwrap();
    let mut watts = Vec::new();
    let mut wrapped_at = None;
    while watts.len() < 10 {
        let (_, record) = agent.next_record();
        let RecordBody::Samples(samples) = record.body else { continue };
        let value = samples.iter().find(|sample| sample.series == metered).unwrap().value;
        match value {
            // Power is a difference: the tick of the first read has none.
            Err(NoData::NoHistory) if watts.is_empty() => continue,
            value => {
                watts.push(value.unwrap_or_else(|reason| panic!("{reason:?} after {watts:?}")))
            }
        }
        let counter_uj: u64 = guarded.file(&format!("{RAPL}/energy_uj")).parse().unwrap();
        if counter_uj < before_uj {
            wrapped_at.get_or_insert(watts.len());
        }
    }
    end.store(true, Ordering::Relaxed);
    counter.join().unwrap();
    assert!(wrapped_at.is_some_and(|at| at < 9), "it wraps within the run: {wrapped_at:?}");
    // A busy machine's counter moves late and makes up for it: the sum is what it was.
    assert!(watts.iter().all(|watts| (10.0..=2000.0).contains(watts)), "{watts:?}");
    let mean = watts.iter().sum::<f64>() / 10.0;
    assert!((170.0..=230.0).contains(&mean), "{mean}: {watts:?}");
}
