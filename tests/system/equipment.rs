//! Machines behind BMCs, a UPS beside them, and everything between an operator and the hardware:
//! aggregator, agent, guard, driver, BMC, and back.

mod failing;
mod refusing;
mod switching;

use crate::until::until;
use flyball_harness::counterparts::{IpmiBmc, RedfishBmc, Ups};
use flyball_harness::fakes::FakeBmc;
use flyball_harness::fleet::{Answer, Api, Fleet, FleetOptions};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A fleet of one machine that manages three BMCs and a UPS.
///
/// `bmc-1` is sushy-tools' emulator, which has no power limit; `bmc-2` OpenIPMI's simulator with
/// DCMI's limit put beside it; `bmc-3` our own fake, which has `PowerLimitWatts` and bad days.
struct Room {
    fleet: Fleet,
    api: Api,
    gateway: String,
    _redfish: RedfishBmc,
    ipmi: IpmiBmc,
    fake: FakeBmc,
    ups: Ups,
    _folder: tempfile::TempDir,
}

/// The emulator's processor stands at 41 °C for ever, four under what it calls critical: nobody
/// could start its machine by that, so its switch is in a zone of its own. Starts are not paced.
const POLICY: &str = r#"
[timing]
release_after_s = 2

[[zone]]
name = "board"

[[zone]]
name = "emulated"

[[switch]]
actuator = "bmc-1/power"
zones = ["emulated"]
restart_interval_s = 0.1
"#;

impl Room {
    /// With a policy that says more than [`POLICY`].
    fn with_policy(more: &str) -> Self {
        let (redfish, ipmi) = (RedfishBmc::start().unwrap(), IpmiBmc::start().unwrap());
        let (fake, ups) = (FakeBmc::start(), Ups::start().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            Some(path)
        };
        let tool = ipmi.tool_with_dcmi().unwrap();
        let options = FleetOptions {
            equipment: file("equipment.toml", &equipment(&redfish, &ipmi, &tool, &fake, &ups)),
            policy: file("policy.toml", &format!("{POLICY}{more}")),
            plugins: None,
            ..FleetOptions::default()
        };
        let fleet = Fleet::with(1, options).unwrap();
        fleet.seal("bmc-2", IpmiBmc::USER, IpmiBmc::PASSWORD).unwrap();
        let gateway = fleet.ready().unwrap().devices[0].id.clone();
        let api = fleet.api().unwrap();
        Self { fleet, api, gateway, _redfish: redfish, ipmi, fake, ups, _folder: folder }
    }

    /// The id of a piece of equipment, once it is a device that can be reached.
    fn device(&self, name: &str) -> String {
        let listed = format!("/api/v1/devices?gateway={}", self.gateway);
        until("the equipment is a device", 60, || {
            let answer = self.api.get(&listed).unwrap();
            let devices = answer.body["data"].as_array().cloned().unwrap_or_default();
            let found = devices.iter().find(|device| device["name"] == name);
            match found {
                Some(device) if device["status"] == "online" => {
                    Ok(device["id"].as_str().unwrap().to_owned())
                }
                _ => Err(answer.body.to_string()),
            }
        })
    }

    /// The state of a device's only switch, as the API has it.
    fn state(&self, device: &str) -> Value {
        let answer = self.api.get(&format!("/api/v1/devices/{device}/power")).unwrap();
        answer.body["data"]["switches"][0]["state"].clone()
    }

    fn stands(&self, device: &str, wanted: &str) {
        until("the switch is seen there", 60, || match self.state(device) {
            state if state == wanted => Ok(()),
            state => Err(state.to_string()),
        });
    }

    fn limits_are_normal(&self, device: &str) {
        until("the limits are normal", 60, || {
            let answer = self.api.get(&format!("/api/v1/devices/{device}/limits")).unwrap();
            let limits = answer.body["data"].as_array().cloned().unwrap_or_default();
            let calm = limits.iter().all(|limit| limit["state"] == "normal");
            if calm && !limits.is_empty() { Ok(()) } else { Err(answer.body.to_string()) }
        });
    }

    fn power(&self, device: &str, body: &Value) -> Answer {
        self.api.post(&format!("/api/v1/devices/{device}/power"), body).unwrap()
    }

    fn ends_as(&self, operation: &Value, wanted: &str) -> Value {
        let id = operation["data"]["id"].as_str().unwrap_or_else(|| panic!("{operation}"));
        let path = format!("/api/v1/operations/{id}");
        until("the operation ends", 90, || {
            let answer = self.api.get(&path).unwrap().body;
            if answer["data"]["state"] == wanted { Ok(answer) } else { Err(answer.to_string()) }
        })
    }

    /// An order to a switch that nothing but the pace of its starts stands against: refused for
    /// that, it is given again, as the answer's `recovery` says.
    fn paced(&self, device: &str, verb: &str) -> Answer {
        until("the pace of starts allows the order", 10, || {
            let answer = self.power(device, &json!({"reset_type": verb}));
            let why = answer.body["message"].as_str();
            let too_soon = why == Some("the switch was energised a moment ago");
            if too_soon { Err(answer.body.to_string()) } else { Ok(answer) }
        })
    }

    /// Gives an order that nothing stands against and waits until the state proves it.
    fn order(&self, device: &str, verb: &str) {
        let answer = self.paced(device, verb);
        assert_eq!(answer.status, 202, "{verb}: {}", answer.body);
        self.ends_as(&answer.body, "succeeded");
    }

    /// The same for an order that needs a second hand.
    fn order_twice(&self, device: &str, verb: &str) {
        let armed = self.paced(device, verb);
        assert_eq!(armed.body["data"]["state"], "armed", "{verb}: {}", armed.body);
        let confirmed = self.confirm(&armed.body);
        assert_eq!(confirmed.status, 202, "{verb}: {}", confirmed.body);
        self.ends_as(&armed.body, "succeeded");
    }

    fn confirm(&self, armed: &Value) -> Answer {
        let id = armed["data"]["id"].as_str().unwrap_or_else(|| panic!("{armed}"));
        let token = &armed["data"]["confirmation"]["token"];
        self.api
            .post(&format!("/api/v1/operations/{id}/confirm"), &json!({"token": token}))
            .unwrap()
    }
}

fn equipment(
    redfish: &RedfishBmc,
    ipmi: &IpmiBmc,
    tool: &Path,
    fake: &FakeBmc,
    ups: &Ups,
) -> String {
    format!(
        r#"
[[equipment]]
key = "bmc-1"
driver = "redfish"
address = "{}"
system = "node-a"
poll_s = 1
observe_s = 0.5

[[equipment]]
key = "bmc-2"
driver = "ipmi"
address = "{}"
cipher = 3
program = "{}"
poll_s = 2
observe_s = 0.3

[[equipment]]
key = "bmc-3"
driver = "redfish"
address = "{}"
poll_s = 1
timeout_s = 1
silence_s = 30
observe_s = 0.5
resend_s = 1
give_up_s = 4

[[equipment]]
key = "ups-1"
driver = "nut"
address = "{}"
poll_s = 1
"#,
        redfish.address(),
        ipmi.address(),
        tool.display(),
        fake.address(),
        ups.address()
    )
}
