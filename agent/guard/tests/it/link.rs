//! The socket: one agent, records that replay, and guests that misbehave.

use super::agent::Agent;
use super::guarded::{Guarded, wait_for};
use flyball_guard_messages::{FromAgent, FromGuard, encode};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[test]
fn records_replay_after_an_agent_was_away_and_no_tick_is_missing_or_doubled() {
    let guarded = Guarded::board(1.0);
    let mut agent = guarded.agent();
    let mut ticks = vec![agent.next_tick(), agent.next_tick()];
    let (run, durable) = (agent.run, agent.through);
    agent.send(&FromAgent::Confirm { through: durable });
    drop(agent);
    std::thread::sleep(Duration::from_secs(3));
    let mut agent = Agent::attach(&guarded.socket(), Some(run), durable);
    ticks.extend((0..5).map(|_| agent.next_tick()));
    let expected: Vec<u64> = (0..7).map(|second| ticks[0] + second * 1000).collect();
    assert_eq!(ticks, expected);
}

#[test]
fn what_was_not_confirmed_comes_again() {
    let guarded = Guarded::board(1.0);
    let mut agent = guarded.agent();
    let first = agent.next_tick();
    agent.next_tick();
    drop(agent);
    assert_eq!(guarded.agent().next_tick(), first);
}

#[test]
fn a_new_agent_takes_the_place_of_the_old_and_status_takes_nobodys() {
    let guarded = Guarded::board(1.0);
    let mut first = guarded.agent();
    first.next_tick();
    assert_eq!(guarded.status()["agent_attached"], true);
    first.next_tick();
    let mut second = guarded.agent();
    second.next_tick();
    while first.receive().is_some() {}
    assert!(guarded.log().contains("a new agent took its place"));
}

#[test]
fn torn_frames_and_frames_of_2_gib_hurt_nobody_else() {
    let guarded = Guarded::board(1.0);
    let mut agent = guarded.agent();
    let before = agent.next_tick();
    let attach = encode(&FromAgent::Inventory).unwrap();
    let cases: [(&[u8], &str); 4] = [
        (&0x8000_0000_u32.to_le_bytes(), "a frame of 2147483648 bytes is announced"),
        (&[9, 0, 0, 0, 1], "within a frame"),
        (&[3, 0, 0, 0, 0xff, 0xff, 0xff], "cannot be decoded"),
        (&attach, "before it was attached"),
    ];
    for (bytes, line) in cases {
        let mut guest = UnixStream::connect(guarded.socket()).unwrap();
        guest.write_all(bytes).unwrap();
        guest.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        guest.read_to_end(&mut rest).unwrap();
        wait_for(line, || guarded.log().contains(line));
    }
    assert_eq!(agent.next_tick(), before + 1000);
}

#[test]
fn an_agent_that_does_not_read_holds_nothing_up() {
    let guarded = Guarded::board(1.0);
    let deaf = guarded.agent();
    let cycles = || guarded.status()["cycles"].as_u64().unwrap();
    let before = cycles();
    std::thread::sleep(Duration::from_secs(2));
    assert!(cycles() > before + 6);
    drop(deaf);
}

#[test]
fn the_limits_can_be_asked_for_and_the_socket_is_its_owners_alone() {
    let guarded = Guarded::board(1.0);
    guarded.settle();
    let mode = std::fs::metadata(guarded.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut agent = guarded.agent();
    agent.send(&FromAgent::Inventory);
    loop {
        if let Some(FromGuard::Inventory(inventory)) = agent.receive() {
            assert_eq!(inventory.limits.len(), agent.limits.len());
            return;
        }
    }
}
