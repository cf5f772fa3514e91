//! The thread that acts: one deed after the other, each within its deadline.

use crate::driver::{Deadline, Hands};
use crate::session::{Gone, Outlet};
use flyball_driver_messages::{Deed, DeedError, DeedFault, FromDriver};
use std::sync::mpsc::{Receiver, SyncSender};

pub(crate) enum Task {
    /// Act with these from now on.
    Take(Box<dyn Hands>),
    Act(Order),
    /// Give back what is held, and say when that is done.
    Leave(SyncSender<()>),
}

#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) request: u64,
    pub(crate) actuator: u16,
    pub(crate) deed: Deed,
    pub(crate) deadline: Deadline,
}

/// Runs until the guard is gone. Hands of a connection that was lost act until better ones come:
/// a look that failed says little about the next deed.
pub(crate) fn run(tasks: &Receiver<Task>, outlet: &Outlet) -> Result<(), Gone> {
    let mut hands: Option<Box<dyn Hands>> = None;
    while let Ok(task) = tasks.recv() {
        match task {
            Task::Take(new) => hands = Some(new),
            Task::Act(order) => {
                let request = order.request;
                let outcome = match &mut hands {
                    _ if order.deadline.left().is_none() => Err(DeedError::new(
                        DeedFault::NotTried,
                        "its time had passed before its turn came; ask again",
                    )),
                    Some(hands) => hands.act(order.actuator, &order.deed, order.deadline),
                    None => Err(DeedError::new(
                        DeedFault::NotTried,
                        "the equipment has not been reached yet; ask again once it is connected",
                    )),
                };
                outlet.send(&FromDriver::Done { request, outcome })?;
            }
            Task::Leave(done) => {
                if let Some(hands) = &mut hands {
                    hands.leave();
                }
                // Nobody waits any more where the channel is closed.
                let _ = done.try_send(());
            }
        }
    }
    Ok(())
}
