//! What lies outside a call: who hears its events, and who does what it may not do itself.

use crate::call::Cost;
use flyball_plugin_messages::{Answer, Ask, Event, Failure, FailureKind};

/// The other end of a call. It is reached from within host functions, so it takes itself by
/// reference.
pub trait Outside {
    fn event(&self, event: Event);

    /// Blocks until the answer is there: the guest waits for it.
    fn ask(&self, ask: Ask) -> Answer;

    /// What the call has cost, before its last event.
    fn cost(&self, _: Cost) {}
}

/// Nobody: events are lost, and everything that is asked is refused.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Outside for Nobody {
    fn event(&self, _: Event) {}

    fn ask(&self, _: Ask) -> Answer {
        let why = "nothing outside can be reached here";
        Answer::Refused(Failure::new(FailureKind::Denied, why))
    }
}
