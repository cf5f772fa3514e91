//! The control socket: a line of JSON in, a line of JSON out, served between two steps of the
//! simulation by the one thread that owns it.

use crate::simulation::Simulation;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

const MAX_CONNECTIONS: usize = 8;
const MAX_LINE_BYTES: usize = 4096;

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("{} is in use by another plant", .0.display())]
    InUse(PathBuf),
    #[error("cannot listen on {}", .path.display())]
    Listen { path: PathBuf, source: io::Error },
}

#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    listener: UnixListener,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    pending: Vec<u8>,
}

impl ControlSocket {
    /// Listens on `path`, in place of a socket that nobody answers on any more.
    ///
    /// # Errors
    /// Where another plant answers there, or the path cannot be bound.
    pub fn listen(path: &Path) -> Result<Self, SocketError> {
        if UnixStream::connect(path).is_ok() {
            return Err(SocketError::InUse(path.to_path_buf()));
        }
        let failed = |source| SocketError::Listen { path: path.to_path_buf(), source };
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { path: path.to_path_buf(), listener, connections: Vec::new() })
    }

    /// Answers what has come; never waits. A connection that breaks the protocol is closed.
    pub fn serve(&mut self, simulation: &mut Simulation) {
        while self.connections.len() < MAX_CONNECTIONS
            && let Ok((stream, _)) = self.listener.accept()
        {
            if stream.set_nonblocking(true).is_ok() {
                self.connections.push(Connection { stream, pending: Vec::new() });
            }
        }
        self.connections.retain_mut(|connection| connection.serve(simulation).is_ok());
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Where it is gone already there is nothing left to do.
        let _ = fs::remove_file(&self.path);
    }
}

impl Connection {
    fn serve(&mut self, simulation: &mut Simulation) -> io::Result<()> {
        let mut bytes = [0; MAX_LINE_BYTES];
        match self.stream.read(&mut bytes) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => self.pending.extend_from_slice(&bytes[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let answer = simulation.obey(String::from_utf8_lossy(&line).trim());
            self.stream.write_all(format!("{answer}\n").as_bytes())?;
        }
        if self.pending.len() > MAX_LINE_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }
}
