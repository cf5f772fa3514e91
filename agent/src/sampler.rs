//! The thread that reads this machine once a tick. A file of the kernel may be slow and a sick
//! disk may hang, so it is apart from network and recorder.

use crate::clock::Clock;
use crate::collectors::attached::Attached;
use crate::collectors::collected::Collected;
use crate::collectors::{Collectors, Moment, ProcessTable};
use crate::pace::Pace;
use crate::recorder::Order;
use flyball_protocol::guard::{EventKind, GuardEvent, Severity};
use flyball_protocol::message::Process;
use flyball_units::Unit;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;

/// Ticks between two scans of the process table.
const PROCESSES_EVERY_TICKS: u32 = 30;

pub(crate) struct Sampler {
    clock: Clock,
    collectors: Collectors,
    collected: Collected,
    /// How many of its own series, and which list of the plugins'.
    announced: (usize, u64),
    table: Option<ProcessTable>,
    until_scan: u32,
    orders: mpsc::Sender<Order>,
    processes: mpsc::Sender<Vec<Process>>,
}

/// The recorder is gone.
struct Gone;

impl Sampler {
    pub(crate) fn new(
        clock: Clock,
        procfs_root: &Path,
        attached: Attached,
        collected: Collected,
        orders: mpsc::Sender<Order>,
        processes: mpsc::Sender<Vec<Process>>,
    ) -> Self {
        let table = ProcessTable::new()
            .inspect_err(|error| tracing::warn!(%error, "the process table cannot be read"))
            .ok();
        let collectors = Collectors::new(procfs_root, attached);
        Self {
            clock,
            collectors,
            collected,
            announced: (0, 0),
            table,
            until_scan: 1,
            orders,
            processes,
        }
    }

    /// Starts the thread. It ends when `stop` is told or dropped.
    pub(crate) fn start(self, stop: Receiver<()>) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("sampler".into()).spawn(move || self.run(&stop))
    }

    fn run(mut self, stop: &Receiver<()>) {
        let mut pace = Pace::new(self.clock.unix_ms(), self.clock.now());
        let mut wait = Duration::ZERO;
        while stop.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            let wall_ms = self.clock.unix_ms();
            let look = pace.look(wall_ms, self.clock.now());
            let told = look.stepped_ms.map_or(Ok(()), |by_ms| self.tell_step(wall_ms, by_ms));
            let sampled = look.due_ms.map_or(Ok(()), |tick_ms| self.sample(tick_ms));
            if let (Err(Gone), _) | (_, Err(Gone)) = (told, sampled) {
                return;
            }
            // Reading took its part of the second.
            wait = Duration::from_millis(until_next(self.clock.unix_ms(), wall_ms, look.wait));
        }
    }

    fn sample(&mut self, tick_ms: u64) -> Result<(), Gone> {
        let moment = Moment::read(self.clock);
        let mut samples = self.collectors.read(moment).to_vec();
        // Plugins' series stand behind this machine's own, which may grow: the list says anew
        // what a number is.
        let own = self.collectors.series();
        samples.extend_from_slice(self.collected.read(own.len(), moment));
        let announced = (own.len(), self.collected.revision());
        if announced != self.announced {
            self.announced = announced;
            let series = [own, self.collected.series()].concat();
            self.order(Order::Series(series))?;
        }
        self.order(Order::Samples { tick_ms, samples })?;
        self.scan_when_due();
        Ok(())
    }

    fn scan_when_due(&mut self) {
        self.until_scan = self.until_scan.saturating_sub(1);
        if self.until_scan > 0 {
            return;
        }
        self.until_scan = PROCESSES_EVERY_TICKS;
        if let Some(processes) = self.table.as_mut().and_then(ProcessTable::scan) {
            // An uplink that is busy gets the next scan.
            let _busy = self.processes.try_send(processes);
        } else {
            // Shares need two scans, and the first snapshot is waited for.
            self.until_scan = 2;
        }
    }

    fn tell_step(&self, at_ms: u64, by_ms: i64) -> Result<(), Gone> {
        tracing::warn!(by_ms, "this machine's clock stepped");
        #[expect(clippy::cast_precision_loss, reason = "steps above 2^53 ms are no steps")]
        let seconds = by_ms as f64 / 1000.0;
        self.order(Order::Event {
            at_ms,
            event: GuardEvent {
                kind: EventKind::ClockStepped,
                severity: Severity::Info,
                subject: "clock".to_owned(),
                message: format!("The agent saw the machine's clock step by {seconds} s."),
                reading: Some(seconds),
                threshold: None,
                unit: Some(Unit::Second),
            },
        })
    }

    fn order(&self, order: Order) -> Result<(), Gone> {
        self.orders.blocking_send(order).map_err(|_| Gone)
    }
}

/// Milliseconds to the next tick after a look at `looked_ms` that said to wait for `wait`.
fn until_next(now_ms: u64, looked_ms: u64, wait: Duration) -> u64 {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    match now_ms.checked_sub(looked_ms) {
        Some(spent_ms) => wait_ms.saturating_sub(spent_ms),
        // The clock was set back meanwhile: the next look finds out.
        None => wait_ms,
    }
}
