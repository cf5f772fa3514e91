//! What is read and switched of one device: objects, and what each is to us.

use super::client::Answer;
use super::object::ObjectId;
use crate::gathering::Gathering;
use crate::points::{self, Level, metric_of};
use flyball_command::ResetType;
use flyball_driver_messages::{
    ActuatorEntry, ActuatorState, Described, Fault, FaultKind, Identity, Point, PointForm,
    SensorEntry, Thresholds,
};
use flyball_guard_messages::ActuatorKind;
use flyball_units::{Kind, NoData, Unit};

/// What an object is read for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// Its value times `scale`; below `least` it is one that the device does not measure.
    Number {
        index: u16,
        scale: f64,
        least: f64,
    },
    /// 1 while its value is one of these.
    Flag {
        index: u16,
        of: &'static [i64],
    },
    Switch {
        index: u16,
        switch: Switch,
    },
    Level {
        index: u16,
        level: Level,
    },
}

/// The values that a switch reads and takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Switch {
    pub(super) on: i64,
    pub(super) off: i64,
    pub(super) cycle: Option<i64>,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) object: ObjectId,
    pub(super) purpose: Purpose,
}

/// A quantity as a profile finds it.
pub(super) struct Quantity {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    pub(super) scale: f64,
    pub(super) thresholds: Thresholds,
}

/// What discovery gathers.
#[derive(Debug)]
pub(super) struct Plan {
    gathering: Gathering,
    pub(super) items: Vec<Item>,
}

impl Plan {
    pub(super) fn new(identity: Identity) -> Self {
        Self { gathering: Gathering::new(identity), items: Vec::new() }
    }

    pub(super) fn number(&mut self, object: ObjectId, quantity: Quantity) -> Option<u16> {
        let Quantity { name, label, kind, unit, scale, thresholds } = quantity;
        let metric = match kind {
            Kind::Duration => "hw.battery.time_left",
            kind => metric_of(kind),
        };
        let index = self.gathering.sensor(SensorEntry {
            name,
            label,
            metric: metric.to_owned(),
            kind,
            unit,
            attributes: Vec::new(),
            thresholds,
        })?;
        let least = if kind == Kind::Temperature { -55.0 } else { 0.0 };
        self.items.push(Item { object, purpose: Purpose::Number { index, scale, least } });
        Some(index)
    }

    pub(super) fn flag(&mut self, object: ObjectId, name: &str, of: &'static [i64]) {
        let entry = SensorEntry {
            name: name.to_owned(),
            label: name.to_owned(),
            metric: metric_of(Kind::State).to_owned(),
            kind: Kind::State,
            unit: Unit::One,
            attributes: vec![("hw.state".to_owned(), name.to_owned())],
            thresholds: Thresholds::default(),
        };
        if let Some(index) = self.gathering.sensor(entry) {
            self.items.push(Item { object, purpose: Purpose::Flag { index, of } });
        }
    }

    pub(super) fn switch(
        &mut self,
        object: ObjectId,
        name: String,
        label: String,
        switch: Switch,
        effect: Option<u16>,
    ) {
        let mut verbs = vec![ResetType::On, ResetType::ForceOff];
        verbs.extend(switch.cycle.map(|_| ResetType::PowerCycle));
        let entry = ActuatorEntry {
            verbs,
            effect,
            ..ActuatorEntry::bare(ActuatorKind::Switch, name, label)
        };
        if let Some(index) = self.gathering.actuator(entry) {
            self.items.push(Item { object, purpose: Purpose::Switch { index, switch } });
        }
    }

    /// Adds the points of the equipment file.
    ///
    /// # Errors
    /// All points that can't be, at once.
    pub(super) fn points(&mut self, points: &[Point]) -> Result<(), Fault> {
        let wrong: Vec<String> = points
            .iter()
            .filter_map(|point| Some(format!("{}: {}", point.name, self.point(point).err()?)))
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Fault::new(FaultKind::Misconfigured, wrong.join("; ")))
    }

    fn point(&mut self, point: &Point) -> Result<(), String> {
        let unread = || format!("`{}` is no object identifier", point.at);
        let object = ObjectId::parse(&point.at).ok_or_else(unread)?;
        let purpose = match &point.form {
            PointForm::Sensor { kind, unit, scale } => {
                let index = self.gathering.sensor(points::sensor(point, *kind, *unit));
                let least = f64::NEG_INFINITY;
                index.map(|index| Purpose::Number { index, scale: *scale, least })
            }
            PointForm::Switch { on, off } => {
                let switch = Switch { on: *on, off: *off, cycle: None };
                let index = self.gathering.actuator(points::switch(point));
                index.map(|index| Purpose::Switch { index, switch })
            }
            form @ PointForm::Level { .. } => {
                let level = Level::of(form).ok_or("its `min` is not below its `max`")?;
                let index = self.gathering.actuator(level.describe(point));
                index.map(|index| Purpose::Level { index, level })
            }
        };
        self.items.extend(purpose.map(|purpose| Item { object, purpose }));
        Ok(())
    }

    pub(super) fn remark(&mut self, text: &str) {
        self.gathering.remark(text);
    }

    pub(super) fn close(self) -> (Described, Vec<Item>) {
        (self.gathering.close(), self.items)
    }
}

/// Where the actuator of `purpose` stands by this answer.
pub(super) fn standing(purpose: &Purpose, answer: &Answer) -> ActuatorState {
    match purpose {
        Purpose::Switch { switch, .. } => {
            answer.integer().map_or_else(ActuatorState::Unknown, |raw| {
                points::switched(raw, switch.on, switch.off)
            })
        }
        Purpose::Level { level, .. } => {
            answer.number().map_or_else(ActuatorState::Unknown, |raw| level.standing(raw))
        }
        Purpose::Number { .. } | Purpose::Flag { .. } => ActuatorState::Unknown(NoData::Missing),
    }
}
