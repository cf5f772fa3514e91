//! The console in a real browser, by the console's own end-to-end script.

use flyball_harness::counterparts::RedfishBmc;
use flyball_harness::fleet::Fleet;
use std::path::Path;
use std::process::Command;

#[test]
fn the_console_signs_in_draws_renders_locks_and_switches() {
    let bmc = RedfishBmc::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let equipment = folder.path().join("equipment.toml");
    // The machine behind it is on, so that there is something to be switched off.
    let text = format!(
        "[[equipment]]\nkey = \"bmc-1\"\ndriver = \"redfish\"\naddress = \"{}\"\n\
         system = \"node-b\"\npoll_s = 1\nobserve_s = 0.5\n",
        bmc.address()
    );
    std::fs::write(&equipment, text).unwrap();
    let fleet = Fleet::with_equipment(2, equipment).unwrap();
    let ready = fleet.ready().unwrap();
    let console = Path::new("../../aggregator/console");
    let output = Command::new("node")
        .current_dir(console)
        .arg("e2e/console.mjs")
        .env("FLYBALL_URL", &ready.api)
        .env("FLYBALL_EMAIL", &ready.admin_email)
        .env("FLYBALL_PASSWORD", &ready.admin_password)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
