//! What other replicas on the same database have set in motion and this one has to carry out: it
//! holds the connection of the device. Ids come by notice; the outbox itself is asked besides, so
//! that a lost notice costs two seconds and no command.

use crate::app::App;
use crate::store::{Notice, Notices, StoreError};
use std::time::Duration;

const OUTBOX_EVERY: Duration = Duration::from_secs(2);

/// Serves until shutdown. Returns at once where no other replica can be.
pub async fn run(app: App) {
    let database = app.config.database();
    let mut stop = app.shutdown.subscribe();
    loop {
        let ended = tokio::select! {
            () = stop.wait() => return,
            ended = async {
                match app.store.notices(&database).await? {
                    Some(notices) => listen(&app, notices).await.map(|()| false),
                    None => Ok(true),
                }
            } => ended,
        };
        match ended {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                let error: StoreError = error;
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the other replicas are not heard, trying again");
            }
        }
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(OUTBOX_EVERY) => {}
        }
    }
}

async fn listen(app: &App, mut notices: Notices) -> Result<(), StoreError> {
    let mut ticks = tokio::time::interval(OUTBOX_EVERY);
    loop {
        let notice = tokio::select! {
            _ = ticks.tick() => None,
            notice = notices.next() => notice?,
        };
        match notice {
            Some(Notice::Commands(device)) => {
                app.sessions.wake(device);
            }
            Some(Notice::Operation(id)) => {
                if let Some(operation) = app.store.operation(id).await? {
                    app.operations.announce(operation);
                }
            }
            Some(Notice::Revoked(device)) => {
                app.sessions.revoke(device);
            }
            None => {
                for device in app.store.devices_with_commands(app.clock.now_ms()).await? {
                    app.sessions.wake(device);
                }
            }
        }
    }
}
