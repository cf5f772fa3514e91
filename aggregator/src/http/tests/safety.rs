//! Limits with their layers, interlocks, locks, trips and switches, as clients see them.

use super::board::{board, lock};
use super::machine::{arm_the_destructive, enrol, guarded};
use super::rig::{ADMIN, NOW_MS, Rig};
use flyball_protocol::command::{
    Action, HeldStep, Origin, PowerState, Refusal, RefusalKind, ResetType, Verdict,
};
use flyball_protocol::guard::{
    ClaimSnapshot, HoldSnapshot, Inventory as Board, SelfTestEnd, SelfTestResult, TrialSnapshot,
};
use flyball_units::Unit;
use serde_json::{Value, json};

fn refusal(kind: RefusalKind, interlock: &str) -> Verdict {
    Verdict::Refused(Refusal {
        kind,
        interlock: interlock.into(),
        reading: None,
        limit: None,
        unit: None,
        since_ms: Some(1_795_298_000_000),
        clears_when: "it is lifted".into(),
        reason: "that cannot be done now".into(),
    })
}

#[tokio::test]
async fn a_limit_shows_its_layers_and_whose_each_value_is() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| None).await;
    let path = format!("/api/v1/devices/{}/limits", machine.device);
    let limits = rig.get(&path).by(&token).send().await.json()["data"].clone();
    assert_eq!(limits.as_array().unwrap().len(), 1, "{limits}");
    let cpu = &limits[0];
    assert_eq!(cpu["factory"], json!({ "warning": 80.0, "limit": 85.0, "trip": 95.0 }));
    assert_eq!(cpu["local"], json!({ "warning": 75.0, "limit": null, "trip": null }));
    assert_eq!(
        cpu["layers_in_force"],
        json!({ "warning": "local", "limit": "factory", "trip": "factory" })
    );
    assert_eq!((&cpu["direction"], &cpu["step"]), (&json!("above"), &Value::Null));
}

#[tokio::test]
async fn interlocks_trips_and_switches_say_what_stands_and_why() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| None).await;
    let of = |id: String, what: &str| format!("/api/v1/devices/{id}/{what}");
    let get = |path: String| rig.get(&path).by(&token).send();
    let trips = get(of(machine.device.to_string(), "trips")).await.json()["data"].clone();
    assert_eq!((&trips[0]["id"], &trips[0]["clearable"]), (&json!("cpu"), &json!(false)));
    let pdu = crate::fleet::equipment_id(machine.device, "pdu-1").to_string();
    let interlocks = get(of(pdu.clone(), "interlocks")).await.json()["data"].clone();
    assert_eq!(interlocks[0]["active"], true);
    assert_eq!(interlocks[0]["conditions"][0]["holds"], Value::Null);
    let power = get(of(pdu, "power")).await.json()["data"].clone();
    assert_eq!(power["state"], Value::Null, "a PDU has several switches, and none is its own");
    let outlet = &power["switches"][0];
    assert_eq!((&outlet["id"], &outlet["state"]), (&json!("pdu-1/outlet-3"), &json!("On")));
    assert_eq!(outlet["locks"], json!(["rack 3"]));
    let cycle =
        outlet["verbs"].as_array().unwrap().iter().find(|v| v["reset_type"] == "PowerCycle");
    assert_eq!(
        *cycle.unwrap(),
        json!({ "reset_type": "PowerCycle", "energises": true, "destructive": true })
    );
    let own = get(of(machine.device.to_string(), "power")).await.json()["data"].clone();
    assert_eq!(own["state"], "On");
    let thermal = get(of(machine.device.to_string(), "thermal")).await.json()["data"].clone();
    assert_eq!(
        (&thermal["fans"][0]["id"], &thermal["temperatures"][0]["name"]),
        (&json!("fan1"), &json!("cpu"))
    );
}

#[tokio::test]
async fn a_dangerous_reset_is_armed_and_done_after_its_second_hand() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), arm_the_destructive).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let body = json!({ "reset_type": "PowerCycle", "expected_state": "On" });
    let answer = rig.post(&path).by(&token).json(&body).await;
    assert_eq!(answer.status, 202);
    let operation = answer.json()["data"].clone();
    assert_eq!(
        (&operation["state"], &operation["target"]["word"]),
        (&json!("armed"), &json!("PowerCycle"))
    );
    let shown = &operation["confirmation"];
    assert_eq!(shown["target"], "host/power, serial 42");
    assert_eq!(shown["consequence"], "It loses power at once.");
    let confirm = format!("{}/confirm", answer.header("location"));
    let secret = shown["token"].as_str().unwrap();

    let other = rig.sign_in("/api/v1/auth/login", ADMIN, super::rig::PASSWORD).await.json();
    let other = other["data"]["tokens"]["access_token"].as_str().unwrap();
    let seen = rig.get(answer.header("location")).by(other).send().await.json();
    assert_eq!(seen["data"]["confirmation"]["token"], Value::Null);
    let stolen = rig.post(&confirm).by(other).json(&json!({ "token": secret })).await;
    assert_eq!(stolen.refusal(), (403, "forbidden".into()));

    let wrong = rig.post(&confirm).by(&token).json(&json!({ "token": "00" })).await;
    assert_eq!(wrong.refusal(), (409, "confirmation_required".into()));
    assert_eq!(wrong.json()["details"]["target"], "host/power, serial 42");
    let none = rig.post(&confirm).by(&token).json(&json!({})).await;
    assert_eq!(none.refusal(), (422, "missing_field".into()));

    let confirmed = rig.post(&confirm).by(&token).json(&json!({ "token": secret })).await;
    assert_eq!(confirmed.status, 202);
    let confirmed = confirmed.json()["data"].clone();
    assert_eq!((&confirmed["id"], &confirmed["state"]), (&operation["id"], &json!("running")));
    assert_eq!(confirmed["confirmed_by"], ADMIN);
    let again = rig.post(&confirm).by(&token).json(&json!({ "token": secret })).await;
    assert_eq!(again.refusal(), (409, "state_conflict".into()));
    let asked = machine.asked();
    let reset = Action::Reset {
        switch: "host/power".into(),
        reset: ResetType::PowerCycle,
        expected: Some(PowerState::On),
    };
    assert_eq!(asked[0], reset);
    assert!(matches!(asked[1], Action::Confirm { .. }), "{asked:?}");
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn a_second_person_confirms_where_two_are_wanted() {
    let rig = Rig::with(|config| config.safety.second_person = true).await;
    let token = rig.admin().await;
    let other = rig.token("other@example.org", crate::access::Role::Superuser).await;
    let machine = guarded(&rig, board(), arm_the_destructive).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let answer = rig.post(&path).by(&token).json(&json!({ "reset_type": "ForceRestart" })).await;
    let shown = answer.json()["data"]["confirmation"].clone();
    assert_eq!((&shown["second_person"], &shown["token"]), (&json!(true), &Value::Null));
    let confirm = format!("{}/confirm", answer.header("location"));
    let alone = rig.post(&confirm).by(&token).json(&json!({ "token": "00" })).await;
    assert_eq!(alone.refusal(), (409, "second_person_required".into()));
    let seen = rig.get(answer.header("location")).by(&other).send().await.json();
    let secret = seen["data"]["confirmation"]["token"].clone();
    let done = rig.post(&confirm).by(&other).json(&json!({ "token": secret })).await;
    assert_eq!(
        (done.status.as_u16(), &done.json()["data"]["confirmed_by"]),
        (202, &json!("other@example.org"))
    );
}

#[tokio::test]
async fn what_is_armed_is_forgotten_in_time() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), arm_the_destructive).await;
    let path = format!("/api/v1/devices/{}/power", machine.device);
    let answer = rig.post(&path).by(&token).json(&json!({ "reset_type": "ForceRestart" })).await;
    let secret = answer.json()["data"]["confirmation"]["token"].clone();
    rig.clock.advance(std::time::Duration::from_secs(61));
    let confirm = format!("{}/confirm", answer.header("location"));
    let late = rig.post(&confirm).by(&token).json(&json!({ "token": secret })).await;
    assert_eq!(late.refusal(), (409, "confirmation_expired".into()));
    rig.clock.advance(std::time::Duration::from_secs(60));
    rig.app.operations.expire().await.unwrap();
    let gone = rig.get(answer.header("location")).by(&token).send().await.json();
    assert_eq!(gone["data"]["state"], "expired");
    assert_eq!(gone["data"]["errors"][0]["code"], "confirmation_expired");
    assert_eq!(machine.asked().len(), 1);
}

#[tokio::test]
async fn refusals_are_told_apart_and_say_what_an_operator_needs() {
    for (verdict, slug, detail, value) in [
        (refusal(RefusalKind::Locked, "rack 3"), "locked", "owner", json!("other@example.org")),
        (
            refusal(RefusalKind::WrongState, ""),
            "state_conflict",
            "states",
            json!({ "host/power": "On" }),
        ),
        (refusal(RefusalKind::Interlock, "inlet"), "interlock_active", "interlock", json!("inlet")),
        (refusal(RefusalKind::Expired, ""), "operation_refused", "rule", Value::Null),
    ] {
        let rig = Rig::start().await;
        let token = rig.admin().await;
        let mut board = board();
        board.locks.push(lock("rack 3", "other@example.org", None));
        board.locks.remove(0);
        let machine = guarded(&rig, board, move |_| Some(verdict.clone())).await;
        let path = format!("/api/v1/devices/{}/power", machine.device);
        let answer = rig.post(&path).by(&token).json(&json!({ "reset_type": "On" })).await;
        assert_eq!(answer.refusal(), (409, slug.to_owned()));
        assert_eq!(answer.json()["details"][detail], value, "{slug}");
    }
}

#[tokio::test]
async fn a_lock_is_its_owners_and_a_stranger_lifts_it_with_a_justification() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let pdu = crate::fleet::equipment_id(machine.device, "pdu-1");
    let locks = format!("/api/v1/devices/{pdu}/locks");
    let listed = rig.get(&locks).by(&token).send().await.json()["data"].clone();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["owner"]),
        (&json!("rack 3"), &json!("other@example.org"))
    );
    let body = json!({ "name": "mine", "reason": "work", "target": "outlet-4", "until": (rig.clock.now_ms() + 1_000).to_string() });
    assert_eq!(rig.post(&locks).by(&token).json(&body).await.status, 202);
    let Action::SetLock(set) = machine.asked().remove(0) else { panic!("{:?}", machine.asked()) };
    assert_eq!((set.owner.as_str(), set.target.as_deref()), (ADMIN, Some("pdu-1/outlet-4")));

    let release = format!("{locks}/rack%203/release");
    let refused = rig.post(&release).by(&token).json(&json!({})).await;
    assert_eq!(refused.refusal(), (409, "locked".into()));
    assert_eq!(refused.json()["details"]["owner"], "other@example.org");
    let body = json!({ "justification": "the owner has gone home" });
    assert_eq!(rig.post(&release).by(&token).json(&body).await.status, 202);
    let Action::ReleaseLock { lock, justification, .. } = machine.asked().remove(1) else {
        panic!()
    };
    assert_eq!((lock.as_str(), justification.is_some()), ("rack 3", true));
    for body in [
        json!({ "name": "", "reason": "work" }),
        json!({ "name": "a", "reason": " " }),
        json!({ "name": "a", "reason": "work", "until": "5" }),
        json!({ "name": "a", "reason": "work", "until": "soon" }),
        // The PDU has several switches, and none is meant.
        json!({ "name": "a", "reason": "work" }),
    ] {
        assert_eq!(rig.post(&locks).by(&token).json(&body).await.status, 422, "{body}");
    }
}

#[tokio::test]
async fn a_trip_is_cleared_by_its_own_address_and_by_the_older_one() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let trips = format!("/api/v1/devices/{}/trips", machine.device);
    // Nobody has to guess what is missing, with an empty body or with none.
    for empty in [
        rig.post(&format!("{trips}/cpu/clear")).by(&token).send().await,
        rig.post(&format!("{trips}/cpu/clear")).by(&token).json(&json!({})).await,
    ] {
        assert_eq!(empty.status, 422, "{}", empty.text);
        let fault = empty.json()["field_errors"][0].clone();
        assert_eq!((&fault["field"], &fault["code"]), (&json!("reason"), &json!("missing_field")));
    }
    let own = rig.post(&format!("{trips}/cpu/clear")).by(&token);
    assert_eq!(own.json(&json!({ "reason": "new fan" })).await.status, 202);
    let older = rig.post(&format!("{trips}/clear")).by(&token);
    assert_eq!(older.json(&json!({ "limit": "cpu", "reason": "new fan" })).await.status, 202);
    let clear = Action::ClearTrip { limit: "cpu".into(), reason: "new fan".into() };
    assert_eq!(machine.asked(), [clear.clone(), clear]);
    let own = rig.post(&format!("{trips}/cpu/clear")).by(&token);
    let without = own.json(&json!({ "reason": "" })).await;
    assert_eq!(without.refusal(), (422, "validation_error".into()));
}

#[tokio::test]
async fn a_question_moves_nothing_and_is_unknown_until_the_machine_connects() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), arm_the_destructive).await;
    let ask = |device: String, body: Value| {
        let path = format!("/api/v1/devices/{device}/actions:validate");
        let ask = rig.post(&path).by(&token);
        async move { ask.json(&body).await.json()["data"].clone() }
    };
    let cycle = json!({ "action": "power", "reset_type": "PowerCycle" });
    let armed = ask(machine.device.to_string(), cycle.clone()).await;
    assert_eq!(
        (&armed["verdict"], &armed["by"]),
        (&json!("confirmation_required"), &json!("machine"))
    );
    assert_eq!(armed["target"], "host/power, serial 42");
    let on =
        ask(machine.device.to_string(), json!({ "action": "power", "reset_type": "On" })).await;
    assert_eq!((&on["verdict"], &on["kind"]), (&json!("accepted"), &json!("power.reset")));
    let away = enrol(&rig).await;
    let unknown = ask(away.to_string(), cycle).await;
    assert_eq!(unknown["verdict"], "unknown");
    assert!(unknown["reason"].as_str().unwrap().contains("until it connects"), "{unknown}");
    assert_eq!(machine.asked(), []);
    let total =
        rig.get("/api/v1/operations").by(&token).send().await.json()["meta"]["total"].clone();
    assert_eq!(total, 0);
    let path = format!("/api/v1/devices/{}/actions:validate", machine.device);
    for body in
        [json!({}), json!({ "action": "destroy" }), json!({ "action": "power", "reset": "On" })]
    {
        assert_eq!(rig.post(&path).by(&token).json(&body).await.status, 422, "{body}");
    }
}

#[tokio::test]
async fn bodies_that_ask_a_switch_for_nothing_possible_are_refused() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    for (what, body) in [
        ("power", json!({ "reset_type": "on" })),
        ("power", json!({ "reset_type": "On", "expected_state": "Dim" })),
        ("power", json!({ "reset_type": "On", "cap_watts": 100 })),
        ("power", json!({ "reset_type": "On", "actuator": "x" })),
        ("power", json!({ "cap_watts": 100, "switch": "x" })),
        ("power", json!({ "reset_type": "On", "switch": "x".repeat(300) })),
        ("power", json!({ "reset_type": "On", "justification": " " })),
        ("indicator", json!({})),
        ("indicator", json!({ "lit": true })),
        ("boot-once", json!({ "source": "" })),
        ("services", json!({ "service": "sshd", "verb": "kill" })),
        ("frequency", json!({ "cap_hertz": -1 })),
        ("profile", json!({ "profile": "quiet" })),
    ] {
        let path = format!("/api/v1/devices/{}/{what}", machine.device);
        let answer = rig.post(&path).by(&token).json(&body).await;
        assert_eq!(answer.status, 422, "{what} {body}: {}", answer.text);
    }
    assert_eq!(machine.asked(), []);
}

#[tokio::test]
async fn the_smaller_commands_reach_the_machine_as_they_were_meant() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let bmc = crate::fleet::equipment_id(machine.device, "bmc-1");
    for (device, what, body, kind) in [
        (bmc, "indicator", json!({ "lit": true }), "indicator.set"),
        (bmc, "boot-once", json!({ "source": "Pxe" }), "boot.once.set"),
        (
            machine.device,
            "services",
            json!({ "service": "builder", "verb": "pause" }),
            "service.set",
        ),
        (machine.device, "frequency", json!({ "cap_hertz": 2e9 }), "frequency.cap.set"),
        (machine.device, "frequency", json!({ "cap_hertz": null }), "frequency.cap.clear"),
        (
            machine.device,
            "profile",
            json!({ "profile": "quiet", "actuator": "platform" }),
            "profile.set",
        ),
        (machine.device, "thermal", json!({ "fan_floor": 0.4 }), "thermal.fan_floor.set"),
    ] {
        let path = format!("/api/v1/devices/{device}/{what}");
        let answer = rig.post(&path).by(&token).json(&body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["data"]["kind"]),
            (202, &json!(kind)),
            "{what}"
        );
    }
    let asked = machine.asked();
    assert_eq!(asked[0], Action::SetIndicator { switch: "bmc-1/light".into(), lit: true });
    assert_eq!(
        asked[1],
        Action::SetBootOnce { switch: "bmc-1/power".into(), source: "Pxe".into() }
    );
}

#[tokio::test]
async fn what_loosens_a_limit_is_taken_and_said_to_be_without_effect() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let path = format!("/api/v1/devices/{}/fleet-limits", machine.device);
    assert_eq!(rig.get(&path).by(&token).send().await.json()["data"]["version"], 0);
    let body = json!({ "limits": [{ "name": "cpu", "limit": 82.0, "trip": 120.0 }] });
    let ask = rig.ask(axum::http::Method::PUT, &path).by(&token).header("if-match", "\"0\"");
    let answer = ask.json(&body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let data = answer.json()["data"].clone();
    assert_eq!((&data["version"], &data["without_effect"]), (&json!(1), &json!(1)));
    let values = &data["limits"][0]["values"];
    assert_eq!((&values[0]["effective"], &values[1]["effective"]), (&json!(true), &json!(false)));
    assert!(values[1]["reason"].as_str().unwrap().contains("only tighten"));
    assert_eq!(data["operation"]["kind"], "limits.fleet.set");
    // It has come back without the layer: the same policy is signed anew, and not twice.
    let before = machine.asked().len();
    rig.app.operations.handle_return(machine.device, &board()).await.unwrap();
    let asked = machine.asked_for(before + 1).await;
    assert_eq!(asked[before], asked[0]);
    let mut held = board();
    held.limits[0].fleet.limit = Some(82.0);
    rig.app.operations.handle_return(machine.device, &held).await.unwrap();
    rig.app.operations.handle_return(machine.device, &Board::default()).await.unwrap();
    for body in [
        json!({ "limits": [{ "name": "cpu" }] }),
        json!({ "limits": [{ "name": "cpu", "trip": 1 }, { "name": "cpu", "trip": 2 }] }),
        json!({ "limits": [{ "name": "x".repeat(300), "trip": 1 }] }),
        json!({ "limits": (0..200).map(|n| json!({ "name": format!("limit-{n:030}"), "trip": 1 })).collect::<Vec<_>>() }),
    ] {
        let ask = rig.ask(axum::http::Method::PUT, &path).by(&token).header("if-match", "*");
        assert_eq!(ask.json(&body).await.status, 422);
    }
    assert_eq!(machine.asked().len(), before + 1);
}

#[tokio::test]
async fn the_fleets_limits_are_replaced_only_by_who_has_read_them() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = guarded(&rig, board(), |_| Some(Verdict::Accepted)).await;
    let path = format!("/api/v1/devices/{}/fleet-limits", machine.device);
    let body = json!({ "limits": [{ "name": "cpu", "limit": 82.0 }] });
    let put = async |tag: Option<&str>| {
        let ask = rig.ask(axum::http::Method::PUT, &path).by(&token);
        let ask = match tag {
            Some(tag) => ask.header("if-match", tag),
            None => ask,
        };
        ask.json(&body).await
    };
    let read = rig.get(&path).by(&token).send().await;
    assert_eq!(read.header("etag"), "\"0\"");
    let blind = put(None).await;
    assert_eq!(
        (blind.status.as_u16(), &blind.json()["error"]),
        (428, &json!("precondition_required"))
    );
    assert_eq!(put(Some("\"0\"")).await.status, 202);
    for late in ["\"0\"", "\"7\"", "W/\"1\"", "\"x\"", "1"] {
        let late = put(Some(late)).await;
        assert_eq!(
            (late.status.as_u16(), &late.json()["error"]),
            (412, &json!("precondition_failed"))
        );
    }
    assert_eq!(machine.asked().len(), 1, "the machine was asked for nothing else");
    let known = rig.get(&path).by(&token).header("if-none-match", "\"1\"").send().await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    let other = rig.get(&path).by(&token).header("if-none-match", "\"0\"").send().await;
    assert_eq!((other.status.as_u16(), other.header("etag")), (200, "\"1\""));
    assert_eq!(put(Some("*")).await.status, 202);
}

#[tokio::test]
async fn what_a_person_at_the_machine_asked_for_is_shown_and_has_precedence() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let mut board = board();
    let end = NOW_MS + 60_000;
    let issuer = "technician (uid 0) at the machine".to_owned();
    board.actuators[1].claims = vec![ClaimSnapshot {
        origin: Origin::Local,
        issuer: issuer.clone(),
        value: Some(0.8),
        until_ms: Some(end),
    }];
    board.limits[0].hold = Some(HoldSnapshot {
        origin: Origin::Remote,
        issuer: ADMIN.into(),
        reason: "backup".into(),
        from: "Quiesce".into(),
        until_ms: end,
        puts_off: Some("Quiesce".into()),
    });
    board.dry_run = true;
    let outranked = refusal(RefusalKind::Outranked, "");
    let machine = guarded(&rig, board, move |_| Some(outranked.clone())).await;
    let device = format!("/api/v1/devices/{}", machine.device);
    let shown = rig.get(&device).by(&token).send().await.json()["data"].clone();
    let claim = &shown["actuators"][1]["claims"][0];
    assert_eq!((&claim["origin"], &claim["issuer"]), (&json!("local"), &json!(issuer)));
    assert_eq!((&shown["dry_run"], &shown["self_test"]), (&json!(true), &json!("never")));
    let limits = rig.get(&format!("{device}/limits")).by(&token).send().await.json();
    assert_eq!(limits["data"][0]["hold"]["puts_off"], "Quiesce");
    let body = json!({ "fan_floor": 0.3 });
    let asked = format!("{device}/thermal?stands_for=60&origin=automation");
    let answer = rig.post(&asked).by(&token).json(&body).await;
    assert_eq!(answer.refusal(), (409, "outranked".into()));
    assert!(answer.json()["details"]["clears_when"].is_string());
    let wrong = format!("{device}/thermal?origin=local");
    assert_eq!(rig.post(&wrong).by(&token).json(&body).await.status, 422);
    assert_eq!(machine.asked().len(), 1);
}

#[tokio::test]
async fn holds_and_self_tests_are_asked_for_and_the_last_one_is_shown() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let mut board = board();
    board.self_test.last = Some(SelfTestResult {
        began_ms: NOW_MS - 9_000,
        ended_ms: NOW_MS,
        end: SelfTestEnd::Passed,
        message: "passed: 1 of 1 obeyed".into(),
        trials: vec![TrialSnapshot {
            actuator: "fan1".into(),
            unit: Unit::One,
            asked: Some(1.0),
            observed: Some(1.0),
            took_ms: Some(250),
            back_ms: Some(500),
        }],
    });
    let machine = guarded(&rig, board, |_| Some(Verdict::Accepted)).await;
    let device = format!("/api/v1/devices/{}", machine.device);
    let tested = rig.get(&format!("{device}/self-test")).by(&token).send().await.json();
    let tested = &tested["data"];
    assert_eq!((&tested["state"], &tested["last"]["result"]), (&json!("passed"), &json!("passed")));
    assert_eq!(tested["last"]["actuators"][0]["took_ms"], 250);
    assert!(tested["last_tested_at"].is_string() && tested["due_at"].is_null());
    let path = format!("{device}/self-test");
    assert_eq!(rig.post(&path).by(&token).json(&json!({})).await.status, 202);
    assert_eq!(machine.asked().remove(0), Action::SelfTest);
    let body = json!({ "from": "Quiesce", "reason": "backup", "for_seconds": 30 });
    let hold = format!("{device}/limits/cpu/hold");
    assert_eq!(rig.post(&hold).by(&token).json(&body).await.status, 202);
    let asked = Action::HoldLadder {
        limit: "cpu".into(),
        from: HeldStep::Quiesce,
        reason: "backup".into(),
    };
    assert_eq!(machine.asked().remove(1), asked);
    let release = format!("{device}/limits/cpu/release");
    assert_eq!(rig.post(&release).by(&token).json(&json!({})).await.status, 202);
    assert_eq!(machine.asked().remove(2), Action::ReleaseLadder { limit: "cpu".into() });
    for body in [
        json!({ "from": "Shutdown", "reason": "backup", "for_seconds": 30 }),
        json!({ "from": "Quiesce", "reason": " ", "for_seconds": 30 }),
        json!({ "from": "Quiesce", "reason": "backup" }),
    ] {
        assert_eq!(rig.post(&hold).by(&token).json(&body).await.status, 422, "{body}");
    }
}
