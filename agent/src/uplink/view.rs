//! What the uplink knows of the guard and of the machine, for `Hello` and the inventory.

use crate::machine;
use flyball_protocol::guard::{BoardInfo, Equipment, Inventory};
use flyball_protocol::message::Machine;

/// How the machine is called, and whether it is told to be a simulated one.
#[derive(Clone, Debug)]
pub(crate) struct MachineName {
    pub(crate) name: Option<String>,
    pub(crate) simulated: bool,
}

/// What the aggregator is told of the guard itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GuardWord {
    pub(super) attached: bool,
    pub(super) simulated: bool,
}

impl MachineName {
    pub(super) fn machine(&self, guard: &GuardView) -> Machine {
        machine::describe(self.name.as_deref(), self.simulated, guard.board.as_ref())
    }

    pub(super) fn guard_word(&self, guard: &GuardView) -> GuardWord {
        let simulated = guard.board.as_ref().is_some_and(|board| board.simulated);
        GuardWord { attached: guard.attached, simulated: self.simulated || simulated }
    }
}

/// The guard as it last spoke.
#[derive(Debug, Default)]
pub(super) struct GuardView {
    pub(super) attached: bool,
    board: Option<BoardInfo>,
    inventory: Box<Inventory>,
    /// The agent's own, beside the guard's.
    own: Vec<Equipment>,
}

impl GuardView {
    pub(super) fn attach(&mut self, board: BoardInfo, inventory: Box<Inventory>) {
        let own = std::mem::take(&mut self.own);
        *self = Self { attached: true, board: Some(board), inventory, own };
    }

    /// The machine with all of its equipment.
    pub(super) fn inventory(&self) -> Box<Inventory> {
        let mut inventory = self.inventory.clone();
        inventory.equipment.extend_from_slice(&self.own);
        inventory
    }

    pub(super) fn own(&mut self, equipment: Vec<Equipment>) {
        self.own = equipment;
    }

    /// Takes the machine as it stands. True where the aggregator's picture is old.
    pub(super) fn take_inventory(&mut self, inventory: Box<Inventory>) -> bool {
        let changed = self.inventory != inventory;
        self.inventory = inventory;
        changed
    }
}
