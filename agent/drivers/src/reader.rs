//! The thread that looks: connects, describes, looks round after round, and starts anew.

use crate::clock::Clock;
use crate::driver::{Connection, Driver, Eyes, Look};
use crate::limits;
use crate::pace::Pace;
use crate::session::{Gone, Outlet};
use crate::worker::Task;
use flyball_driver_messages::{Fault, FaultKind, FromDriver};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

/// Looks that fail one after the other before it connects anew. Discovery is dear.
const LOOKS_PER_CONNECTION: u32 = 3;
/// Equipment locks the account of who tries a wrong password too often.
const AFTER_DENIAL: Duration = Duration::from_secs(60);
/// Between two looks that each take longer than their period.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Reader {
    pub(crate) driver: Box<dyn Driver>,
    pub(crate) clock: Clock,
    pub(crate) poll: Duration,
    pub(crate) outlet: Outlet,
    pub(crate) tasks: SyncSender<Task>,
}

impl Reader {
    /// Runs until the guard is gone.
    pub(crate) fn run(mut self) -> Result<(), Gone> {
        let mut pace = Pace::default();
        loop {
            limits::grant_look();
            match self.driver.connect() {
                Ok(Connection { described, mut eyes, hands }) => {
                    let names = described.actuators.iter().map(|a| a.name.clone()).collect();
                    self.tasks.send(Task::Take(hands, names)).map_err(|_| Gone)?;
                    self.outlet.send(&FromDriver::Described(Box::new(described)))?;
                    self.watch(eyes.as_mut(), &mut pace)?;
                }
                Err(fault) => self.rest(fault, &mut pace)?,
            }
        }
    }

    /// Looks until the connection is to be made anew.
    fn watch(&self, eyes: &mut dyn Eyes, pace: &mut Pace) -> Result<(), Gone> {
        loop {
            limits::grant_look();
            let began = self.clock.now();
            match eyes.look() {
                Ok(Look::Seen(mut round)) => {
                    pace.succeed();
                    let took = self.clock.now().saturating_sub(began);
                    round.took_ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
                    self.outlet.send(&FromDriver::Round(round))?;
                    thread::sleep(self.poll.saturating_sub(took).max(SHORTEST_PAUSE));
                }
                Ok(Look::Changed) => {
                    thread::sleep(SHORTEST_PAUSE);
                    return Ok(());
                }
                Err(fault) => {
                    self.rest(fault, pace)?;
                    if pace.failures() >= LOOKS_PER_CONNECTION {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn rest(&self, fault: Fault, pace: &mut Pace) -> Result<(), Gone> {
        let wait = match fault.kind {
            FaultKind::Denied => pace.fail().max(AFTER_DENIAL),
            _ => pace.fail(),
        };
        let retry_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        self.outlet.send(&FromDriver::Fault { fault, retry_ms })?;
        thread::sleep(wait);
        Ok(())
    }
}
