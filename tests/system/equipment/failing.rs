//! A BMC that answers 500, hangs, or lies: the operation fails with the reason, the device has
//! its event, and everything works again when the BMC does.

use super::Room;
use crate::until::until;
use flyball_harness::fakes::Mood;
use serde_json::{Value, json};

const RESET: &str = "/redfish/v1/Systems/1/Actions";

impl Room {
    /// The order is taken, comes to nothing, and the operation says why in these words.
    fn fails(&self, device: &str, body: &Value, words: &[&str]) {
        let taken = self.power(device, body);
        assert_eq!(taken.status, 202, "{}", taken.body);
        let failed = self.ends_as(&taken.body, "failed");
        let error = &failed["data"]["errors"][0];
        assert_eq!(error["code"], "not_verified", "{failed}");
        let message = error["message"].as_str().unwrap();
        assert!(words.iter().all(|word| message.contains(word)), "{message}: not all of {words:?}");
    }

    /// An event of the device says so.
    fn tells(&self, device: &str, kind: &str, words: &str) {
        let path = format!("/api/v1/events?device={device}&kind={kind}&limit=100");
        until("the event comes", 60, || {
            let answer = self.api.get(&path).unwrap().body;
            let events = answer["data"].as_array().cloned().unwrap_or_default();
            let says =
                |event: &Value| event["message"].as_str().is_some_and(|text| text.contains(words));
            if events.iter().any(says) { Ok(()) } else { Err(answer.to_string()) }
        });
    }
}

#[test]
fn a_bmc_that_answers_500_or_lies_or_hangs_is_reported_with_the_reason() {
    // Nothing paces the starts, which come to nothing one after the other.
    let paceless = "[[switch]]\nactuator = \"bmc-3/power\"\nrestart_interval_s = 0.1\n";
    let room = Room::with_policy(paceless);
    let bmc = room.device("bmc-3");
    room.limits_are_normal(&bmc);
    room.stands(&bmc, "Off");
    let on = json!({"reset_type": "On"});

    // It answers 500 to every reset.
    room.fake.be_at(RESET, Mood::Status(500));
    room.fails(&bmc, &on, &["500", "it is a bad day"]);
    room.tells(&bmc, "switch.*", "500");
    assert_eq!(room.state(&bmc), "Off");

    // It says yes and does nothing.
    room.fake.be_at(RESET, Mood::Lying);
    room.fails(&bmc, &on, &["the switch is seen Off"]);
    room.tells(&bmc, "switch.*", "seen Off");

    // It takes a power limit and shows another one.
    room.fake.be_at("/redfish/v1/Chassis/1/EnvironmentMetrics", Mood::Lying);
    room.fails(&bmc, &json!({"cap_watts": 400}), &["400 W", "500 W"]);
    room.tells(&bmc, "actuator.*", "500 W");

    // It shows the limit that it was told, and its machine takes more all the same.
    room.fake.be_at("/nowhere", Mood::Well);
    room.fake.set("/redfish/v1/Chassis/1/Sensors/Power", "/Reading", json!(480));
    room.tells(&bmc, "actuator.*", "not effective");
    room.fake.set("/redfish/v1/Chassis/1/Sensors/Power", "/Reading", json!(374));

    // It takes everything and says nothing any more.
    room.fake.be(Mood::Silent);
    until("it is known to be away", 90, || {
        let device = room.api.get(&format!("/api/v1/devices/{bmc}")).unwrap().body;
        let equipment = &device["data"]["equipment"];
        let reason = equipment["reason"].as_str().unwrap_or_default();
        let away = equipment["state"] == "unreachable" && reason.contains("not answered within");
        if away { Ok(()) } else { Err(device.to_string()) }
    });
    room.tells(&bmc, "equipment.*", "not answered within");
    until("nobody knows its state, so nothing is begun", 60, || {
        let refused = room.power(&bmc, &on);
        let known = refused.status == 409 && refused.body["error"] == "state_conflict";
        let message = refused.body["message"].as_str().unwrap_or_default();
        if known && message.contains("nobody knows") {
            Ok(())
        } else {
            Err(refused.body.to_string())
        }
    });

    // It is well again.
    room.fake.be(Mood::Well);
    room.device("bmc-3");
    room.stands(&bmc, "Off");
    room.order(&bmc, "On");
    room.stands(&bmc, "On");
}
