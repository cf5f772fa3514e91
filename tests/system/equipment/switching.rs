//! On, capped, cycled and off, each proved by what the BMC itself says afterwards.

use super::Room;
use crate::until::until;
use serde_json::json;

#[test]
fn machines_behind_bmcs_are_switched_on_capped_cycled_and_off_through_the_public_api() {
    let room = Room::with_policy("[[switch]]\nactuator = \"bmc-*\"\nrestart_interval_s = 0.1\n");

    // Redfish, by sushy-tools: a restart is its cycle.
    let bmc = room.device("bmc-1");
    room.stands(&bmc, "Off");
    let wrong = room.power(&bmc, &json!({"reset_type": "On", "expected_state": "On"}));
    assert_eq!((wrong.status, &wrong.body["error"]), (409, &json!("state_conflict")));
    room.order(&bmc, "On");
    room.stands(&bmc, "On");
    room.order_twice(&bmc, "ForceRestart");
    let armed = room.power(&bmc, &json!({"reset_type": "ForceOff", "expected_state": "On"}));
    assert_eq!(armed.body["data"]["state"], "armed", "{}", armed.body);
    assert_eq!(room.state(&bmc), "On", "nothing moves before it is confirmed");
    let id = armed.body["data"]["id"].as_str().unwrap();
    let forged =
        room.api.post(&format!("/api/v1/operations/{id}/confirm"), &json!({"token": "AAAA"}));
    let forged = forged.unwrap();
    assert_eq!((forged.status, &forged.body["error"]), (409, &json!("confirmation_required")));
    assert_eq!(room.confirm(&armed.body).status, 202);
    room.ends_as(&armed.body, "succeeded");
    room.stands(&bmc, "Off");
    reads(&room, &bmc);

    // IPMI, by OpenIPMI's simulator.
    let bmc = room.device("bmc-2");
    room.stands(&bmc, "Off");
    room.limits_are_normal(&bmc);
    room.order(&bmc, "On");
    assert!(room.ipmi.is_on());
    let capped = room.power(&bmc, &json!({"cap_watts": 300}));
    assert_eq!(capped.status, 202, "{}", capped.body);
    let done = room.ends_as(&capped.body, "succeeded");
    assert_eq!(done["data"]["result"]["observed"], 300.0, "{done}");
    assert_eq!(room.ipmi.power_limit(), Some(300));
    room.order_twice(&bmc, "PowerCycle");
    assert!(room.ipmi.is_on());
    room.order_twice(&bmc, "ForceOff");
    assert!(!room.ipmi.is_on());
    let orders = room.ipmi.orders();
    let wanted = ["power=1", "limit=300", "power=0", "power=1", "power=0"];
    let mut seen = orders.iter();
    assert!(wanted.iter().all(|order| seen.any(|done| done == order)), "{orders:?}");
    reads(&room, &bmc);

    // Redfish's own power limit, which the emulator does not have.
    let bmc = room.device("bmc-3");
    room.limits_are_normal(&bmc);
    room.order(&bmc, "On");
    let capped = room.power(&bmc, &json!({"cap_watts": 400}));
    assert_eq!(capped.status, 202, "{}", capped.body);
    room.ends_as(&capped.body, "succeeded");
    let set = room.fake.changes().into_iter().rev().find(|(method, ..)| method == "PATCH");
    let (_, path, body) = set.unwrap();
    assert_eq!(path, "/redfish/v1/Chassis/1/EnvironmentMetrics");
    assert_eq!(body["PowerLimitWatts"]["SetPoint"], 400.0);
    room.order_twice(&bmc, "ForceOff");
    room.stands(&bmc, "Off");
}

fn reads(room: &Room, device: &str) {
    until("its readings come", 60, || {
        let path = format!("/api/v1/devices/{device}/readings?reading_type=TEMPERATURE");
        let answer = room.api.get(&path).unwrap();
        let series = answer.body["data"].as_array().map_or(0, Vec::len);
        if series > 0 { Ok(()) } else { Err(answer.body.to_string()) }
    });
}
