//! A guard that is stopped without being ended: its supervisors notice, and act.

use super::guarded::{Guarded, wait_for};
use super::machine::{CHIP, lay_machine};
use flyball_guard_messages::EventKind;
use rustix::process::{Signal, kill_process};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::{Duration, Instant};

/// What the service manager gives a guard to say that it goes on.
const WATCHDOG: Duration = Duration::from_secs(3);

/// The service manager's end, and the folder of the machine's own watchdog.
struct Manager(UnixDatagram, tempfile::TempDir);

impl Manager {
    /// The next word of the guard, or none within `patience`.
    fn hear(&self, patience: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = [0; 64];
        let length = self.0.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    fn hear_until_silent(&self) {
        while self.hear(Duration::from_millis(1)).is_some() {}
    }

    /// How often the machine's own watchdog was fed.
    fn fed(&self) -> u64 {
        fs::metadata(self.1.path().join("watchdog")).unwrap().len()
    }
}

fn managed() -> (Guarded, Manager) {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("watchdog");
    fs::write(&device, "").unwrap();
    let policy = format!(
        "[timing]\nrelease_after_s = 1\n[watchdog]\ndevice = \"{}\"\ntimeout_s = 5\n\
         [[limit]]\nname = \"board\"\nsensors = [\"chip/temp1\"]\nlimit_celsius = 80\n",
        device.display()
    );
    let mut guarded = Guarded::laid_out(&policy, lay_machine);
    let address = guarded.path("notify");
    let manager = Manager(UnixDatagram::bind(&address).unwrap(), folder);
    guarded.environment = vec![
        ("NOTIFY_SOCKET", address.display().to_string()),
        ("WATCHDOG_USEC", WATCHDOG.as_micros().to_string()),
    ];
    guarded.run();
    (guarded, manager)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a service manager's time is real time")]
fn a_guard_that_stands_still_feeds_nobody_and_whoever_ends_it_gives_the_fans_back() {
    let (mut guarded, manager) = managed();
    assert_eq!(manager.hear(WATCHDOG).as_deref(), Some("READY=1"));
    for _ in 0..3 {
        assert_eq!(manager.hear(WATCHDOG).as_deref(), Some("WATCHDOG=1"));
    }
    // It holds the fans when it is stopped.
    fs::remove_file(guarded.sysfs(&format!("{CHIP}/temp1_input"))).unwrap();
    wait_for("the fans", || guarded.file(&format!("{CHIP}/pwm1")) == "204");
    wait_for("the originals", || {
        let saved = fs::read_to_string(guarded.path("state/originals.toml"));
        saved.is_ok_and(|saved| saved.contains("chip/pwm1") && saved.contains("chip/pwm2"))
    });
    kill_process(guarded.pid(), Signal::STOP).unwrap();
    let stopped = Instant::now();
    manager.hear_until_silent();
    let before = manager.fed();
    assert_eq!(manager.hear(WATCHDOG), None, "it is silent for as long as it is given");
    assert_eq!(manager.fed(), before, "the machine's own watchdog hungers too");

    // As systemd does: SIGABRT, then SIGKILL, then ExecStopPost.
    guarded.kill();
    let state = guarded.path("state").display().to_string();
    let root = guarded.sysfs("").display().to_string();
    let arguments = ["release", "--state", &state, "--sysfs-root", &root, "--procfs-root", "/none"];
    let (given_back, said) = guarded.ask(&arguments);
    assert!(given_back, "{said}");
    for number in 1..=2 {
        assert_eq!(guarded.file(&format!("{CHIP}/pwm{number}_enable")), "2", "{said}");
    }
    assert!(stopped.elapsed() < Duration::from_secs(30), "{:?}", stopped.elapsed());
    guarded.run();
    wait_for("failsafe", || guarded.limit_state("board") == "Failsafe");
}

#[test]
fn a_guard_that_was_held_up_for_a_moment_says_so_and_goes_on() {
    let (guarded, manager) = managed();
    guarded.settle();
    let mut agent = guarded.agent();
    kill_process(guarded.pid(), Signal::STOP).unwrap();
    thread::sleep(Duration::from_secs(2));
    kill_process(guarded.pid(), Signal::CONT).unwrap();
    let told = agent.next_event(|event| event.kind == EventKind::CycleLate);
    assert!(told.message.contains("ms late"), "{}", told.message);
    manager.hear_until_silent();
    assert_eq!(manager.hear(WATCHDOG).as_deref(), Some("WATCHDOG=1"));
    wait_for("normal", || guarded.limit_state("board") == "Normal");
}
