//! What the uplink knows of the guard and of the machine, for `Hello` and the inventory.

use crate::machine;
use flyball_protocol::guard::{Actuator, BoardInfo, LimitSnapshot};
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
    pub(super) actuators: Vec<Actuator>,
    limits: Vec<LimitSnapshot>,
}

impl GuardView {
    pub(super) fn attach(
        &mut self,
        board: BoardInfo,
        actuators: Vec<Actuator>,
        limits: Vec<LimitSnapshot>,
    ) {
        *self = Self { attached: true, board: Some(board), actuators, limits };
    }

    pub(super) fn limits(&self) -> &[LimitSnapshot] {
        &self.limits
    }

    /// Takes the limits as they stand, and gives them back where the aggregator's picture is old.
    pub(super) fn take_limits(&mut self, limits: Vec<LimitSnapshot>) -> Option<Vec<LimitSnapshot>> {
        let changed = self.limits != limits;
        self.limits = limits;
        changed.then(|| self.limits.clone())
    }
}
