//! The socket's file and who waits at it.

use super::connection::Connection;
use super::{MAX_CONNECTIONS, answer, peer};
use crate::accounts::AccountsError;
use crate::app::App;
use crate::http::Api;
use axum::Router;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// For its owner and its group; everybody else is kept out before a word is said.
const MODE: u32 = 0o660;
/// After a failure to accept: out of descriptors, mostly.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a refusal may take to be written.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(1);
/// How long calls under way may go on after the word to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("another program listens on the socket {0}")]
    InUse(PathBuf),
    #[error("{0} is there and no socket; `ipc.path` has to name another file")]
    NoSocket(PathBuf),
    #[error("listening on the socket {path}")]
    Bind {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("preparing the account of the host's own users")]
    Account(#[from] AccountsError),
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Binds `path`. A socket that nobody listens on any more is taken over.
    ///
    /// # Errors
    /// Where somebody listens there, or the path is something else, or can't be bound.
    pub async fn bind(app: &App, path: PathBuf) -> Result<Self, ListenError> {
        app.accounts.ensure_local().await?;
        let failed = |source| ListenError::Bind { path: path.clone(), source };
        refuse_taken(&path).await?;
        // Bound beside its place and moved there, so that nobody meets it with other rights, nor
        // finds nothing where a stale one stood.
        let beside = beside(&path);
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&beside).map_err(failed)?;
        std::fs::set_permissions(&beside, Permissions::from_mode(MODE)).map_err(failed)?;
        std::fs::rename(&beside, &path).map_err(failed)?;
        tracing::info!("listening ipc={}", path.display());
        Ok(Self { listener, path })
    }

    /// Serves until the process shuts down.
    pub(crate) async fn serve(self, api: Api, router: Router) {
        let mut stop = api.app.shutdown.subscribe();
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.wait() => break,
                accepted = self.listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the socket was not accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                // Waited for here, which bounds these too.
                refuse(stream, answer::too_many()).await;
                continue;
            };
            let (api, router) = (api.clone(), router.clone());
            connections.spawn(async move {
                admit(api, router, stream).await;
                drop(place);
            });
        }
        if std::fs::remove_file(&self.path).is_err() {
            tracing::debug!(path = %self.path.display(), "the socket's file was gone already");
        }
        let ended = async { while connections.join_next().await.is_some() {} };
        // What still runs then is dropped with the set.
        let _ = tokio::time::timeout(STOP_PATIENCE, ended).await;
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Is there something at `path` that must stay?
async fn refuse_taken(path: &Path) -> Result<(), ListenError> {
    let failed = |source| ListenError::Bind { path: path.to_owned(), source };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(ListenError::NoSocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(ListenError::InUse(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

async fn admit(api: Api, router: Router, stream: UnixStream) {
    let uid = match stream.peer_cred() {
        Ok(credentials) => credentials.uid(),
        Err(error) => {
            tracing::warn!(%error, "a connection to the socket has no credentials");
            return;
        }
    };
    let own = rustix::process::geteuid().as_raw();
    let account = peer::account(uid, own, &api.app.config.ipc.allow).map(str::to_owned);
    match account {
        Some(account) => Connection::run(api, router, stream, account).await,
        None => {
            tracing::warn!(uid, "a user of the host was refused at the socket");
            refuse(stream, answer::foreign(uid)).await;
        }
    }
}

async fn refuse(mut stream: UnixStream, refusal: serde_json::Value) {
    let line = format!("{refusal}\n");
    // A client that does not take it is gone all the same.
    let _ = tokio::time::timeout(REFUSAL_PATIENCE, stream.write_all(line.as_bytes())).await;
}
