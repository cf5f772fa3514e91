//! Names to addresses.

use std::io;
use std::net::SocketAddr;

/// Of one name.
const MAX_ADDRESSES: usize = 16;

#[derive(Clone, Debug)]
pub(super) enum Names {
    /// As this machine resolves them.
    System,
    /// Each lookup has the next answer.
    #[cfg(test)]
    Played(std::sync::Arc<std::sync::Mutex<std::collections::VecDeque<Vec<SocketAddr>>>>),
}

impl Names {
    /// The first few addresses of a host.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((host, port)).await?;
                Ok(found.take(MAX_ADDRESSES).collect())
            }
            #[cfg(test)]
            Self::Played(answers) => {
                let mut answers = answers.lock().map_err(|_| io::ErrorKind::Other)?;
                answers.pop_front().ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        }
    }
}
