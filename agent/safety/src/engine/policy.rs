//! The fleet layer: taken as a whole or not at all.

use super::Engine;
use crate::{LimitId, Moment, Thresholds};
use core::fmt;

/// A policy that was not taken: none of it is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFault {
    /// It names a limit that this machine has not.
    UnknownLimit(LimitId),
    /// Not finite, not above zero, not ordered, or beyond what the sensors can read.
    Thresholds(LimitId),
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLimit(id) => {
                write!(f, "the policy names limit {}, which this machine has not", id.index())
            }
            Self::Thresholds(id) => write!(
                f,
                "the policy's thresholds of limit {} need warning <= limit <= trip, above 0 and \
                 in the sensors' band",
                id.index()
            ),
        }
    }
}

impl core::error::Error for PolicyFault {}

impl Engine {
    /// Replaces the fleet layer as a whole: limits that are not named lose theirs.
    ///
    /// # Errors
    /// Where any of it is not sound. Then the layer stays as it was.
    pub fn handle_policy(
        &mut self,
        policy: &[(LimitId, Thresholds)],
        now: Moment,
    ) -> Result<(), PolicyFault> {
        self.at(now);
        for (id, thresholds) in policy {
            let limit = self.limits.get(id.index()).ok_or(PolicyFault::UnknownLimit(*id))?;
            if !limit.takes(*thresholds) {
                return Err(PolicyFault::Thresholds(*id));
            }
        }
        for (id, limit) in (0..).map(LimitId::new).zip(&mut self.limits) {
            let named = policy.iter().rev().find(|(named, _)| *named == id);
            limit.set_fleet(named.map_or(Thresholds::SILENT, |(_, thresholds)| *thresholds));
        }
        self.follow_all();
        self.drive();
        Ok(())
    }
}
