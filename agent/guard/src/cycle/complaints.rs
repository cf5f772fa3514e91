//! What was last said against what an actuator was asked: the reason that an operation which
//! came to nothing is told with. It is forgotten with the next thing that is asked.

use flyball_safety::ActuatorId;

#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// One for each actuator at most, so no more than the catalog has.
    said: Vec<(ActuatorId, String)>,
}

impl Complaints {
    pub(super) fn note(&mut self, actuator: ActuatorId, message: String) {
        self.forget(actuator);
        self.said.push((actuator, message));
    }

    pub(super) fn of(&self, actuator: ActuatorId) -> Option<&str> {
        self.said.iter().find(|(id, _)| *id == actuator).map(|(_, message)| message.as_str())
    }

    pub(super) fn forget(&mut self, actuator: ActuatorId) {
        self.said.retain(|(id, _)| *id != actuator);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_complaint_of_each_counts_until_it_is_asked_anew() {
        let (one, other) = (ActuatorId::new(1), ActuatorId::new(2));
        let mut complaints = Complaints::default();
        complaints.note(one, "is answered 500".into());
        complaints.note(other, "says nothing".into());
        complaints.note(one, "is answered 503".into());
        assert_eq!(complaints.of(one), Some("is answered 503"));
        complaints.forget(one);
        assert_eq!((complaints.of(one), complaints.of(other)), (None, Some("says nothing")));
    }
}
