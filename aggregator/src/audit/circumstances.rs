//! What every row that is written on behalf of a request has in common.
//!
//! A task's own value rather than an argument: who asks and from where is the same for all that a
//! request does, and a domain call that writes a row must not have to know of requests.

use crate::access::SessionId;
use std::net::IpAddr;

/// The sign-in and the place of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    pub session: Option<SessionId>,
    pub address: Option<IpAddr>,
}

tokio::task_local! {
    static CURRENT: Circumstances;
}

impl Circumstances {
    /// Runs `work` under these circumstances.
    pub async fn around<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// Those of the request that runs here; none where there is none.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(|current| *current).unwrap_or_default()
    }
}
