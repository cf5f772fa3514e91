//! The guard with everything else dead: a fan seizes, the board is capped, tripped, and lives.

use crate::until::until;
use flyball_harness::rig::Rig;
use rustix::process::Signal;
use serde_json::json;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn a_board_whose_fan_seizes_while_all_else_is_dead_stays_under_critical() {
    let rig = Rig::up(2).unwrap();
    let board = rig.ready().unwrap().devices[1].id.clone();
    let plant = rig.plant(2);
    sleep(Duration::from_secs(5));
    let critical = plant.say(&json!({"state": true})).unwrap()["critical_celsius"].as_f64().unwrap();

    // The supervisor is stopped first, so that nobody starts them again.
    rig.signal("up", Signal::STOP).unwrap();
    rig.signal("agent-2", Signal::KILL).unwrap();
    rig.signal("aggregator", Signal::KILL).unwrap();
    let state = plant.say(&json!({"state": true})).unwrap();
    for fan in state["fans"].as_array().unwrap() {
        let id = fan["id"].as_str().unwrap();
        plant.say(&json!({"fault": "fan_seized", "target": id})).unwrap();
    }
    plant.say(&json!({"load_watts": state["max_load_watts"]})).unwrap();

    let mut hottest = f64::MIN;
    let mut capped = false;
    for _ in 0..240 {
        sleep(Duration::from_millis(250));
        let now = plant.say(&json!({"state": true})).unwrap();
        let heat = now["temperature_celsius"].as_f64().unwrap();
        hottest = hottest.max(heat);
        assert!(heat < critical, "{heat} °C reached the critical {critical} °C");
        capped |= now["power_cap_watts"].as_f64().unwrap() < now["max_power_cap_watts"].as_f64().unwrap();
    }
    assert!(capped, "the guard never capped; the hottest was {hottest} °C");

    rig.signal("up", Signal::CONT).unwrap();
    let states = until("the events of that time are there", 60, || {
        let api = rig.api().map_err(|error| format!("{error:#}"))?;
        let answer = api
            .get(&format!("/api/v1/events?device={board}&limit=200"))
            .map_err(|error| format!("{error:#}"))?;
        let events = answer.body["data"].as_array().cloned().unwrap_or_default();
        let text = answer.body.to_string();
        if text.contains("tripped") { Ok(events) } else { Err(text) }
    });
    let times: Vec<&str> = states.iter().filter_map(|event| event["at"].as_str()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "newest first: {times:?}");
    println!("hottest {hottest:.1} °C of {critical} °C, {} events", states.len());
}
