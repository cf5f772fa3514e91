//! A BMC that switches the very machine that the guard runs in: from outside over LAN, through the
//! public API, and from inside, where the guest reads it in band.

use crate::fleet::enrol;
use flyball_harness::counterparts::{BmcSensor, IpmiBmc};
use flyball_harness::fleet::{Api, Fleet};
use flyball_rig::{Board, Kit, Machine, Plant, Switched};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Ends what hangs: a guest that boots is slow where its processor is shared.
const TRIES: u32 = 900;
const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";

fn until<T>(what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let mut last = String::new();
    for _ in 0..TRIES {
        match probe() {
            Ok(found) => return found,
            Err(seen) => last = seen,
        }
        thread::sleep(Duration::from_secs(1));
    }
    panic!("{what}: seen last: {last}")
}

fn machine() -> Switched {
    let kit = Kit::find().unwrap();
    let program = |name: &str| (kit.program(name).unwrap(), format!("/bin/{name}"));
    let own = |name: &str, to: &str| (Kit::guest_file(name), to.to_owned());
    let mut files: Vec<(PathBuf, String)> =
        ["flyball-guard", "flyball-agent", "flyball-driver"].map(program).into();
    files.extend([
        own("guard-policy.toml", "/etc/guard-policy.toml"),
        own("orderly-stop", "/bin/orderly-stop"),
        own("equipment.toml", "/etc/equipment.toml"),
        own("autostart", "/autostart"),
        own("power-button", "/etc/acpi/PWRF/00000080"),
    ]);
    files.extend(Kit::with_libraries(Path::new("/usr/bin/ipmitool")).unwrap());
    Switched::lay_out(&kit, &files).unwrap()
}

/// The device of this name, as the API lists it.
fn device(api: &Api, name: &str) -> Result<Value, String> {
    let body = api.get("/api/v1/devices").unwrap().body;
    let devices = body["data"].as_array().cloned().unwrap_or_default();
    let found = devices.iter().find(|device| device["name"] == name).cloned();
    found.ok_or_else(|| body.to_string())
}

fn is(api: &Api, name: &str, status: &str) {
    until(&format!("{name} is {status}"), || match device(api, name) {
        Ok(device) if device["status"] == status => Ok(()),
        seen => Err(format!("{seen:?}")),
    });
}

/// The operator's side of the BMC.
struct Power<'a> {
    api: &'a Api,
    path: String,
}

impl Power<'_> {
    /// Orders, confirms where it is asked to, and waits for the end that `wanted` names.
    fn order(&self, verb: &str, expected: &str) {
        let body = json!({"reset_type": verb, "expected_state": expected});
        let answer = self.api.post(&self.path, &body).unwrap();
        assert_eq!(answer.status, 202, "{verb}: {}", answer.body);
        let operation = answer.body["data"]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/operations/{operation}");
        if answer.body["data"]["state"] == "armed" {
            let token = &answer.body["data"]["confirmation"]["token"];
            let confirmed =
                self.api.post(&format!("{path}/confirm"), &json!({"token": token})).unwrap();
            assert_eq!(confirmed.status, 202, "{verb}: {}", confirmed.body);
        }
        until(verb, || {
            let answer = self.api.get(&path).unwrap().body;
            match answer["data"]["state"].as_str() {
                Some("succeeded") => Ok(()),
                Some("failed" | "refused" | "expired" | "timed_out") => panic!("{verb}: {answer}"),
                Some(_) | None => Err(answer.to_string()),
            }
        });
    }

    fn stands(&self, wanted: &str) {
        until(&format!("the switch reads {wanted}"), || {
            let body = self.api.get(&self.path).unwrap().body;
            let state = &body["data"]["switches"][0]["state"];
            if state == wanted { Ok(()) } else { Err(body.to_string()) }
        });
    }
}

fn boot_id(line: &mut Machine) -> String {
    let id = line.run(BOOT_ID).unwrap();
    assert_eq!(id.len(), 36, "{id}");
    id
}

/// The guest's guard has the temperature that the BMC measures, and the thresholds that it declares.
fn reads_in_band(line: &mut Machine, celsius: &str) {
    until("the guest reads its BMC", || {
        let seen = line.run("flyball-guard status --socket /run/guard.sock").unwrap();
        let wanted = format!("own-bmc/cpu1-temp  {celsius} Cel");
        if seen.contains(&wanted) { Ok(()) } else { Err(seen) }
    });
}

#[test]
fn a_bmc_switches_the_machine_that_reads_it_in_band() {
    let switched = machine();
    let bmc = IpmiBmc::of_machine(switched.command()).unwrap();
    switched.wired(bmc.machine_port().unwrap()).unwrap();
    let _plant = Plant::start(switched.page().unwrap(), Board::SERVER, 60.0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let equipment = folder.path().join("equipment.toml");
    let file = format!(
        "[[equipment]]\nkey = \"bmc\"\ndriver = \"ipmi\"\naddress = \"{}\"\ncipher = 3\n\
         poll_s = 2\nobserve_s = 1\n",
        bmc.address()
    );
    fs::write(&equipment, file).unwrap();
    let fleet = Fleet::with_equipment(1, equipment).unwrap();
    fleet.seal("bmc", IpmiBmc::USER, IpmiBmc::PASSWORD).unwrap();
    let api = fleet.api().unwrap();
    let id = until("the BMC is a device", || device(&api, "bmc"))["id"].clone();
    let power =
        Power { api: &api, path: format!("/api/v1/devices/{}/power", id.as_str().unwrap()) };

    power.stands("Off");
    assert!(!switched.is_on());
    power.order("On", "Off");
    let mut line = switched.line().unwrap();
    power.stands("On");
    let first = boot_id(&mut line);
    enrol(&mut line, &fleet, &api, "/disk");
    is(&api, "guest", "online");
    reads_in_band(&mut line, "45.0");
    bmc.set(BmcSensor::Processor, 61).unwrap();
    reads_in_band(&mut line, "61.0");

    power.order("GracefulShutdown", "On");
    switched.until_on(false).unwrap();
    power.stands("Off");
    let last = line.last_words();
    assert!(last.contains("POWER BUTTON") && last.contains("EVERYTHING ENDED"), "{last}");
    is(&api, "guest", "offline");

    power.order("On", "Off");
    let mut line = switched.line().unwrap();
    is(&api, "guest", "online");
    let second = boot_id(&mut line);
    assert_ne!(first, second);

    power.order("PowerCycle", "On");
    drop(line);
    let mut line = switched.line().unwrap();
    assert_ne!(boot_id(&mut line), second, "it was not cycled");
    is(&api, "guest", "online");

    power.order("ForceOff", "On");
    switched.until_on(false).unwrap();
    assert!(!line.last_words().contains("POWER BUTTON"));

    // What nobody ordered is seen all the same.
    power.order("On", "Off");
    switched.until_on(true).unwrap();
    power.stands("On");
    switched.pull_plug().unwrap();
    power.stands("Off");
}
