//! The guest as a machine of a fleet: seen by its aggregator, and guarded without it.

use crate::guest::Guest;
use crate::heat::{guarded, load, rest};
use flyball_harness::fleet::{Api, Fleet};
use flyball_rig::{Machine, Network};
use serde_json::json;
use std::thread;
use std::time::Duration;

/// Enrols the machine behind `line` and starts its agent; certificate, pin and spool lie below
/// `place`, and in `server` there where its aggregator is.
pub(crate) fn enrol(line: &mut Machine, fleet: &Fleet, api: &Api, place: &str) {
    let token = api.post("/api/v1/enrolment-tokens", &json!({})).unwrap();
    assert_eq!(token.status, 201, "{}", token.body);
    let token = token.body["data"]["token"].as_str().unwrap();
    let port = fleet.ready().unwrap().ingest.rsplit(':').next().unwrap().to_owned();
    let server = format!("10.0.2.2:{port}");
    let enrol = format!(
        "mkdir -p {place}/agent; flyball-agent enrol --state {place}/agent --server {server} \
         --token {token} --guard-pin {place}/pin.toml --name guest 2>&1; echo rc $?; \
         echo {server} > {place}/server"
    );
    let said = line.run(&enrol).unwrap();
    assert!(said.contains("rc 0"), "{said}");
    // In a shell of its own, so that its end is reaped while the line's shell waits for words.
    let run = format!(
        "(flyball-agent run --state {place}/agent --server {server} \
         --guard-socket /run/guard.sock >> /run/agent.log 2>&1 &)"
    );
    line.run(&run).unwrap();
}

/// Enrols the guest, and waits until its aggregator knows it.
fn join(guest: &mut Guest, fleet: &Fleet, api: &Api) -> String {
    enrol(&mut guest.machine, fleet, api, "/run");
    let mut id = None;
    for _ in 0..180 {
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
    let (mut guest, plant) = guarded(Network::User);
    let id = join(&mut guest, &fleet, &api);
    guest.wait_for("the agent at the guard", |text| text.contains("agent attached"));
    let path = format!("/api/v1/devices/{id}/readings?reading_type=TEMPERATURE");
    let reads = || {
        let body = api.get(&path).unwrap().body;
        body["data"].as_array().is_some_and(|series| !series.is_empty())
    };
    let come = (0..120).any(|_| {
        thread::sleep(Duration::from_secs(1));
        reads()
    });
    assert!(come, "the guest's temperatures never came");

    guest.machine.cut_network().unwrap();
    plant.begin();
    load("the network is cut", &mut guest, &plant, 35.0);

    rest(&mut guest, &plant);
    guest.machine.run("kill -9 $(pidof flyball-agent)").unwrap();
    load("the agent is killed", &mut guest, &plant, 35.0);
    guest.wait_for("the guard without its agent", |text| text.contains("agent away"));
}
