//! The thread that acts: one deed after the other, each within its deadline.

use crate::driver::{Deadline, Hands};
use crate::session::{Gone, Outlet};
use flyball_driver_messages::{ActuatorState, Deed, DeedError, DeedFault, FromDriver};
use std::sync::mpsc::{Receiver, SyncSender};

pub(crate) enum Task {
    /// Act with these from now on; the actuators' names by index.
    Take(Box<dyn Hands>, Vec<String>),
    Act(Order),
    /// Give back what is held, and say when that is done.
    Leave(SyncSender<()>),
}

#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) request: u64,
    pub(crate) actuator: String,
    pub(crate) deed: Deed,
    pub(crate) deadline: Deadline,
}

/// Runs until the guard is gone. Hands of a connection that was lost act until better ones come:
/// a look that failed says little about the next deed.
pub(crate) fn run(tasks: &Receiver<Task>, outlet: &Outlet) -> Result<(), Gone> {
    let mut held: Option<(Box<dyn Hands>, Vec<String>)> = None;
    while let Ok(task) = tasks.recv() {
        match task {
            Task::Take(hands, names) => held = Some((hands, names)),
            Task::Act(order) => {
                let request = order.request;
                let outcome = match &mut held {
                    Some((hands, names)) => act(hands.as_mut(), names, &order),
                    None => Err(not_tried("the equipment has not been reached yet")),
                };
                outlet.send(&FromDriver::Done { request, outcome })?;
            }
            Task::Leave(done) => {
                if let Some((hands, _)) = &mut held {
                    hands.leave();
                }
                // Nobody waits any more where the channel is closed.
                let _ = done.try_send(());
            }
        }
    }
    Ok(())
}

fn act(hands: &mut dyn Hands, names: &[String], order: &Order) -> Result<ActuatorState, DeedError> {
    if order.deadline.left().is_none() {
        return Err(not_tried("its time had passed before its turn came"));
    }
    let index = names.iter().position(|name| *name == order.actuator);
    let Some(index) = index.and_then(|index| u16::try_from(index).ok()) else {
        let message = format!("it has no `{}`", order.actuator);
        return Err(DeedError::unsupported(message));
    };
    hands.act(index, &order.deed, order.deadline)
}

fn not_tried(message: &str) -> DeedError {
    DeedError::new(DeedFault::NotTried, format!("{message}; ask again"))
}
