//! The tasks behind what leaves the house and what goes on in the background: telling webhooks and
//! people what happened, sending it, making and running jobs.

mod reseal;
mod tell;
mod work;

use crate::app::App;
use crate::app::shutdown::Stop;
use crate::store::StoreError;
use std::time::Duration;
pub use tell::Teller;
pub use work::run_due;

const EVERY: Duration = Duration::from_secs(1);
const PRUNE_EVERY: Duration = Duration::from_secs(10 * 60);

/// Runs all of it until shutdown.
pub async fn run(app: App) {
    let stop = || app.shutdown.subscribe();
    tokio::join!(
        app.mail.clone().run(stop()),
        app.webhooks.clone().run(stop()),
        tell::run(app.clone(), stop()),
        tell::watch_devices(app.clone(), stop()),
        every(stop(), EVERY, app.clone(), work::schedule),
        work::run(app.clone(), stop()),
        every(stop(), PRUNE_EVERY, app.clone(), prune),
    );
}

async fn prune(app: App) -> Result<(), StoreError> {
    app.mail.prune().await?;
    app.webhooks.prune().await?;
    app.jobs.prune().await
}

/// Takes a turn with `what` again and again.
async fn every<T: Clone, F, E: std::error::Error + 'static>(
    mut stop: Stop,
    pause: Duration,
    what: T,
    turn: impl Fn(T) -> F,
) where
    F: Future<Output = Result<(), E>>,
{
    loop {
        tokio::select! {
            () = stop.wait() => return,
            done = turn(what.clone()) => {
                if let Err(error) = done {
                    let error = crate::resilience::chain(&error);
                    tracing::warn!(error, "work outside waits for the store");
                }
            }
        }
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
