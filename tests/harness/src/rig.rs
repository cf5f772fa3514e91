//! One line for a test: a simulated board that runs in a thread of its own.

use crate::simulation::Simulation;
use crate::tree::TreeError;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the plant steps, in real time.
const PERIOD: Duration = Duration::from_millis(20);

/// A running board. It ends when this is dropped, and its folder goes with it.
#[derive(Debug)]
pub struct Rig {
    folder: tempfile::TempDir,
    orders: Option<SyncSender<(String, SyncSender<Value>)>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, thiserror::Error)]
pub enum RigError {
    #[error("cannot make a folder for the board")]
    Folder(#[source] std::io::Error),
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Rig {
    /// Starts the board of `seed`, its time running `speed` times as fast as ours.
    ///
    /// # Errors
    /// Where its tree cannot be laid out.
    pub fn start(seed: u64, speed: f64) -> Result<Self, RigError> {
        let folder = tempfile::tempdir().map_err(RigError::Folder)?;
        let mut simulation = Simulation::new(folder.path(), seed)?;
        simulation.plant_mut().set_speed(speed);
        let (orders, inbox) = sync_channel(16);
        let thread = std::thread::spawn(move || run(simulation, &inbox, PERIOD.mul_f64(speed)));
        Ok(Self { folder, orders: Some(orders), thread: Some(thread) })
    }

    /// What to hand to `--sysfs-root`.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Obeys one order of the control protocol; `error` in the answer says what was wrong.
    #[must_use]
    pub fn order(&self, order: &Value) -> Value {
        let (answer, answers) = sync_channel(1);
        let sent = self.orders.as_ref().map(|orders| orders.send((order.to_string(), answer)));
        match (sent, answers.recv()) {
            (Some(Ok(())), Ok(answer)) => answer,
            (Some(Ok(()) | Err(_)) | None, Ok(_) | Err(_)) => {
                json!({ "error": "the board's thread has ended" })
            }
        }
    }

    /// The truth about the board.
    #[must_use]
    pub fn state(&self) -> Value {
        self.order(&json!({ "state": true }))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed by itself.
            let _ = thread.join();
        }
    }
}

fn run(mut simulation: Simulation, inbox: &Receiver<(String, SyncSender<Value>)>, step: Duration) {
    loop {
        match inbox.recv_timeout(PERIOD) {
            Ok((order, answer)) => {
                // Who asked may have gone.
                let _ = answer.send(simulation.obey(&order));
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = simulation.step(step) {
                    eprintln!("error board stopped reason={error:?}");
                    return;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
