//! Machines behind BMCs that others wrote, switched through the public API: operator, aggregator,
//! agent, guard, driver, BMC, and back.

use crate::until::until;
use flyball_harness::counterparts::{IpmiBmc, RedfishBmc};
use flyball_harness::fleet::{Api, Fleet};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

fn file(redfish: &RedfishBmc, ipmi: &IpmiBmc) -> String {
    format!(
        "[[equipment]]\nkey = \"bmc-1\"\ndriver = \"redfish\"\naddress = \"{}\"\n\
         system = \"node-a\"\npoll_s = 1\nobserve_s = 0.5\n\n\
         [[equipment]]\nkey = \"bmc-2\"\ndriver = \"ipmi\"\naddress = \"{}\"\ncipher = 3\n\
         poll_s = 2\nobserve_s = 1\n",
        redfish.address(),
        ipmi.address()
    )
}

/// Seals the IPMI user's password beside the running guard.
fn seal(fleet: &Fleet) {
    let guard = fs::read_link(format!("/proc/{}/exe", fleet.pid("guard").unwrap())).unwrap();
    let mut set = Command::new(guard)
        .args(["credential", "set", "bmc-2", "--user", IpmiBmc::USER, "--state"])
        .arg(fleet.state().join("edge/1/guard"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    set.stdin.take().unwrap().write_all(IpmiBmc::PASSWORD.as_bytes()).unwrap();
    assert!(set.wait().unwrap().success());
}

/// The devices that this machine manages, by their names.
fn managed(api: &Api, gateway: &str, name: &str) -> Result<Value, String> {
    let answer = api.get(&format!("/api/v1/devices?gateway={gateway}")).unwrap();
    let devices = answer.body["data"].as_array().cloned().unwrap_or_default();
    let found = devices.iter().find(|device| device["name"] == name).cloned();
    found.ok_or_else(|| answer.body.to_string())
}

/// The state of a device's only switch, as the API has it.
fn state(api: &Api, device: &str) -> Value {
    let answer = api.get(&format!("/api/v1/devices/{device}/power")).unwrap();
    answer.body["data"]["switches"][0]["state"].clone()
}

fn ends_as(api: &Api, operation: &Value, wanted: &str) -> Value {
    let id = operation["data"]["id"].as_str().unwrap_or_else(|| panic!("{operation}")).to_owned();
    until("the operation ends", 60, || {
        let answer = api.get(&format!("/api/v1/operations/{id}")).unwrap().body;
        if answer["data"]["state"] == wanted { Ok(answer) } else { Err(answer.to_string()) }
    })
}

fn stands(api: &Api, device: &str, wanted: &str) {
    until("the switch is seen there", 60, || match state(api, device) {
        state if state == wanted => Ok(()),
        state => Err(state.to_string()),
    });
}

/// On, and off with two hands; what contradicts the state is refused.
fn switch(api: &Api, device: &str) {
    let power = format!("/api/v1/devices/{device}/power");
    let order = |verb: &str, expected: &str| {
        api.post(&power, &json!({"reset_type": verb, "expected_state": expected})).unwrap()
    };
    stands(api, device, "Off");
    let wrong = order("On", "On");
    assert_eq!(
        (wrong.status, &wrong.body["error"]),
        (409, &json!("state_conflict")),
        "{}",
        wrong.body
    );

    let on = order("On", "Off");
    assert_eq!(on.status, 202, "{}", on.body);
    ends_as(api, &on.body, "succeeded");
    stands(api, device, "On");

    let off = order("ForceOff", "On");
    assert_eq!(off.status, 202, "{}", off.body);
    assert_eq!(off.body["data"]["state"], "armed", "{}", off.body);
    assert_eq!(state(api, device), "On", "nothing moves before it is confirmed");
    let id = off.body["data"]["id"].as_str().unwrap();
    let token = &off.body["data"]["confirmation"]["token"];
    let confirm = format!("/api/v1/operations/{id}/confirm");
    let forged = api.post(&confirm, &json!({"token": "AAAA"})).unwrap();
    assert!([400, 403, 409].contains(&forged.status), "{}", forged.body);
    let confirmed = api.post(&confirm, &json!({"token": token})).unwrap();
    assert_eq!(confirmed.status, 202, "{}", confirmed.body);
    ends_as(api, &off.body, "succeeded");
    stands(api, device, "Off");
}

#[test]
fn machines_behind_bmcs_are_switched_through_the_public_api() {
    let (redfish, ipmi) = (RedfishBmc::start().unwrap(), IpmiBmc::start().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let equipment = folder.path().join("equipment.toml");
    fs::write(&equipment, file(&redfish, &ipmi)).unwrap();
    let fleet = Fleet::with_equipment(1, equipment).unwrap();
    seal(&fleet);
    let gateway = fleet.ready().unwrap().devices[0].id.clone();
    let api = fleet.api().unwrap();
    for name in ["bmc-1", "bmc-2"] {
        let device = until("the equipment is a device", 60, || managed(&api, &gateway, name));
        assert_eq!(device["kind"], "bmc", "{device}");
        let id = device["id"].as_str().unwrap();
        switch(&api, id);
        until("its readings come", 60, || {
            let path = format!("/api/v1/devices/{id}/readings?reading_type=TEMPERATURE");
            let answer = api.get(&path).unwrap();
            let series = answer.body["data"].as_array().map_or(0, Vec::len);
            if series > 0 { Ok(()) } else { Err(answer.body.to_string()) }
        });
    }
    assert!(ipmi.orders().len() >= 2, "{:?}", ipmi.orders());
}
