//! The console in a real browser, by the console's own end-to-end script.

use flyball_harness::fleet::Fleet;
use std::path::Path;
use std::process::Command;

#[test]
fn the_console_signs_in_draws_renders_and_shows_a_refusal() {
    let fleet = Fleet::up(2).unwrap();
    let ready = fleet.ready().unwrap();
    let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../aggregator/console");
    let output = Command::new("node")
        .current_dir(&console)
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
