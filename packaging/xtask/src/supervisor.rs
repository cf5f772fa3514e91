//! Watches the programs of one `up`: starts again what ends, tells `ready.json`, and stops all
//! of them in order when it is asked to.

use crate::child::{Change, Program, Supervised};
use crate::{clock, say};
use anyhow::Result;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

const POLL: Duration = Duration::from_millis(50);
/// How long a program may take to seal, flush and hand back before it is ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// The running programs, in the order of their start.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    children: Vec<Supervised>,
    asked_to_stop: Arc<AtomicBool>,
}

impl Supervisor {
    /// Listens for SIGINT and SIGTERM from now on.
    pub(crate) fn listening() -> Result<Self> {
        let asked_to_stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&asked_to_stop))?;
        }
        Ok(Self { children: Vec::new(), asked_to_stop })
    }

    pub(crate) fn start(&mut self, program: Program) -> Result<()> {
        self.children.push(Supervised::start(program, clock::now())?);
        Ok(())
    }

    pub(crate) fn asked_to_stop(&self) -> bool {
        self.asked_to_stop.load(Ordering::Relaxed)
    }

    /// Every process by its program's name, and the supervisor's own as `up`.
    pub(crate) fn pids(&self) -> BTreeMap<String, u32> {
        self.children
            .iter()
            .filter_map(|child| Some((child.program.name.clone(), child.pid()?)))
            .chain([("up".to_owned(), std::process::id())])
            .collect()
    }

    /// One look at every program; true where a process came or went.
    pub(crate) fn poll(&mut self) -> Result<bool> {
        let now = clock::now();
        let mut changed = false;
        for child in &mut self.children {
            let Some(change) = child.poll(now)? else { continue };
            changed = true;
            let name = &child.program.name;
            match change {
                Change::Ended { status, pause } => say::step(&format!(
                    "{name} ended ({status}), starting again in {} ms; its log: {}",
                    pause.as_millis(),
                    child.program.log.display()
                )),
                Change::StartedAgain => say::step(&format!("{name} runs again")),
            }
        }
        Ok(changed)
    }

    /// Watches until it is asked to stop, calling `on_change` when processes come or go.
    pub(crate) fn watch(
        &mut self,
        mut on_change: impl FnMut(BTreeMap<String, u32>) -> Result<()>,
    ) -> Result<()> {
        while !self.asked_to_stop() {
            if self.poll()? {
                on_change(self.pids())?;
            }
            sleep(POLL);
        }
        Ok(())
    }

    /// Stops all of them, the latest first: agents before the aggregator, guards, then plants.
    pub(crate) fn stop(&mut self) -> Result<()> {
        while let Some(mut child) = self.children.pop() {
            child.stop(PATIENCE)?;
        }
        Ok(())
    }
}
