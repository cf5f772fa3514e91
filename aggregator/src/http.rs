//! The API, the console and the live streams over HTTP.

use crate::app::App;
use tokio::net::TcpListener;

/// Serves until the process shuts down.
///
/// # Errors
/// Where the listener fails for good.
pub async fn serve(app: App, listener: TcpListener) -> std::io::Result<()> {
    let router = axum::Router::new();
    let mut stop = app.shutdown.subscribe();
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.wait().await })
        .await
}
