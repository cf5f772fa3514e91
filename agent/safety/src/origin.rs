//! What stands for an actuator from each origin.
//!
//! Safety is no origin: limits are asked after all of these, and what they need is on top. The
//! slots are as many as there are origins, so that nothing is allocated and nobody is crowded out.

use crate::{Moment, Proposal};
use flyball_units::Origin;

/// A proposal with its origin and its end. A bare [`Proposal`] is a remote operator's, without
/// an end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Issued {
    pub proposal: Proposal,
    pub origin: Origin,
    /// What it asks for stands until then. A level without an end stands until it is withdrawn;
    /// a verb or a setting without one is done and over.
    pub until: Option<Moment>,
}

impl From<Proposal> for Issued {
    fn from(proposal: Proposal) -> Self {
        Self { proposal, origin: Origin::Remote, until: None }
    }
}

/// What stands for an actuator from one origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    pub origin: Origin,
    /// The floor or the cap; `None` for a switch or a setting, which keep no level.
    pub value: Option<f64>,
    pub until: Option<Moment>,
}

impl Claim {
    pub(crate) fn is_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// A claim of each origin. The highest decides; those below wait for its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Claims([Option<Claim>; Origin::ALL.len()]);

impl Claims {
    pub(crate) const NONE: Self = Self([None; Origin::ALL.len()]);

    /// Those that stand, the highest rank first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Claim> + use<> {
        let slots = self.0;
        slots.into_iter().rev().flatten()
    }

    /// The level that decides.
    pub(crate) fn value(&self) -> Option<f64> {
        self.iter().next().and_then(|claim| claim.value)
    }

    pub(crate) const fn of(&self, origin: Origin) -> Option<Claim> {
        self.0[origin as usize]
    }

    /// The highest that outranks `origin` and has not come to its end.
    pub(crate) fn above(&self, origin: Origin, now: Moment) -> Option<Claim> {
        self.iter().find(|claim| claim.origin > origin && !claim.is_over(now))
    }

    /// With this claim in the place of the origin's own.
    pub(crate) const fn with(mut self, origin: Origin, claim: Option<Claim>) -> Self {
        self.0[origin as usize] = claim;
        self
    }

    /// Without those that have come to their end.
    pub(crate) fn valid(mut self, now: Moment) -> Self {
        for slot in &mut self.0 {
            *slot = slot.filter(|claim| !claim.is_over(now));
        }
        self
    }
}
