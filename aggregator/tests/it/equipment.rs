//! A gateway's equipment and the fleet's limits, over a real connection.

use super::rig::{Agent, Rig, block, send, series};
use flyball_aggregator::fleet::{
    Belonging, DeviceId, EquipmentKind, EquipmentState, Subject, equipment_id,
};
use flyball_aggregator::live::board::Part;
use flyball_aggregator::live::{Delivery, Devices, Interest, Live, Subscription};
use flyball_aggregator::operations::{Action, Origin, Submission};
use flyball_aggregator::telemetry::{Aggregate, ReadingsQuery, Selection};
use flyball_protocol::command::{FleetLimit, Lock, PublicKey, Verdict};
use flyball_protocol::guard::{
    EQUIPMENT_ATTRIBUTE, Equipment, Inventory, LayerThresholds, LimitSnapshot, LimitState,
    LockSnapshot,
};
use flyball_protocol::message::{ControlDown, ControlUp, LaneUp};
use flyball_protocol::series::{SeriesDef, SeriesRef};
use flyball_units::{Kind, Unit};
use std::collections::{BTreeMap, BTreeSet};

const START_MS: u64 = 1_795_298_300_000;

fn sensor(state: EquipmentState) -> Equipment {
    Equipment {
        key: "rack-sensor".into(),
        kind: EquipmentKind::Sensor,
        driver: "mqtt".into(),
        vendor: None,
        model: None,
        serial: None,
        firmware: None,
        address: "127.0.0.1:1883".into(),
        state,
    }
}

fn watch(rig: &Rig) -> Subscription {
    let subscription = rig.app.live.subscribe();
    subscription.set_interest(Interest {
        readings: Devices::all(),
        device_states: Devices::all(),
        ..Interest::default()
    });
    subscription
}

async fn next(subscription: &Subscription) -> Live {
    match subscription.next().await {
        Delivery::Live(live) => (*live).clone(),
        other => panic!("{other:?}"),
    }
}

async fn inventory(agent: &mut Agent, board: &Inventory) {
    agent.say(&ControlUp::Inventory(Box::new(board.clone()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn equipments_readings_are_its_own_and_its_gateways_only_when_asked_for() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let gateway = identity.device;
    let equipment = equipment_id(gateway, "rack-sensor");
    let watched = watch(&rig);
    let board =
        Inventory { equipment: vec![sensor(EquipmentState::Connected)], ..Inventory::default() };
    inventory(&mut agent, &board).await;
    let mut changed = BTreeMap::new();
    while changed.len() < 2 {
        let newest = watched.newest().await;
        changed.extend(newest.devices.into_iter().map(|(device, now)| (device, now.parts)));
    }
    let parts = BTreeSet::from([Part::Equipment]);
    assert_eq!(changed, BTreeMap::from([equipment, gateway].map(|id| (id, parts.clone()))));
    let attached = SeriesDef {
        number: SeriesRef(3),
        attributes: vec![
            (EQUIPMENT_ATTRIBUTE.into(), "rack-sensor".into()),
            ("hw.id".into(), "rack-sensor/inlet".into()),
        ],
        ..series().remove(0)
    };
    send(&mut agent.lane().await.0, &LaneUp::Series(vec![attached])).await;
    agent.send(block(1, START_MS, &[(0, START_MS, Ok(40.0)), (3, START_MS, Ok(22.5))])).await;
    agent.acknowledged(1).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let Live::Readings { device, sampled, .. } = next(&watched).await else { panic!() };
        let values = sampled.iter().flat_map(|series| &series.samples).map(|(_, value)| *value);
        told.push((device, values.collect::<Vec<_>>()));
    }
    told.sort_by_key(|(device, _)| *device != gateway);
    assert_eq!(told, [(gateway, vec![Ok(40.0)]), (equipment, vec![Ok(22.5)])]);
    assert_eq!(rig.app.latest.of(equipment).len(), 1);
    assert_eq!(rig.app.latest.of(gateway).len(), 1);
    let key = Belonging::Equipment("rack-sensor".into());
    for (belonging, values) in
        [(Belonging::Own, vec![40.0]), (key, vec![22.5]), (Belonging::All, vec![40.0, 22.5])]
    {
        assert_eq!(values_of(&rig, gateway, belonging.clone()).await, values, "{belonging:?}");
    }
    let Some(Subject::Equipment { equipment, gateway }) =
        rig.app.fleet.subject(equipment).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(gateway.id, identity.device);
    assert!(equipment.is_reachable());
}

async fn values_of(rig: &Rig, device: DeviceId, belonging: Belonging) -> Vec<f64> {
    let query = ReadingsQuery {
        selection: Selection {
            device: Some((device, belonging)),
            kind: Some(Kind::Temperature),
            ..Selection::default()
        },
        from_ms: Some(START_MS),
        to_ms: Some(START_MS + 10_000),
        step_ms: None,
        aggregate: Aggregate::Last,
    };
    let readings = rig.app.telemetry.readings(&query).await.unwrap();
    readings
        .series
        .iter()
        .flat_map(|one| one.points.iter().filter_map(|(_, value)| *value))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_holds_a_machine_is_told_when_it_changes_and_not_when_it_does_not() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let watched = watch(&rig);
    let mut board = Inventory { limits: vec![limit(None)], ..Inventory::default() };
    inventory(&mut agent, &board).await;
    board.limits[0].reading = Some(70.0);
    inventory(&mut agent, &board).await;
    let lock = Lock {
        name: "rack 3".into(),
        owner: "operator@example.org".into(),
        reason: "fans".into(),
        target: None,
        until_ms: None,
        holds_levels: false,
    };
    board.locks.push(LockSnapshot { lock, since_ms: START_MS });
    inventory(&mut agent, &board).await;
    agent.say(&ControlUp::Guard { attached: false, simulated: true }).await;
    let mut told = BTreeSet::new();
    let mut attached = Some(true);
    while attached != Some(false) {
        let newest = watched.newest().await;
        assert_eq!(newest.devices.keys().collect::<Vec<_>>(), [&identity.device]);
        for now in newest.devices.into_values() {
            told.extend(now.parts);
            attached = now.guard_attached;
        }
    }
    // A reading that moved is none of them.
    assert_eq!(told, BTreeSet::from([Part::Limits, Part::Locks, Part::Guard]));
}

fn limit(fleet_trip: Option<f64>) -> LimitSnapshot {
    LimitSnapshot {
        name: "cpu".into(),
        zone: "board".into(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        warning: None,
        limit: None,
        trip: Some(95.0),
        hysteresis: 3.0,
        layer: "factory".into(),
        factory: LayerThresholds { warning: None, limit: None, trip: Some(95.0) },
        local: LayerThresholds::default(),
        fleet: LayerThresholds { warning: None, limit: None, trip: fleet_trip },
        below: false,
        state: LimitState::Normal,
        step: None,
        reading: Some(40.0),
        since_ms: START_MS,
        sensors: vec!["s0".into()],
        hold: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_machine_that_comes_without_the_fleets_limits_is_sent_them_anew() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let key = PublicKey::from_hex(&identity.command_key).unwrap();
    let policy = |trip| {
        vec![FleetLimit { limit: "cpu".into(), warning: None, limit_at: None, trip: Some(trip) }]
    };
    let device = identity.device;
    let submission = move |trip| {
        let action = Action::SetFleetLimits { limits: policy(trip) };
        let asked = Submission::new(device, action, "operator@example.org", Origin::Remote);
        Submission { ttl_ms: Some(1_000), ..asked }
    };
    // It is away, and the command itself may run out before it is back.
    rig.app.operations.set_fleet_limits(submission(90.0), None).await.unwrap();
    let mut agent = rig.agent(&identity, 1).await;
    let ControlDown::Welcome { pending, .. } = &agent.welcome else { panic!() };
    let first = pending[0].operation;
    agent.say(&ControlUp::Verdict { operation: first, verdict: Verdict::Accepted }).await;
    inventory(&mut agent, &Inventory { limits: vec![limit(None)], ..Inventory::default() }).await;
    let again = match agent.down.next().await.unwrap() {
        ControlDown::Command(command) => key.open(&command.command).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(again.action, Action::SetFleetLimits { limits: policy(90.0) });
    assert_eq!((again.issuer.as_str(), again.origin), ("system", Origin::Automation));
    let verdict = ControlUp::Verdict { operation: again.operation, verdict: Verdict::Accepted };
    agent.say(&verdict).await;
    agent.connection.close(0_u32.into(), b"");
    // It holds them now: nothing is sent, as the next message shows.
    let mut agent = rig.agent(&identity, 1).await;
    inventory(&mut agent, &Inventory { limits: vec![limit(Some(90.0))], ..Inventory::default() })
        .await;
    agent.say(&ControlUp::Guard { attached: true, simulated: true }).await;
    let app = rig.app.clone();
    let next =
        tokio::spawn(async move { app.operations.set_fleet_limits(submission(85.0), None).await });
    let command = match agent.down.next().await.unwrap() {
        ControlDown::Command(command) => key.open(&command.command).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(command.issuer, "operator@example.org");
    assert_eq!(command.action, Action::SetFleetLimits { limits: policy(85.0) });
    next.await.unwrap().unwrap();
}
