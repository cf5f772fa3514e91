//! What is asked of a driver: errands of the loop, and what the actuators themselves want.

use super::{Asked, Unit};
use crate::drivers::held::{Held, Wish};
use crate::log;
use crate::sources::{Change, Ended};
use flyball_driver_messages::{Deed, DeedError, DeedFault, ToDriver, bounded};

impl Unit {
    pub(super) fn take_errands(&mut self) -> Result<(), Ended> {
        while let Ok(errand) = self.errands.try_recv() {
            let now = self.now();
            let refused = if now > errand.deadline {
                Some("its time had passed before its turn came")
            } else if self.process.is_none() {
                Some("its driver does not run")
            } else {
                None
            };
            let index = self.held.iter().position(|held| held.id == errand.actuator);
            let (Some(index), None) = (index, refused) else {
                let reason = refused.unwrap_or("it is not there any more");
                let error = DeedError::new(DeedFault::NotTried, reason);
                let request = errand.request;
                self.sources.tell(Change::Done { request, outcome: Err(error) })?;
                continue;
            };
            if matches!(errand.deed, Deed::Reset(_)) {
                if let Some(wish) = self.held[index].take_errand(&errand, now) {
                    self.grant(index, wish)?;
                }
            } else {
                self.ask(index, errand.deed, Some(errand.request))?;
            }
        }
        Ok(())
    }

    /// What the loop asks of the actuators, and what follows from it.
    pub(super) fn hold(&mut self) -> Result<(), Ended> {
        let (now, stale) = (self.now(), self.stale());
        for index in 0..self.held.len() {
            let held = &mut self.held[index];
            held.take_asked();
            if held.grip.take_look() {
                held.grip.saw(held.observed(now, stale));
            }
            if held.grip.wants_release() {
                held.grip.hand_back(crate::grip::HandBack::Untouched);
            }
            if self.process.is_none() {
                continue;
            }
            // One question at a time: what is asked for meanwhile is the next one.
            while self.held.get(index).is_some_and(|held| !self.asks_for(held)) {
                let Some(wish) = self.held[index].next_wish(now) else { break };
                self.grant(index, wish)?;
            }
        }
        Ok(())
    }

    /// Whether the driver has a question of the actuator's own before it.
    pub(super) fn asks_for(&self, held: &Held) -> bool {
        self.asked.values().any(|asked| asked.errand.is_none() && asked.actuator == held.id)
    }

    pub(super) fn grant(&mut self, index: usize, wish: Wish) -> Result<(), Ended> {
        match wish {
            Wish::Ask(deed) => self.ask(index, deed, None),
            Wish::Tell(request, outcome) => self.sources.tell(Change::Done { request, outcome }),
            Wish::Say(words) => {
                let id = self.held.get(index).map_or("?", |held| held.id.as_str());
                log::warn(format_args!("{} actuator={id}", bounded(&words)));
                Ok(())
            }
            Wish::Complain(words) => {
                let id = self.held.get(index).map_or("?", |held| held.id.as_str());
                let (actuator, message) = (id.to_owned(), bounded(&words));
                log::warn(format_args!("{message} actuator={id}"));
                self.sources.tell(Change::Complaint { actuator, message })
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        index: usize,
        deed: Deed,
        errand: Option<u64>,
    ) -> Result<(), Ended> {
        let (Some(held), Some(running)) = (self.held.get(index), &mut self.process) else {
            return Ok(());
        };
        self.requests += 1;
        let request = self.requests;
        let time = Held::deadline(self.equipment.timeout);
        let deadline_ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let (actuator, name) = (held.id.clone(), held.name.clone());
        let message = ToDriver::Act { request, actuator: name, deed: deed.clone(), deadline_ms };
        self.asked.insert(request, Asked { actuator, deed, errand });
        // Who has a deed to do and says nothing is ended sooner than who just looks.
        let answer_at = self.sources.clock().now() + time * 2;
        running.silent_at = running.silent_at.min(answer_at);
        match running.process.say(&message) {
            Ok(()) => Ok(()),
            Err(error) => self.kill(&format!("it does not listen: {error}")),
        }
    }

    /// Nothing that was asked of an ended driver will be answered.
    pub(super) fn forget_questions(&mut self) -> Result<(), Ended> {
        let now = self.now();
        for (_, Asked { actuator, deed, errand }) in std::mem::take(&mut self.asked) {
            let error = DeedError::new(
                DeedFault::Failed,
                "its driver ended before it answered; look where it stands",
            );
            match errand {
                Some(request) => {
                    self.sources.tell(Change::Done { request, outcome: Err(error) })?;
                }
                None => {
                    if let Some(held) = self.held.iter_mut().find(|held| held.id == actuator) {
                        held.answered(&deed, Err(error), now);
                    }
                }
            }
        }
        let abandoned: Vec<u64> = self.held.iter_mut().filter_map(Held::abandon).collect();
        for request in abandoned {
            let message = "its driver ended before the state proved it; look where it stands";
            let error = DeedError::new(DeedFault::NotConfirmed, message);
            self.sources.tell(Change::Done { request, outcome: Err(error) })?;
        }
        self.pending = None;
        Ok(())
    }
}
