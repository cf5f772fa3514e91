//! What a validator must refuse, asked over the API: each with its status, its slug and a reason
//! that names what stands against it.

use super::Room;
use crate::until::until;
use flyball_harness::counterparts::BmcSensor;
use flyball_harness::fleet::Answer;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;

const POLICY: &str = r#"
[[group]]
name = "rack-1"
at_most = 1
within_s = 600

[[switch]]
actuator = "bmc-3/power"
group = "rack-1"
restart_interval_s = 0.1

[[switch]]
actuator = "bmc-2/power"
restart_interval_s = 0.1

[[interlock]]
name = "inlet"
reason = "nothing starts above 35 °C at the inlet"
targets = ["bmc-2/power"]
[[interlock.condition]]
sensor = "bmc-2/inlet-temp"
at_most = 35

[[interlock]]
name = "mains"
reason = "nothing starts while the UPS is on battery"
targets = ["bmc-2/power"]
[[interlock.condition]]
sensor = "ups-1/on-battery"
at_most = 0
"#;

/// What is asked and how it has to be answered.
struct Row {
    what: &'static str,
    path: String,
    body: Value,
    status: u16,
    error: &'static str,
    /// All of them stand in the message or its details.
    words: &'static [&'static str],
}

impl Room {
    fn refuses(&self, row: &Row) {
        let answer = self.api.post(&row.path, &row.body).unwrap();
        refused(row, &answer);
    }

    /// Waits until the machine itself says that it would refuse, then asks in earnest.
    fn comes_to_refuse(&self, device: &str, row: &Row) {
        let mut question = row.body.clone();
        question["action"] = json!("power");
        until(row.what, 60, || {
            let path = format!("/api/v1/devices/{device}/actions:validate");
            let answer = self.api.post(&path, &question).unwrap().body;
            if answer["data"]["verdict"] == "refused" { Ok(()) } else { Err(answer.to_string()) }
        });
        self.refuses(row);
    }

    /// The aggregator's own rules, which take the ids of its devices.
    fn restart_with(&self, rules: &str) {
        let file = self.fleet.state().join("aggregator/aggregator.toml");
        self.fleet.down().unwrap();
        fs::write(file, rules).unwrap();
        self.fleet.start().unwrap();
    }
}

fn refused(row: &Row, answer: &Answer) {
    let Row { what, status, error, words, .. } = row;
    let text = answer.body.to_string();
    println!("{what}: {} {}: {}", answer.status, answer.body["error"], answer.body["message"]);
    assert_eq!((answer.status, &answer.body["error"]), (*status, &json!(error)), "{what}: {text}");
    for word in *words {
        assert!(text.contains(word), "{what}: `{word}` is not in {text}");
    }
}

#[test]
fn what_must_not_be_done_is_refused_with_its_reason() {
    let room = Room::with_policy(POLICY);
    let [one, two, three] = ["bmc-1", "bmc-2", "bmc-3"].map(|name| room.device(name));
    room.restart_with(&format!(
        "[safety]\nenergising_per_minute = 100\n\n[[safety.racks]]\nname = \"r12\"\n\
         devices = [\"{one}\"]\nenergising_per_minute = 1\n"
    ));
    for device in [&one, &two, &three] {
        room.stands(device, "Off");
    }
    room.limits_are_normal(&two);
    room.limits_are_normal(&three);
    let power = |device: &str| format!("/api/v1/devices/{device}/power");
    let on = json!({"reset_type": "On"});

    let nobody = power("0198c7a4-0000-7000-8000-000000000000");
    let row = |what, path: &str, body: Value, status, error, words| Row {
        what,
        path: path.to_owned(),
        body,
        status,
        error,
        words,
    };
    let (past, raw) = (power(&two) + "?not_after=2020-01-01T00:00:00Z", power(&two) + "/raw");
    let own = power(&room.gateway);
    for row in [
        row("an unknown device", &nobody, on.clone(), 404, "not_found", &["device"]),
        row(
            "an unknown switch",
            &power(&two),
            json!({"reset_type": "On", "switch": "outlet-9"}),
            422,
            "validation_error",
            &["no actuator `bmc-2/outlet-9`"],
        ),
        row(
            "another state than expected",
            &power(&two),
            json!({"reset_type": "On", "expected_state": "On"}),
            409,
            "state_conflict",
            &["stands at Off"],
        ),
        row(
            "a cycle of what is off",
            &power(&two),
            json!({"reset_type": "PowerCycle"}),
            409,
            "state_conflict",
            &["stands at Off"],
        ),
        row(
            "a verb that the BMC does not have",
            &power(&two),
            json!({"reset_type": "GracefulRestart"}),
            422,
            "validation_error",
            &["no such verb"],
        ),
        row(
            "a verb that nobody has",
            &power(&two),
            json!({"reset_type": "Explode"}),
            422,
            "validation_error",
            &["reset_type"],
        ),
        row(
            "a negative cap",
            &power(&three),
            json!({"cap_watts": -5}),
            422,
            "validation_error",
            &["cap_watts"],
        ),
        row(
            "a cap below the hardware's minimum",
            &power(&three),
            json!({"cap_watts": 149}),
            422,
            "validation_error",
            &["150.0 W"],
        ),
        row(
            "a cap above the one that the machine's owner had set",
            &power(&three),
            json!({"cap_watts": 501}),
            409,
            "interlock_active",
            &["500.0 W"],
        ),
        row(
            "a cap in a unit that is not meant",
            &power(&three),
            json!({"cap_milliwatts": 300_000}),
            422,
            "validation_error",
            &["cap_milliwatts"],
        ),
        row("what is past its time", &past, on.clone(), 409, "operation_refused", &["not_after"]),
        row(
            "the machine that the only aggregator runs on",
            &own,
            json!({"reset_type": "GracefulShutdown"}),
            409,
            "operation_refused",
            &["own_machine"],
        ),
        row("a raw write to the BMC", &raw, json!({"bytes": [0, 1]}), 404, "not_found", &[]),
    ] {
        room.refuses(&row);
    }
    for body in ["{\"cap_watts\": NaN}", "{\"cap_watts\": 1e999}", "{\"cap_watts\": Infinity}"] {
        let answer = room.api.post_raw(&power(&three), body.as_bytes()).unwrap();
        assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_json")), "{body}");
    }
    // The guard's own cap may be there: what the BMC says of its power bounds it.
    let switched = |order: &String| order.starts_with("power") || order.starts_with("reset");
    assert!(!room.ipmi.orders().iter().any(switched), "{:?}", room.ipmi.orders());
    assert!(room.fake.changes().iter().all(|(method, ..)| method != "POST"), "a reset was sent");

    locked(&room, &two, &power(&two));
    interlocked(&room, &two, &power(&two));
    latched(&room, &two, &power(&two));
    armed(&room, &two);
    loosened(&room, &two);

    // As many of the rack have started as may: by the edge's group, by the aggregator's rack.
    room.order(&three, "On");
    room.order_twice(&three, "ForceOff");
    room.refuses(&row(
        "a start more than the group takes",
        &power(&three),
        on.clone(),
        409,
        "interlock_active",
        &["rack-1", "have passed"],
    ));
    let first = room.power(&one, &on);
    assert_eq!(first.status, 202, "{}", first.body);
    room.refuses(&row(
        "a start more than the rack's feed takes",
        &power(&one),
        on.clone(),
        409,
        "start_pace_exceeded",
        &["rack r12"],
    ));
    // The emulator takes seconds to come up.
    room.refuses(&row(
        "a second command while the first is on its way",
        &power(&one),
        json!({"reset_type": "GracefulShutdown"}),
        503,
        "unavailable",
        &["in the midst of On"],
    ));
    room.ends_as(&first.body, "succeeded");
}

fn on(what: &'static str, path: &str, error: &'static str, words: &'static [&'static str]) -> Row {
    let (path, body) = (path.to_owned(), json!({"reset_type": "On"}));
    Row { what, path, body, status: 409, error, words }
}

fn locked(room: &Room, device: &str, power: &str) {
    let locks = format!("/api/v1/devices/{device}/locks");
    let lock = json!({"name": "new-fans", "reason": "somebody works inside"});
    assert_eq!(room.api.post(&locks, &lock).unwrap().status, 202);
    let row = on("a start under a lock", power, "locked", &["new-fans", "somebody works inside"]);
    room.comes_to_refuse(device, &row);
    let released = room.api.post(&format!("{locks}/new-fans/release"), &json!({})).unwrap();
    assert_eq!(released.status, 202, "{}", released.body);
}

fn interlocked(room: &Room, device: &str, power: &str) {
    room.ipmi.set(BmcSensor::Inlet, 38).unwrap();
    let words = &["inlet", "above 35", "\"reading\":38.0", "\"limit\":35.0"];
    let row = on("a start above the intake's threshold", power, "interlock_active", words);
    room.comes_to_refuse(device, &row);
    room.ipmi.set(BmcSensor::Inlet, 22).unwrap();

    room.ups.set_status("OB DISCHRG").unwrap();
    let words = &["mains", "on battery", "ups-1/on-battery <= 0"];
    let row = on("a start on battery", power, "interlock_active", words);
    // The intake stands against it until it has been read again.
    until("the mains stand against it", 60, || {
        let path = format!("/api/v1/devices/{device}/actions:validate");
        let question = json!({"action": "power", "reset_type": "On"});
        let answer = room.api.post(&path, &question).unwrap().body;
        if answer["data"]["details"]["interlock"] == "mains" { Ok(()) } else { Err(answer) }
    });
    room.refuses(&row);
    room.ups.set_status("OL").unwrap();

    room.ups.driver().signal(Signal::STOP).unwrap();
    let words = &["mains", "nobody knows"];
    let row = on("a start where nobody knows of the UPS", power, "interlock_active", words);
    until("the UPS is stale", 60, || {
        let path = format!("/api/v1/devices/{device}/actions:validate");
        let question = json!({"action": "power", "reset_type": "On"});
        let answer = room.api.post(&path, &question).unwrap().body;
        let reason = answer["data"]["reason"].as_str().unwrap_or_default().to_owned();
        if reason.contains("nobody knows") { Ok(()) } else { Err(answer) }
    });
    room.refuses(&row);
    room.ups.driver().signal(Signal::CONT).unwrap();
    accepts(room, device);
}

/// The machine itself says that nothing stands against a start.
fn accepts(room: &Room, device: &str) {
    until("nothing stands against a start", 60, || {
        let path = format!("/api/v1/devices/{device}/actions:validate");
        let question = json!({"action": "power", "reset_type": "On"});
        let answer = room.api.post(&path, &question).unwrap().body;
        if answer["data"]["verdict"] == "accepted" { Ok(()) } else { Err(answer) }
    });
}

/// Hot beyond the BMC's own threshold: tripped, and latched when it is cool again.
fn latched(room: &Room, device: &str, power: &str) {
    room.ipmi.set(BmcSensor::Processor, 110).unwrap();
    let trips = format!("/api/v1/devices/{device}/trips");
    let trip = until("the limit trips", 60, || {
        let answer = room.api.get(&trips).unwrap().body;
        answer["data"][0]["limit"].as_str().map(str::to_owned).ok_or_else(|| answer.to_string())
    });
    let row = on("a start under a trip", power, "interlock_active", &["cpu1-temp"]);
    room.refuses(&row);
    room.ipmi.set(BmcSensor::Processor, 40).unwrap();
    until("the trip could be cleared", 60, || {
        let answer = room.api.get(&trips).unwrap().body;
        if answer["data"][0]["clearable"] == true { Ok(()) } else { Err(answer.to_string()) }
    });
    let words = &["cpu1-temp", "is cleared"];
    room.refuses(&on("a start under a latch that is cool", power, "interlock_active", words));
    let clear = format!("{trips}/{}/clear", trip.replace('/', "%2F"));
    let cleared = room.api.post(&clear, &json!({"reason": "new paste"})).unwrap();
    assert_eq!(cleared.status, 202, "{}", cleared.body);
    accepts(room, device);
}

/// Work is cut only by a second hand, and only where it still stands as it was shown.
fn armed(room: &Room, device: &str) {
    room.order(device, "On");
    let armed = room.power(device, &json!({"reset_type": "ForceOff"}));
    assert_eq!(armed.body["data"]["state"], "armed", "{}", armed.body);
    assert!(room.ipmi.is_on());
    room.ipmi.turn(false).unwrap();
    room.stands(device, "Off");
    let refused = room.confirm(&armed.body);
    assert_eq!(
        (refused.status, &refused.body["error"]),
        (409, &json!("state_conflict")),
        "a confirmation of what has changed since: {}",
        refused.body
    );
    let again = room.confirm(&armed.body);
    assert_eq!(again.status, 409, "a confirmation twice: {}", again.body);
    assert!(!room.ipmi.orders().contains(&"power=0".to_owned()), "{:?}", room.ipmi.orders());
}

/// A layer of the fleet that is looser than the machine's own changes nothing, and says so.
fn loosened(room: &Room, device: &str) {
    let limits = format!("/api/v1/devices/{device}/limits");
    let before = room.api.get(&limits).unwrap().body;
    let known = before["data"].as_array().unwrap();
    let own = known.iter().find(|limit| limit["trip"].as_f64().is_some());
    let own = own.unwrap_or_else(|| panic!("no limit trips: {before}"));
    let (name, trip) = (own["name"].as_str().unwrap(), own["trip"].as_f64().unwrap());
    let layer = json!({"limits": [{"name": name, "trip": trip + 5.0}]});
    let path = format!("/api/v1/devices/{}/fleet-limits", room.gateway);
    let etag = room.api.get(&path).unwrap().etag.unwrap();
    let answer = room.api.put(&path, &etag, &layer).unwrap();
    let stale = room.api.put(&path, &etag, &layer).unwrap();
    assert_eq!((stale.status, &stale.body["error"]), (412, &json!("precondition_failed")));
    let value = &answer.body["data"]["limits"][0]["values"][0];
    assert_eq!(value["effective"], false, "{}", answer.body);
    assert!(value["reason"].is_string() && value["own"] == trip, "{}", answer.body);
    let after = room.api.get(&limits).unwrap().body;
    let same = after["data"].as_array().unwrap().iter().find(|limit| limit["name"] == name);
    assert_eq!(same.unwrap()["trip"], trip, "{after}");
}
