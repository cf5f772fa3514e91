//! The word that the process ends. Everything that runs for long listens for it.

use std::sync::Arc;
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

/// One listener.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Shutdown {
    pub fn start(&self) {
        self.0.send_replace(true);
    }

    #[must_use]
    pub fn subscribe(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    #[must_use]
    pub fn is_started(&self) -> bool {
        *self.0.borrow()
    }
}

impl Stop {
    /// Returns once the shutdown has started.
    pub async fn wait(&mut self) {
        // The sender lives in `App`; where it is gone, so is the process.
        let _ = self.0.wait_for(|started| *started).await;
    }
}
