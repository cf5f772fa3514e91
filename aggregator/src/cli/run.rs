//! A running aggregator: both listeners, the sweeper, and the way out.

use crate::app::{App, idle, platform, replicas};
use crate::export;
use crate::http;
use crate::ingest::{Ingest, IngestError};
use crate::outbound;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// What still runs after it is dropped.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);
const SWEEP_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("listening for the API on tcp {address}")]
    Bind {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Socket(#[from] http::ipc::ListenError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error("waiting for signals")]
    Signal(#[source] std::io::Error),
    #[error("serving the API")]
    Http(#[source] std::io::Error),
}

impl RunError {
    pub(super) fn is_address_in_use(&self) -> bool {
        let source = match self {
            Self::Bind { source, .. } => Some(source),
            Self::Ingest(error) => error.bind_error(),
            Self::Socket(_) | Self::Signal(_) | Self::Http(_) => None,
        };
        source.is_some_and(|source| source.kind() == ErrorKind::AddrInUse)
    }
}

/// Serves until SIGTERM or SIGINT, then lets what runs come to its end.
pub(super) async fn serve(app: App) -> Result<(), RunError> {
    let address = app.config.api;
    let listener =
        TcpListener::bind(address).await.map_err(|source| RunError::Bind { address, source })?;
    let api = listener.local_addr().map_err(|source| RunError::Bind { address, source })?;
    let socket = match app.config.ipc_socket() {
        Some(path) => Some(http::ipc::Listener::bind(&app, path).await?),
        None => None,
    };
    let ingest = Ingest::bind(&app)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signal)?;
    tracing::info!("ready api={api} ingest={}", ingest.address());
    let ingest = tokio::spawn(ingest.serve(app.clone()));
    let sweeper = tokio::spawn(sweep(app.clone()));
    let history = tokio::spawn(app.history.clone().run(app.shutdown.clone()));
    let imports = tokio::spawn(app.imports.clone().run(app.shutdown.clone()));
    let replicas = tokio::spawn(replicas::run(app.clone()));
    let platform = tokio::spawn({
        let app = app.clone();
        let distribution = app.distribution.clone().run(app.shutdown.clone());
        let delivery = app.delivery.clone().run(app.shutdown.clone());
        async move { tokio::join!(platform::run(app.clone()), idle::run(app), distribution, delivery) }
    });
    let exports = tokio::spawn(export::run(app.clone()));
    let outbound = tokio::spawn(outbound::run(app.clone()));
    let mut http = tokio::spawn(http::serve_with(app.clone(), listener, socket));
    let early = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        ended = &mut http => Some(ended),
    };
    tracing::info!("shutting down");
    app.shutdown.start();
    let http = async {
        match early {
            Some(ended) => ended,
            None => http.await,
        }
    };
    let ends = async {
        tokio::join!(ingest, sweeper, history, imports, exports, replicas, outbound, platform, http)
    };
    let ended = tokio::time::timeout(SHUTDOWN_PATIENCE, ends).await;
    app.store.close().await;
    match ended {
        Ok((_, _, _, _, _, _, _, _, Ok(result))) => result.map_err(RunError::Http),
        Ok((_, _, _, _, _, _, _, _, Err(_))) | Err(_) => {
            tracing::warn!("some connections did not end in time and were dropped");
            Ok(())
        }
    }
}

/// Ends operations that nobody answered.
async fn sweep(app: App) {
    let mut stop = app.shutdown.subscribe();
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = stop.wait() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = app.operations.expire().await {
            tracing::error!(error = &error as &dyn std::error::Error, "operations not swept");
        }
    }
}
