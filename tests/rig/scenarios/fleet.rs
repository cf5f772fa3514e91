//! The guest as a machine of a fleet: seen by its aggregator, and guarded without it.

use crate::guest::Guest;
use flyball_harness::fleet::{Api, Fleet};
use flyball_rig::{Board, Network, Plant};
use serde_json::json;
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const CRITICAL: f64 = 105.0;

/// Enrols the guest and starts its agent. Its certificate, pin and spool lie in its memory.
fn join(guest: &mut Guest, fleet: &Fleet, api: &Api) -> String {
    let token = api.post("/api/v1/enrolment-tokens", &json!({})).unwrap();
    assert_eq!(token.status, 201, "{}", token.body);
    let token = token.body["data"]["token"].as_str().unwrap();
    let port = fleet.ready().unwrap().ingest.rsplit(':').next().unwrap().to_owned();
    let enrol = format!(
        "mkdir -p /run/agent; flyball-agent enrol --state /run/agent --server 10.0.2.2:{port} \
         --token {token} --guard-pin /run/pin.toml --name guest 2>&1; echo rc $?"
    );
    let said = guest.machine.run(&enrol).unwrap();
    assert!(said.ends_with("rc 0"), "{said}");
    let run = format!(
        "flyball-agent run --state /run/agent --server 10.0.2.2:{port} \
         --guard-socket /run/guard.sock > /run/agent.log 2>&1 &"
    );
    guest.machine.run(&run).unwrap();
    let mut id = None;
    for _ in 0..60 {
        let devices = api.get("/api/v1/devices").unwrap().body;
        let all = devices["data"].as_array().cloned().unwrap_or_default();
        id = all
            .iter()
            .find(|device| device["name"] == "guest" && device["status"] == "online")
            .and_then(|device| device["id"].as_str().map(str::to_owned));
        if id.is_some() {
            break;
        }
        thread::sleep(Duration::from_secs(1));
    }
    let log = guest.machine.run("cat /run/agent.log").unwrap();
    id.unwrap_or_else(|| panic!("the guest is never online: {log}"))
}

#[test]
fn a_machine_is_guarded_with_its_network_cut_and_its_agent_killed() {
    let fleet = Fleet::up(1).unwrap();
    let api = fleet.api().unwrap();
    let mut guest = Guest::boot(Network::User);
    let plant = Plant::start(guest.page(), Board::SERVER, 60.0).unwrap();
    guest.start_guard();
    let id = join(&mut guest, &fleet, &api);
    guest.wait_for("the agent at the guard", SOON, |text| text.contains("agent attached"));
    let path = format!("/api/v1/devices/{id}/readings?reading_type=TEMPERATURE");
    let reads = || {
        let body = api.get(&path).unwrap().body;
        body["data"].as_array().is_some_and(|series| !series.is_empty())
    };
    let come = (0..40).any(|_| {
        thread::sleep(Duration::from_secs(1));
        reads()
    });
    assert!(come, "the guest's temperatures never came");

    guest.machine.cut_network().unwrap();
    guest.machine.run("kill -9 $(pidof flyball-agent)").unwrap();
    plant.begin();
    plant.mark("load");
    plant.set_load(380.0);
    thread::sleep(Duration::from_secs(45));
    let trace = plant.trace();
    assert!(trace.first("load", |sample| sample.cap_watts < 300.0).is_some(), "{}", guest.log());
    assert!(trace.peak_celsius() < CRITICAL - 5.0, "{}\n{}", trace.csv(), guest.log());
    guest.wait_for("the guard without its agent", SOON, |text| text.contains("agent away"));
}
