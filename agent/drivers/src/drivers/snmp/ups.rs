//! A UPS by the standard UPS-MIB (RFC 1628), which makers' own MIBs stand beside.

use super::client::{Answer, Client, SnmpError};
use super::object::ObjectId;
use super::plan::{Plan, Quantity};
use flyball_driver_messages::{Identity, Thresholds};
use flyball_units::{Kind, Unit};

/// `upsObjects`.
const UPS: &str = "1.3.6.1.2.1.33.1";
/// `upsBatteryStatus`: batteryLow(3), batteryDepleted(4).
const LOW: &[i64] = &[3, 4];
/// `upsOutputSource`.
const SOURCES: [(&str, &[i64]); 6] = [
    ("online", &[3, 6, 7]),
    ("off", &[2]),
    ("bypass", &[4]),
    ("on-battery", &[5]),
    ("boost", &[6]),
    ("trim", &[7]),
];

fn at(parts: &[u64]) -> Option<ObjectId> {
    Some(ObjectId::parse(UPS)?.with(parts))
}

const fn plain(kind: Kind, unit: Unit, scale: f64) -> (Kind, Unit, f64) {
    (kind, unit, scale)
}

pub(super) fn discover(client: &mut Client) -> Result<Plan, SnmpError> {
    let words: Vec<ObjectId> = [1, 2, 3].iter().filter_map(|part| at(&[1, *part, 0])).collect();
    let mut words = client.get(&words)?.into_iter().map(Answer::text);
    let mut word = || words.next().flatten();
    let (vendor, model, firmware) = (word(), word(), word());
    let mut plan = Plan::new(Identity { vendor, model, serial: None, firmware });

    let volts = plain(Kind::Voltage, Unit::Volt, 1.0);
    let deci_hertz = plain(Kind::Frequency, Unit::Hertz, 0.1);
    let deci_amperes = plain(Kind::Current, Unit::Ampere, 0.1);
    let watts = plain(Kind::Power, Unit::Watt, 1.0);
    let percent = plain(Kind::Utilization, Unit::One, 0.01);

    // `upsConfigLowBattTime`, in minutes.
    let low_time = at(&[9, 7, 0]).map_or(Ok(Vec::new()), |object| client.get(&[object]))?;
    let low_time = low_time.first().and_then(|answer| answer.number().ok());
    let low_time = low_time.filter(|minutes| *minutes > 0.0).map(|minutes| minutes * 60.0);
    let declared = Thresholds { lower_critical: low_time, ..Thresholds::default() };
    let one = [
        (&[2, 3, 0][..], "battery.runtime", plain(Kind::Duration, Unit::Second, 60.0), declared),
        (&[2, 4, 0], "battery.charge", percent, Thresholds::default()),
        (
            &[2, 5, 0],
            "battery.voltage",
            plain(Kind::Voltage, Unit::Volt, 0.1),
            Thresholds::default(),
        ),
        (
            &[2, 7, 0],
            "battery.temperature",
            plain(Kind::Temperature, Unit::Celsius, 1.0),
            Thresholds::default(),
        ),
        (&[4, 2, 0], "output.frequency", deci_hertz, Thresholds::default()),
    ];
    for (parts, name, measure, thresholds) in one {
        add(&mut plan, at(parts), name.to_owned(), measure, thresholds);
    }
    let lines = [
        (&[3, 3, 1, 2][..], "input", "frequency", deci_hertz),
        (&[3, 3, 1, 3], "input", "voltage", volts),
        (&[3, 3, 1, 4], "input", "current", deci_amperes),
        (&[3, 3, 1, 5], "input", "power", watts),
        (&[4, 4, 1, 2], "output", "voltage", volts),
        (&[4, 4, 1, 3], "output", "current", deci_amperes),
        (&[4, 4, 1, 4], "output", "power", watts),
        (&[4, 4, 1, 5], "output", "load", percent),
    ];
    for (parts, side, quantity, measure) in lines {
        let Some(column) = at(parts) else { continue };
        for (row, _) in client.walk(&column)? {
            let line = row.last().copied().unwrap_or_default();
            let name = format!("{side}.l{line}.{quantity}");
            add(&mut plan, Some(column.with(&row)), name, measure, Thresholds::default());
        }
    }
    if let Some(source) = at(&[4, 1, 0]) {
        for (name, of) in SOURCES {
            plan.flag(source.clone(), name, of);
        }
    }
    if let Some(status) = at(&[2, 1, 0]) {
        plan.flag(status, "battery-low", LOW);
    }
    plan.remark("read by the standard UPS-MIB; switching it needs NUT or its own network card");
    Ok(plan)
}

fn add(
    plan: &mut Plan,
    object: Option<ObjectId>,
    name: String,
    (kind, unit, scale): (Kind, Unit, f64),
    thresholds: Thresholds,
) {
    if let Some(object) = object {
        let label = name.clone();
        plan.number(object, Quantity { name, label, kind, unit, scale, thresholds });
    }
}
