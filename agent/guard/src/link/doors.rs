//! The two sockets: the agent's, and the one that only a person with the machine's own rights
//! can open.
//!
//! Both have mode 0600; of the second the kernel is asked besides who is at the other end. What
//! comes in by it is a local operator's, which nobody outranks but the engine.

use anyhow::{Context, Result};
use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The listening sockets.
#[derive(Debug)]
pub(crate) struct Doors {
    pub(super) agent: UnixListener,
    pub(super) control: UnixListener,
}

impl Doors {
    /// Binds `socket`, and the control socket beside it.
    ///
    /// # Errors
    /// Where a path is taken by a living guard or can't be bound.
    pub(crate) fn bind(socket: &Path) -> Result<Self> {
        let control = control(socket);
        let bound = |path: &Path| {
            bind(path).with_context(|| format!("the socket {} can't be bound", path.display()))
        };
        Ok(Self { agent: bound(socket)?, control: bound(&control)? })
    }
}

/// Where the control socket of the guard at `socket` is.
pub(crate) fn control(socket: &Path) -> PathBuf {
    socket.with_extension("control")
}

/// The user at the other end, if that is one whose word counts at the machine: root, or who runs
/// the guard.
pub(super) fn person(stream: &UnixStream) -> Result<u32, u32> {
    let uid = socket_peercred(stream).map_or(u32::MAX, |peer| peer.uid.as_raw());
    if uid == 0 || uid == geteuid().as_raw() { Ok(uid) } else { Err(uid) }
}

/// Binds the socket at `path`, mode 0600. A socket that nobody listens on is replaced.
fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("another guard listens on {}", path.display()),
            ));
        }
        fs::remove_file(path)?;
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
