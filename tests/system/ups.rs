//! A UPS goes to battery and is exhausted: what it feeds stops in order, then the machine that
//! watches it; nothing stops on battery alone or on data that went stale; and what went down comes
//! back in order where the policy says so, and nowhere else.

use crate::clock;
use crate::until::until;
use flyball_harness::counterparts::{IpmiBmc, Ups};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A guard with a UPS, two machines that the UPS feeds, and no hardware of its own.
struct Room {
    ups: Ups,
    /// It stops when it is asked to.
    polite: IpmiBmc,
    /// It takes the request and goes on running.
    deaf: IpmiBmc,
    folder: tempfile::TempDir,
    guard: Child,
}

fn program(name: &str) -> PathBuf {
    let target = std::env::var_os("FLYBALL_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| panic!("FLYBALL_TARGET_DIR: call `cargo xtask`"));
    target.join("edge").join(name)
}

impl Room {
    /// With a policy by which nothing starts by itself.
    fn start() -> Self {
        Self::with_policy("")
    }

    fn with_policy(more: &str) -> Self {
        let (polite, deaf) = (IpmiBmc::start().unwrap(), IpmiBmc::start().unwrap());
        polite.hear_soft_orders(true).unwrap();
        polite.turn(true).unwrap();
        deaf.turn(true).unwrap();
        let ups = Ups::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for dir in ["sys", "proc", "state"] {
            fs::create_dir(here.join(dir)).unwrap();
        }
        fs::set_permissions(here.join("state"), fs::Permissions::from_mode(0o700)).unwrap();
        write(here, "equipment.toml", &equipment(&ups, [&polite, &deaf]));
        write(here, "policy.toml", &(policy(here) + more));
        for key in ["polite", "deaf"] {
            seal(here, key);
        }
        let guard = run(here);
        let room = Self { ups, polite, deaf, folder, guard };
        until("the equipment is connected", 60, || {
            let status = room.status();
            let known = status.contains("ups-1/exhausted")
                && ["polite/power", "deaf/power"].iter().all(|switch| status.contains(switch));
            if known { Ok(()) } else { Err(status) }
        });
        room
    }

    fn is_watched(&self) {
        until("the UPS is watched", 30, || {
            let limit = self.limit();
            if limit.contains("normal") { Ok(()) } else { Err(limit + &self.log()) }
        });
    }

    /// Everything that the UPS feeds has gone down, and the machine's own command has run.
    fn is_down(&self) {
        until("everything goes down", 90, || {
            let down = !self.polite.is_on() && !self.deaf.is_on() && self.stopped().is_some();
            if down { Ok(()) } else { Err(self.limit() + &self.log()) }
        });
    }

    /// The machine loses its power, and the guard starts with it when that is back.
    fn reboot(&mut self) {
        self.guard.kill().unwrap();
        self.guard.wait().unwrap();
        fs::remove_file(self.folder.path().join("stopped")).unwrap();
        self.guard = run(self.folder.path());
    }

    fn status(&self) -> String {
        let output = Command::new(program("flyball-guard"))
            .args(["status", "--json", "--socket"])
            .arg(self.folder.path().join("guard.sock"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The state of the limit on the UPS, in the guard's word.
    fn limit(&self) -> String {
        let status: Value = serde_json::from_str(&self.status()).unwrap_or_default();
        let limits = status["inventory"]["limits"].as_array().cloned().unwrap_or_default();
        let limit = limits.iter().find(|limit| limit["name"] == "ups-exhausted");
        limit.map_or_else(
            || format!("none in {status}"),
            |limit| limit["state"].to_string().to_lowercase(),
        )
    }

    /// What the machine's own shutdown command wrote.
    fn stopped(&self) -> Option<String> {
        fs::read_to_string(self.folder.path().join("stopped")).ok()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let pid = i32::try_from(self.guard.id()).ok().and_then(Pid::from_raw);
        if pid.is_none_or(|pid| kill_process(pid, Signal::TERM).is_err())
            || self.guard.wait().is_err()
        {
            eprintln!("the guard did not end");
        }
    }
}

fn write(here: &Path, name: &str, text: &str) {
    let file = here.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

fn equipment(ups: &Ups, bmcs: [&IpmiBmc; 2]) -> String {
    let machine = |(key, bmc): (&str, &IpmiBmc)| {
        format!(
            "[[equipment]]\nkey = \"{key}\"\ndriver = \"ipmi\"\naddress = \"{}\"\ncipher = 3\n\
             poll_s = 1\nobserve_s = 0.5\nresend_s = 5\ngive_up_s = 60\n",
            bmc.address()
        )
    };
    let machines: String = ["polite", "deaf"].into_iter().zip(bmcs).map(machine).collect();
    format!(
        "[[equipment]]\nkey = \"ups-1\"\ndriver = \"nut\"\naddress = \"{}\"\npoll_s = 1\n{machines}",
        ups.address()
    )
}

/// First the machine that is least missed, then the next, then the machine that watches.
fn policy(here: &Path) -> String {
    let script = here.join("stop");
    let text = "#!/bin/sh\necho stopped > \"${0%/*}/stopped\"\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    format!(
        r#"
[timing]
release_after_s = 2

[[zone]]
name = "room"
shutdown_within_s = 60

[[limit]]
name = "ups-exhausted"
zone = "room"
sensors = ["ups-1/exhausted"]
trip_state = 1
response = "shutdown"

[[switch]]
actuator = "polite/power"
zones = ["room"]
shed_order = 1
shed_within_s = 20

[[switch]]
actuator = "deaf/power"
zones = ["room"]
shed_order = 2
shed_within_s = 5
shed_force = true

[host]
shutdown = ["{}"]
within_s = 10
"#,
        script.display()
    )
}

fn seal(here: &Path, key: &str) {
    let mut child = Command::new(program("flyball-guard"))
        .args(["credential", "set", key, "--user", IpmiBmc::USER, "--state"])
        .arg(here.join("state"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(IpmiBmc::PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn run(here: &Path) -> Child {
    let log = fs::File::create(here.join("log")).unwrap();
    let mut guard = Command::new(program("flyball-guard"));
    guard.arg("run").arg("--socket").arg(here.join("guard.sock"));
    for (option, name) in [
        ("--state", "state"),
        ("--policy", "policy.toml"),
        ("--equipment", "equipment.toml"),
        ("--sysfs-root", "sys"),
        ("--procfs-root", "proc"),
    ] {
        guard.arg(option).arg(here.join(name));
    }
    guard.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

#[test]
fn an_exhausted_ups_stops_what_it_feeds_in_order_and_then_the_machine_itself() {
    let room = Room::start();
    room.is_watched();

    // On battery alone nothing stops.
    room.ups.set_status("OB DISCHRG").unwrap();
    sleep(Duration::from_secs(5));
    assert!(room.polite.is_on() && room.deaf.is_on() && room.stopped().is_none());

    room.ups.set_status("OB LB DISCHRG").unwrap();
    until("the first machine stops as it is asked to", 30, || {
        if room.polite.is_on() { Err(room.limit() + &room.log()) } else { Ok(()) }
    });
    assert!(room.deaf.is_on(), "{}", room.log());
    assert!(room.polite.orders().contains(&"shutdown=1".to_owned()), "{:?}", room.polite.orders());
    assert_eq!(room.stopped(), None);
    until("the second, which does not listen, is switched off", 60, || {
        if room.deaf.is_on() { Err(room.log()) } else { Ok(()) }
    });
    let orders = room.deaf.orders();
    let at = |order: &str| orders.iter().position(|done| done == order);
    assert!(at("shutdown=1").is_some() && at("shutdown=1") < at("power=0"), "{orders:?}");
    until("the machine's own command runs last", 30, || {
        room.stopped().map(|_| ()).ok_or_else(|| room.log())
    });

    // The mains are back: the trip stays until a person clears it, and nothing starts by itself.
    room.ups.set_status("OL CHRG").unwrap();
    sleep(Duration::from_secs(5));
    assert!(room.limit().contains("tripped"), "{}", room.limit());
    assert!(!room.polite.is_on() && !room.deaf.is_on());
}

#[test]
fn a_ups_that_tells_nothing_any_more_stops_nobody() {
    let room = Room::start();
    room.is_watched();
    room.ups.driver().signal(Signal::STOP).unwrap();
    until("the UPS is stale", 40, || {
        if room.limit().contains("failsafe") { Ok(()) } else { Err(room.limit()) }
    });
    sleep(Duration::from_secs(5));
    assert!(room.polite.is_on() && room.deaf.is_on() && room.stopped().is_none());
    room.ups.driver().signal(Signal::CONT).unwrap();
    until("the UPS is watched again", 40, || {
        if room.limit().contains("normal") { Ok(()) } else { Err(room.limit()) }
    });
}

/// The word of the machine's file, given in advance.
const RETURN: &str = r#"
[[limit]]
name = "ups-on-battery"
zone = "room"
sensors = ["ups-1/on-battery"]
warning_state = 1
response = "alert"

[return]
limits = ["ups-exhausted"]
needs = ["ups-on-battery"]
after_s = 3
stagger_s = 4
"#;

#[test]
fn what_a_ups_took_down_comes_back_in_order_where_the_policy_says_so() {
    let mut room = Room::with_policy(RETURN);
    room.is_watched();
    room.ups.set_status("OB LB DISCHRG").unwrap();
    room.is_down();
    // The battery is spared and no longer low, and the machine that watches it starts again.
    room.ups.set_status("OB DISCHRG").unwrap();
    room.reboot();
    sleep(Duration::from_secs(10));
    assert!(room.limit().contains("tripped"), "{}{}", room.limit(), room.log());
    assert!(!room.polite.is_on() && !room.deaf.is_on(), "on battery nothing starts");
    room.ups.set_status("OL CHRG").unwrap();

    // Last down, first up, and the next one only a while after it.
    until("the one that went down last starts first", 60, || {
        if room.deaf.is_on() { Ok(()) } else { Err(room.limit() + &room.log()) }
    });
    let first = clock::now();
    assert!(!room.polite.is_on(), "{}", room.log());
    until("the other one follows", 60, || {
        if room.polite.is_on() { Ok(()) } else { Err(room.limit() + &room.log()) }
    });
    assert!(first.elapsed() >= Duration::from_secs(3), "{:?}", first.elapsed());
    assert!(room.limit().contains("normal"), "{}", room.limit());
    assert_eq!(room.stopped(), None);
}

#[test]
fn a_forced_shutdown_is_remembered_and_nothing_comes_back_before_it_is_over() {
    let room = Room::with_policy(RETURN);
    room.is_watched();
    // The mains are there all the time: who runs the UPS has decided that it cuts its load.
    room.ups.force_shutdown().unwrap();
    room.is_down();
    room.ups.set_status("OL CHRG").unwrap();
    sleep(Duration::from_secs(10));
    assert!(room.limit().contains("tripped"), "{}", room.limit());
    assert!(!room.polite.is_on() && !room.deaf.is_on(), "{}", room.log());
}
