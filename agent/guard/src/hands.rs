//! The actuators in the order of the plan, as the loop sees them: asked, seen, handed back.
//!
//! The loop touches no actuator itself. Whoever holds one, a worker of this process or a driver,
//! has its [`Grip`], and a write that hangs holds nobody but its own bus.

mod rival;
mod worker;

use crate::grip::{Grip, HandBack};
use crate::sources::Errand;
use flyball_safety::{ActuatorId, Level, Observed};
use flyball_units::{NoData, PowerState, Ratio};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::Thread;
use std::time::Duration;
pub(crate) use worker::{Hired, Workers};

#[derive(Debug)]
pub(crate) struct Hands {
    hands: Vec<Hand>,
    dry_run: bool,
}

/// One actuator's grip and the thread that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) grip: Arc<Grip>,
    pub(crate) thread: Thread,
}

#[derive(Debug)]
struct Hand {
    holder: Option<Holder>,
    errands: Option<SyncSender<Errand>>,
    /// The last level that was asked for, whether or not it was obeyed.
    asked: Option<Level>,
    /// The number of the last sight that the engine has been told.
    seen: u64,
}

impl Hands {
    pub(crate) fn new(dry_run: bool) -> Self {
        Self { hands: Vec::new(), dry_run }
    }

    /// Puts a holder at the place of an actuator; a further one takes the place of the first.
    /// `None` is an actuator that nobody holds any more.
    pub(crate) fn hold(
        &mut self,
        index: usize,
        holder: Option<Holder>,
        errands: Option<SyncSender<Errand>>,
    ) {
        while self.hands.len() <= index {
            self.hands.push(Hand { holder: None, errands: None, asked: None, seen: 0 });
        }
        self.hands[index] = Hand { holder, errands, asked: None, seen: 0 };
    }

    pub(crate) fn len(&self) -> usize {
        self.hands.len()
    }

    /// Asks for a level. True where it was not asked for before.
    pub(crate) fn drive(&mut self, id: ActuatorId, level: Level, since: Option<Duration>) -> bool {
        let Some(hand) = self.hands.get_mut(id.index()) else {
            return false;
        };
        let new = hand.asked.replace(level) != Some(level);
        if let Some(holder) = hand.holder.as_ref().filter(|_| !self.dry_run) {
            holder.grip.ask(level, since.filter(|_| new));
            holder.thread.unpark();
        }
        new
    }

    /// What the actuator said of itself since it was last asked. A dry run is told what it asked
    /// for.
    pub(crate) fn take_sight(&mut self, id: ActuatorId) -> Option<Result<Observed, NoData>> {
        let hand = self.hands.get_mut(id.index())?;
        if let Some(asked) = hand.asked.filter(|_| self.dry_run) {
            return Some(Ok(match asked {
                Level::Automatic => Observed::Automatic(None),
                Level::Duty(duty) => Observed::Duty(duty),
                Level::Cap(watts) => Observed::Cap(watts),
                Level::Frequency(hertz) => Observed::Frequency(hertz),
                Level::Free => Observed::Present,
                Level::Down | Level::Off => Observed::Power(PowerState::Off),
            }));
        }
        let holder = hand.holder.as_ref()?;
        let (number, observed) = holder.grip.seen(hand.seen)?;
        hand.seen = number;
        Some(observed)
    }

    /// Hands an errand to whoever carries it out. False where nobody does, or it has too many.
    pub(crate) fn send(&self, id: ActuatorId, errand: Errand) -> bool {
        let hand = self.hands.get(id.index());
        let errands = hand.and_then(|hand| hand.errands.as_ref());
        let sent = errands.is_some_and(|errands| errands.try_send(errand).is_ok());
        if let Some(holder) = hand.and_then(|hand| hand.holder.as_ref()).filter(|_| sent) {
            holder.thread.unpark();
        }
        sent
    }

    /// Wants to know of every actuator where it stands.
    pub(crate) fn look(&self) {
        for holder in self.holders() {
            holder.grip.want_look();
            holder.thread.unpark();
        }
    }

    /// Wants every fan back with its firmware. Caps stay: a machine without its guard should not
    /// be hotter than with it.
    pub(crate) fn release(&self) {
        for holder in self.holders().filter(|_| !self.dry_run) {
            holder.grip.want_release();
            holder.thread.unpark();
        }
    }

    /// How far the hand-back of each actuator has come.
    pub(crate) fn handed_back(&self) -> impl Iterator<Item = (ActuatorId, HandBack)> {
        let ids = (0..).map(ActuatorId::new).zip(&self.hands);
        ids.filter(|_| !self.dry_run)
            .filter_map(|(id, hand)| Some((id, hand.holder.as_ref()?.grip.handed_back())))
    }

    fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.hands.iter().filter_map(|hand| hand.holder.as_ref())
    }
}

/// The bare number of a level.
pub(crate) fn number_of_level(level: Level) -> Option<f64> {
    match level {
        Level::Automatic => None,
        Level::Duty(duty) => Some(duty.get()),
        Level::Cap(watts) => Some(watts.get()),
        Level::Frequency(hertz) => Some(hertz.get()),
        Level::Free | Level::Down | Level::Off => None,
    }
}

/// The bare number of a read-back.
pub(crate) fn number_of_observed(observed: Observed) -> Option<f64> {
    match observed {
        Observed::Automatic(duty) => duty.map(Ratio::get),
        Observed::Duty(duty) => Some(duty.get()),
        Observed::Cap(watts) => Some(watts.get()),
        Observed::Frequency(hertz) => Some(hertz.get()),
        Observed::Power(_) | Observed::Present => None,
    }
}
