//! What is read and set of one unit: points by their places, and the requests that read them.

use super::place::{Place, Table};
use crate::gathering::Gathering;
use crate::points::{self, Level};
use flyball_driver_messages::{
    Configuration, Described, Fault, FaultKind, Identity, Point, PointForm,
};

/// Registers between two points that are read along rather than asked for apart.
const GAP: u16 = 8;
/// Of one request: 125 registers by the protocol, which leaves coils far below their 2000.
const MOST: u16 = 120;

/// What a place is read for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Purpose {
    Sensor { index: u16, scale: f64 },
    Switch { index: u16, on: i64, off: i64 },
    Level { index: u16, level: Level },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) place: Place,
    pub(super) purpose: Purpose,
}

/// One request and the items in its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) table: Table,
    pub(super) first: u16,
    pub(super) count: u16,
    pub(super) items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) described: Described,
    pub(super) items: Vec<Item>,
}

impl Plan {
    /// # Errors
    /// All points that can't be, at once.
    pub(super) fn of(configuration: &Configuration) -> Result<Self, Fault> {
        let mut gathering = Gathering::new(Identity::default());
        let (mut items, mut wrong) = (Vec::new(), Vec::new());
        for point in &configuration.points {
            match item(&mut gathering, point) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => {}
                Err(text) => wrong.push(format!("{}: {text}", point.name)),
            }
        }
        if !wrong.is_empty() {
            return Err(Fault::new(FaultKind::Misconfigured, wrong.join("; ")));
        }
        if items.is_empty() {
            let text = "a Modbus device can't describe itself: give `points` of its manual";
            return Err(Fault::new(FaultKind::Misconfigured, text));
        }
        Ok(Self { described: gathering.close(), items })
    }
}

/// `None` where there are too many; the description says so.
fn item(gathering: &mut Gathering, point: &Point) -> Result<Option<Item>, String> {
    let place = Place::parse(&point.at)?;
    let writable = || {
        let unfit = "it can't be written: take a coil or a holding register without a bit";
        place.encode(0.0).map(|_| ()).ok_or_else(|| unfit.to_owned())
    };
    let purpose = match &point.form {
        PointForm::Sensor { kind, unit, scale } => gathering
            .sensor(points::sensor(point, *kind, *unit))
            .map(|index| Purpose::Sensor { index, scale: *scale }),
        PointForm::Switch { on, off } => {
            writable()?;
            gathering.actuator(points::switch(point)).map(|index| Purpose::Switch {
                index,
                on: *on,
                off: *off,
            })
        }
        form @ PointForm::Level { .. } => {
            writable()?;
            let level = Level::of(form).ok_or("its `min` is not below its `max`")?;
            gathering.actuator(level.describe(point)).map(|index| Purpose::Level { index, level })
        }
    };
    Ok(purpose.map(|purpose| Item { place, purpose }))
}

/// The fewest requests that read all of `items`.
pub(super) fn blocks(items: &[Item]) -> Vec<Block> {
    let mut sorted = items.to_vec();
    sorted.sort_by_key(|item| (item.place.table, item.place.address));
    let mut blocks: Vec<Block> = Vec::new();
    for item in sorted {
        let Place { table, address, .. } = item.place;
        let end = address.saturating_add(item.place.registers());
        match blocks.last_mut() {
            Some(block)
                if block.table == table
                    && address <= block.first.saturating_add(block.count).saturating_add(GAP)
                    && end - block.first <= MOST =>
            {
                block.count = block.count.max(end - block.first);
                block.items.push(item);
            }
            _ => blocks.push(alone(item)),
        }
    }
    blocks
}

/// The request of one item.
pub(super) fn alone(item: Item) -> Block {
    let Place { table, address, .. } = item.place;
    Block { table, first: address, count: item.place.registers(), items: vec![item] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Item {
        let purpose = Purpose::Sensor { index: 0, scale: 1.0 };
        Item { place: Place::parse(text).unwrap(), purpose }
    }

    #[test]
    fn near_registers_come_in_one_request_and_far_ones_in_two() {
        let items =
            ["holding:10", "input:3", "holding:1", "holding:4:f32", "holding:200", "coil:4"];
        let requests: Vec<(Table, u16, u16)> = blocks(&items.map(at))
            .iter()
            .map(|block| (block.table, block.first, block.count))
            .collect();
        assert_eq!(
            requests,
            [
                (Table::Coil, 4, 1),
                (Table::Holding, 1, 10),
                (Table::Holding, 200, 1),
                (Table::Input, 3, 1)
            ]
        );
    }

    #[test]
    fn no_request_asks_for_more_than_may_be_asked() {
        let items: Vec<Item> = (0..1000).map(|n| at(&format!("holding:{n}"))).collect();
        let blocks = blocks(&items);
        assert!(blocks.iter().all(|block| block.count <= MOST));
        assert_eq!(blocks.iter().map(|block| block.items.len()).sum::<usize>(), 1000);
        let last = blocks_end(&blocks);
        assert_eq!(last, 999);
    }

    fn blocks_end(blocks: &[Block]) -> u16 {
        blocks.iter().map(|block| block.first + block.count - 1).max().unwrap()
    }
}
