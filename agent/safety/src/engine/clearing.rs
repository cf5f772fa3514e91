//! Trips: taken up from an earlier run, and cleared by somebody with the right.

use super::Engine;
use crate::{ClearsWhen, EventKind, LimitId, Moment, Refusal, Standing, StateKind};

impl Engine {
    /// Clears a latched trip, if its reading allows it.
    ///
    /// # Errors
    /// Where the limit has not tripped, its condition holds, or its group does not read.
    pub fn handle_clear(&mut self, id: LimitId, now: Moment) -> Result<(), Refusal> {
        self.at(now);
        let limit = self.limits.get_mut(id.index()).ok_or(Refusal::NoLimit)?;
        if limit.state.kind() != StateKind::Tripped {
            return Err(Refusal::NotTripped);
        }
        let before = limit.state;
        let standing = limit.standing(id, &self.sensors, self.now);
        if let Err(clears_when) = limit.clear(&self.sensors, self.now) {
            return Err(Refusal::Limit(held(standing, clears_when)));
        }
        self.events.push(self.now, EventKind::TripCleared { limit: id, reading: standing.reading });
        self.tell_state(id, before);
        self.follow(id.index());
        self.drive();
        Ok(())
    }

    /// What [`Self::handle_clear`] would answer. Nothing moves.
    ///
    /// # Errors
    /// Where the limit has not tripped, its condition holds, or its group does not read.
    pub fn validate_clear(&self, id: LimitId) -> Result<(), Refusal> {
        let limit = self.limits.get(id.index()).ok_or(Refusal::NoLimit)?;
        if limit.state.kind() != StateKind::Tripped {
            return Err(Refusal::NotTripped);
        }
        let standing = limit.standing(id, &self.sensors, self.now);
        limit
            .clearable(&self.sensors, self.now)
            .map_err(|clears_when| Refusal::Limit(held(standing, clears_when)))
    }
}

/// What stands against clearing a trip, with the threshold that is meant.
fn held(standing: Standing, clears_when: ClearsWhen) -> Standing {
    let threshold = match clears_when {
        ClearsWhen::ReadingBelow(threshold) | ClearsWhen::ReadingAbove(threshold) => {
            Some(threshold)
        }
        ClearsWhen::AskedAtMost(_) | ClearsWhen::TripCleared | ClearsWhen::SensorsRead => {
            standing.threshold
        }
    };
    Standing { threshold, clears_when, ..standing }
}
