//! The guard with everything else dead: a fan seizes, the board is capped, tripped, and lives.

use crate::until::until;
use flyball_harness::fleet::Fleet;
use rustix::process::Signal;
use serde_json::json;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn a_board_whose_fan_seizes_while_all_else_is_dead_stays_under_critical() {
    let fleet = Fleet::up(2).unwrap();
    let board = fleet.ready().unwrap().devices[1].id.clone();
    let plant = fleet.plant(2);
    sleep(Duration::from_secs(5));
    let truth = || plant.say(&json!({"state": true})).unwrap();
    let at_rest = truth();
    let critical = at_rest["critical_celsius"].as_f64().unwrap();
    let most_watts = at_rest["max_cap_watts"].as_f64().unwrap();

    // The supervisor is stopped first, so that nobody starts them again.
    fleet.signal("up", Signal::STOP).unwrap();
    fleet.signal("agent-2", Signal::KILL).unwrap();
    fleet.signal("aggregator", Signal::KILL).unwrap();
    for fan in 1..=at_rest["fans"].as_array().unwrap().len() {
        plant.say(&json!({"fault": "fan_seized", "target": format!("fan{fan}")})).unwrap();
    }
    plant.say(&json!({"load_watts": most_watts})).unwrap();

    let mut lowest_cap = f64::MAX;
    for _ in 0..360 {
        sleep(Duration::from_millis(250));
        let now = truth();
        let heat = now["die_celsius"].as_f64().unwrap();
        assert!(heat < critical, "{heat} °C reached the critical {critical} °C: {now}");
        lowest_cap = lowest_cap.min(now["cap_watts"].as_f64().unwrap());
    }
    let hottest = truth()["peak_celsius"].as_f64().unwrap();
    assert!(lowest_cap < most_watts, "the guard never capped; the hottest was {hottest} °C");

    fleet.signal("up", Signal::CONT).unwrap();
    let states = until("the events of that time are there", 60, || {
        let api = fleet.api().map_err(|error| format!("{error:#}"))?;
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

    // Healed and cool, it is cleared by a person with a reason, and not before.
    plant.say(&json!({"heal": "all"})).unwrap();
    plant.say(&json!({"load_watts": 10})).unwrap();
    until("the trips are cleared", 120, || {
        let api = fleet.api().map_err(|error| format!("{error:#}"))?;
        let limits = api.get(&format!("/api/v1/devices/{board}/limits")).unwrap().body;
        let tripped: Vec<_> = limits["data"].as_array().cloned().unwrap_or_default();
        let tripped: Vec<_> = tripped.iter().filter(|one| one["state"] == "tripped").collect();
        for limit in &tripped {
            let order = json!({"limit": limit["name"], "reason": "the fans turn again"});
            let answer = api.post(&format!("/api/v1/devices/{board}/trips/clear"), &order).unwrap();
            assert!([202, 409].contains(&answer.status), "{}", answer.body);
        }
        if tripped.is_empty() { Ok(()) } else { Err(limits.to_string()) }
    });
}
