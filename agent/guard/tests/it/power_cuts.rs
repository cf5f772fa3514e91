//! The power goes at each step between a trip and its record: what is found afterwards is whole,
//! and a machine that is still hot is held again.
//!
//! strace(1) stands between the guard and the kernel and ends it at the system call that a case
//! names; what was written and not synced may be lost with real power, and each case leaves the
//! disk as it is before or after one such step.

use super::guarded::{Guarded, wait_for};
use super::machine::{CAP, CHIP, Driver, lay_machine};
use rustix::process::{Signal, kill_process};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const POLICY: &str = r#"
[timing]
step_time_s = 1
release_after_s = 1
[[limit]]
name = "board"
sensors = ["chip/temp1"]
limit_celsius = 80
trip_celsius = 90
"#;

fn temperature(guarded: &Guarded, celsius: u32) {
    guarded.show(&format!("{CHIP}/temp1_input"), &format!("{celsius}000"));
}

/// A guard whose system calls are watched: `inject` is what becomes of those on `file` of its
/// state.
fn watched(file: &str, inject: &str) -> Guarded {
    assert!(
        Command::new("strace").arg("-V").output().is_ok(),
        "install strace: apt-get install strace"
    );
    let mut guarded = Guarded::laid_out(POLICY, lay_machine);
    let path = guarded.path("state").join(file);
    let words = ["strace", "-f", "-qq", "-e", "signal=none", "-P", path.to_str().unwrap()];
    guarded.runner = words.map(str::to_owned).to_vec();
    guarded.runner.extend(["-o".into(), guarded.path("calls").display().to_string()]);
    guarded.runner.extend(["-e".into(), format!("inject={inject}"), "--".into()]);
    guarded
}

/// What a guard finds that is started after the cut: a sound journal, and no doubt about trips.
fn restart(guarded: &mut Guarded) {
    guarded.runner.clear();
    guarded.run();
    let state = guarded.path("state").display().to_string();
    let (sound, said) = guarded.ask(&["journal", "verify", "--state", &state]);
    assert!(sound, "{said}");
    assert!(!guarded.log().contains("LatchesLost"), "{}", guarded.log());
}

fn is_held(guarded: &Guarded) {
    wait_for("the trip", || guarded.limit_state("board") == "Tripped");
    wait_for("the smallest cap", || guarded.file(CAP) == "10000000");
    wait_for("full fans", || guarded.file(&format!("{CHIP}/pwm1")) == "255");
}

#[test]
fn power_that_goes_before_a_trip_is_on_disk_leaves_nothing_torn_and_a_hot_machine_trips_anew() {
    for call in ["openat", "write", "fsync", "rename"] {
        let mut guarded = watched("latches.new", &format!("{call}:signal=KILL:when=1"));
        guarded.run();
        guarded.settle();
        temperature(&guarded, 95);
        wait_for(call, || guarded.has_ended());
        assert!(!guarded.path("state/latches.toml").exists(), "{call}");
        restart(&mut guarded);
        is_held(&guarded);
        let latches = || fs::read_to_string(guarded.path("state/latches.toml"));
        wait_for("the record", || latches().is_ok_and(|text| text.contains("board")));
    }
}

#[test]
fn power_that_goes_before_a_trip_is_on_disk_and_a_machine_that_has_cooled_is_a_cool_one() {
    let mut guarded = watched("latches.new", "rename:signal=KILL:when=1");
    guarded.run();
    guarded.settle();
    temperature(&guarded, 95);
    wait_for("the cut", || guarded.has_ended());
    temperature(&guarded, 41);
    restart(&mut guarded);
    guarded.settle();
    assert!(!guarded.path("state/latches.toml").exists());
}

#[test]
fn a_trip_that_is_in_its_place_stands_though_its_folder_was_not_synced_and_it_has_cooled() {
    let mut guarded = watched("latches.new", "rename:delay_exit=60000000:when=1");
    guarded.run();
    guarded.settle();
    temperature(&guarded, 95);
    wait_for("the rename", || guarded.path("state/latches.toml").exists());
    // The disk hangs and the loop goes on: what it does about the heat waits for no disk.
    wait_for("the smallest cap", || guarded.file(CAP) == "10000000");
    guarded.kill();
    temperature(&guarded, 41);
    restart(&mut guarded);
    is_held(&guarded);
}

#[test]
fn power_that_goes_with_the_write_of_the_cap_or_within_the_hook_is_survived() {
    // The driver has taken the smallest cap, and the guard has not come to look whether it did.
    let mut guarded = Guarded::laid_out(POLICY, lay_machine);
    guarded.run();
    guarded.settle();
    let pid = guarded.pid();
    let driver = Driver::behind(guarded.sysfs(CAP), move |text| {
        if text == "10000000" {
            kill_process(pid, Signal::KILL).unwrap();
        }
        None
    });
    temperature(&guarded, 95);
    wait_for("the cut", || guarded.has_ended());
    drop(driver);
    restart(&mut guarded);
    is_held(&guarded);
    drop(guarded);

    // The command that stops the machine has begun, and power goes before it has done anything.
    let hook = |folder: &std::path::Path| folder.join("hook");
    // The record is waited for: a guard gives a slow disk 100 ms, and acts regardless.
    let text = "#!/bin/sh\necho begun >> \"$0.calls\"\nfor i in $(seq 100); do\n\
                test -e \"$(cat \"$0.latches\")\" && break; sleep 0.1\ndone\nkill -9 $PPID\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(hook(folder.path()), text).unwrap();
    fs::set_permissions(hook(folder.path()), fs::Permissions::from_mode(0o755)).unwrap();
    let policy = format!(
        "on_trip = \"request-shutdown\"\n[host]\nshutdown = [\"{}\"]\n{POLICY}",
        hook(folder.path()).display()
    );
    let calls = || fs::read_to_string(folder.path().join("hook.calls")).unwrap_or_default();
    let mut guarded = Guarded::laid_out(&policy, lay_machine);
    let latches = guarded.path("state/latches.toml");
    fs::write(folder.path().join("hook.latches"), latches.to_str().unwrap()).unwrap();
    guarded.run();
    guarded.settle();
    temperature(&guarded, 95);
    wait_for("the hook", || guarded.has_ended());
    assert_eq!(calls(), "begun\n");
    // It comes up cool: the trip stands, and nothing is stopped a second time for it.
    temperature(&guarded, 41);
    restart(&mut guarded);
    is_held(&guarded);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(calls(), "begun\n");
    // Proved anew, it is asked for anew.
    temperature(&guarded, 95);
    wait_for("the hook again", || guarded.has_ended());
    assert_eq!(calls(), "begun\nbegun\n");
}
