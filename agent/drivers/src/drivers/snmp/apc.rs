//! Rack PDUs of APC, by PowerNet-MIB: `rPDU2` of those that meter, `rPDU` of those before them,
//! `sPDU` (MasterSwitch) of those before these.
//!
//! An outlet is switched by its command column and stands where that column says: the MIB has
//! it give back the outlet's state.

use super::client::{Answer, Client, SnmpError};
use super::object::ObjectId;
use super::plan::{Plan, Quantity, Switch};
use flyball_driver_messages::{Identity, Thresholds};
use flyball_units::{Kind, Unit};
use std::collections::BTreeMap;

/// `enterprises.apc.products.hardware`.
const HARDWARE: &str = "1.3.6.1.4.1.318.1.1";

const AMPERES_PER_TENTH: f64 = 0.1;
const WATTS_PER_10: f64 = 10.0;
/// A tenth of a kilowatt-hour.
const JOULES_PER_TENTH: f64 = 3.6e5;
/// What all three trees take: on, off, and off for the outlet's own time and on again.
const OUTLET: Switch = Switch { on: 1, off: 2, cycle: Some(3) };

fn at(parts: &[u64]) -> Option<ObjectId> {
    Some(ObjectId::parse(HARDWARE)?.with(parts))
}

/// A table's column, by row.
type Column = BTreeMap<Vec<u64>, Answer>;

fn column(client: &mut Client, parts: &[u64]) -> Result<Column, SnmpError> {
    match at(parts) {
        Some(table) => Ok(client.walk(&table)?.into_iter().collect()),
        None => Ok(Column::new()),
    }
}

fn texts(client: &mut Client, objects: [&[u64]; 3]) -> Result<[Option<String>; 3], SnmpError> {
    let objects: Vec<ObjectId> = objects.into_iter().filter_map(at).collect();
    let mut answers = client.get(&objects)?.into_iter().map(Answer::text);
    Ok(std::array::from_fn(|_| answers.next().flatten()))
}

fn identity([model, serial, firmware]: [Option<String>; 3]) -> Identity {
    Identity { vendor: Some("APC".to_owned()), model, serial, firmware }
}

fn name_of(names: &Column, row: &[u64], or: &str) -> String {
    names.get(row).cloned().and_then(Answer::text).unwrap_or_else(|| or.to_owned())
}

/// Near overload and overload, in the unit that `scale` leads to; 0 is one that is not set.
fn declared(near: &Column, over: &Column, row: &[u64], scale: f64) -> Thresholds {
    let of = |column: &Column| {
        let value = column.get(row)?.number().ok()?;
        (value > 0.0).then_some(value * scale)
    };
    Thresholds { upper_caution: of(near), upper_critical: of(over), ..Thresholds::default() }
}

fn quantity(name: String, kind: Kind, scale: f64, thresholds: Thresholds) -> Quantity {
    let unit = match kind {
        Kind::Current => Unit::Ampere,
        Kind::Voltage => Unit::Volt,
        Kind::Energy => Unit::Joule,
        _ => Unit::Watt,
    };
    Quantity { label: name.clone(), name, kind, unit, scale, thresholds }
}

/// The PDU by `rPDU2`: whole, phases, banks, outlets.
pub(super) fn metered(client: &mut Client) -> Result<Plan, SnmpError> {
    let words = texts(client, [&[26, 2, 1, 8, 1], &[26, 2, 1, 9, 1], &[26, 2, 1, 6, 1]])?;
    let mut plan = Plan::new(identity(words));
    whole(client, &mut plan)?;
    phases_and_banks(client, &mut plan)?;
    let numbers = column(client, &[26, 9, 2, 4, 1, 4])?;
    let names = column(client, &[26, 9, 2, 4, 1, 3])?;
    let modules = column(client, &[26, 9, 2, 4, 1, 2])?;
    let metered = column(client, &[26, 9, 4, 3, 1, 7])?;
    let near = column(client, &[26, 9, 4, 1, 1, 6])?;
    let over = column(client, &[26, 9, 4, 1, 1, 7])?;
    for (row, number) in &numbers {
        let Ok(number) = number.integer() else { continue };
        let module = modules.get(row).and_then(|module| module.integer().ok()).unwrap_or(1);
        let outlet = match module {
            1 => format!("outlet-{number}"),
            module => format!("module-{module}/outlet-{number}"),
        };
        let mut power = None;
        if metered.contains_key(row) {
            let watts = declared(&near, &over, row, 1.0);
            for (part, what, kind, scale, thresholds) in [
                (7, "power", Kind::Power, 1.0, watts),
                (6, "current", Kind::Current, AMPERES_PER_TENTH, Thresholds::default()),
                (11, "energy", Kind::Energy, JOULES_PER_TENTH, Thresholds::default()),
            ] {
                let Some(object) = at(&[26, 9, 4, 3, 1, part]) else { continue };
                let new = quantity(format!("{outlet}/{what}"), kind, scale, thresholds);
                let index = plan.number(object.with(row), new);
                power = power.or(index);
            }
        }
        if let Some(object) = at(&[26, 9, 2, 4, 1, 5]) {
            let label = name_of(&names, row, &outlet);
            plan.switch(object.with(row), outlet, label, OUTLET, power);
        }
    }
    Ok(plan)
}

fn whole(client: &mut Client, plan: &mut Plan) -> Result<(), SnmpError> {
    let power = column(client, &[26, 4, 3, 1, 5])?;
    let energy = column(client, &[26, 4, 3, 1, 9])?;
    let near = column(client, &[26, 4, 1, 1, 8])?;
    let over = column(client, &[26, 4, 1, 1, 9])?;
    for row in power.keys() {
        // The power is in hundredths of a kilowatt, its thresholds are in tenths.
        let thresholds = declared(&near, &over, row, 100.0);
        let name = if row.as_slice() == [1] { String::new() } else { format!("pdu-{row:?}/") };
        if let Some(object) = at(&[26, 4, 3, 1, 5]) {
            let new = quantity(format!("{name}power"), Kind::Power, WATTS_PER_10, thresholds);
            plan.number(object.with(row), new);
        }
        if let (Some(object), true) = (at(&[26, 4, 3, 1, 9]), energy.contains_key(row)) {
            let none = Thresholds::default();
            let new = quantity(format!("{name}energy"), Kind::Energy, JOULES_PER_TENTH, none);
            plan.number(object.with(row), new);
        }
    }
    Ok(())
}

fn phases_and_banks(client: &mut Client, plan: &mut Plan) -> Result<(), SnmpError> {
    for (branch, what) in [(6, "phase"), (8, "bank")] {
        let current = column(client, &[26, branch, 3, 1, 5])?;
        let near = column(client, &[26, branch, 1, 1, 6])?;
        let over = column(client, &[26, branch, 1, 1, 7])?;
        for row in current.keys() {
            let number = row.last().copied().unwrap_or_default();
            let name = |quantity: &str| format!("{what}-{number}/{quantity}");
            let amperes = declared(&near, &over, row, 1.0);
            let mut add = |part, name, kind, scale, thresholds| {
                if let Some(object) = at(&[26, branch, 3, 1, part]) {
                    plan.number(object.with(row), quantity(name, kind, scale, thresholds));
                }
            };
            add(5, name("current"), Kind::Current, AMPERES_PER_TENTH, amperes);
            if branch == 6 {
                add(6, name("voltage"), Kind::Voltage, 1.0, Thresholds::default());
                add(7, name("power"), Kind::Power, WATTS_PER_10, Thresholds::default());
            }
        }
    }
    Ok(())
}

/// The PDU by `rPDU`: its load by phase and bank, and its outlets.
pub(super) fn switched(client: &mut Client) -> Result<Plan, SnmpError> {
    let words = texts(client, [&[12, 1, 5, 0], &[12, 1, 6, 0], &[12, 1, 3, 0]])?;
    let mut plan = Plan::new(identity(words));
    if let Some(object) = at(&[12, 1, 16, 0]) {
        let new = quantity("power".to_owned(), Kind::Power, 1.0, Thresholds::default());
        plan.number(object, new);
    }
    let loads = column(client, &[12, 2, 3, 1, 1, 2])?;
    let phases = column(client, &[12, 2, 3, 1, 1, 4])?;
    let banks = column(client, &[12, 2, 3, 1, 1, 5])?;
    let of = |column: &Column, row: &[u64]| {
        column.get(row).and_then(|answer| answer.integer().ok()).unwrap_or(0)
    };
    for (branch, what, numbers) in [(2, "phase", &phases), (4, "bank", &banks)] {
        let near = column(client, &[12, 2, branch, 1, 1, 3])?;
        let over = column(client, &[12, 2, branch, 1, 1, 4])?;
        for row in loads.keys() {
            let number = of(numbers, row);
            // A row is of a phase where it is of no bank, and of a bank where it has its number.
            let is_ours = number > 0 && (what == "bank" || of(&banks, row) == 0);
            let (Some(object), true, Ok(place)) =
                (at(&[12, 2, 3, 1, 1, 2]), is_ours, u64::try_from(number))
            else {
                continue;
            };
            let thresholds = declared(&near, &over, &[place], 1.0);
            let name = format!("{what}-{number}/current");
            let new = quantity(name, Kind::Current, AMPERES_PER_TENTH, thresholds);
            plan.number(object.with(row), new);
        }
    }
    outlets(client, &mut plan, &[12, 3, 3, 1, 1, 4], &[12, 3, 3, 1, 1, 2])?;
    Ok(plan)
}

/// The switch by `sPDU`: outlets alone.
pub(super) fn master_switch(client: &mut Client) -> Result<Plan, SnmpError> {
    let words = texts(client, [&[4, 1, 4, 0], &[4, 1, 5, 0], &[4, 1, 2, 0]])?;
    let mut plan = Plan::new(identity(words));
    outlets(client, &mut plan, &[4, 4, 2, 1, 3], &[4, 5, 2, 1, 3])?;
    Ok(plan)
}

fn outlets(
    client: &mut Client,
    plan: &mut Plan,
    command: &[u64],
    name: &[u64],
) -> Result<(), SnmpError> {
    let commands = column(client, command)?;
    let names = column(client, name)?;
    for row in commands.keys() {
        let number = row.last().copied().unwrap_or_default();
        let outlet = format!("outlet-{number}");
        if let Some(object) = at(command) {
            let label = name_of(&names, row, &outlet);
            plan.switch(object.with(row), outlet, label, OUTLET, None);
        }
    }
    Ok(())
}
