//! Whether a session or a key stands, remembered for a few seconds, so that not every request asks the
//! store and one that has ended is still noticed at once.

use crate::access::{Credential, Grants};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How old an answer may be, in milliseconds. Revocation has to act within five seconds.
pub(super) const FRESH: u64 = 3_000;
/// Past it, everything is asked anew.
const CAPACITY: usize = 10_000;

#[derive(Clone, Debug)]
struct Standing {
    grants: Option<Grants>,
    at_ms: u64,
}

/// Shared under a lock by every request; no await happens while it is held.
#[derive(Clone, Debug, Default)]
pub(super) struct Standings(Arc<Mutex<HashMap<Credential, Standing>>>);

impl Standings {
    /// What is known of it: its grants while it stands, or that it has ended.
    pub(super) fn known(&self, credential: Credential, now_ms: u64) -> Option<Option<Grants>> {
        let standings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = standings.get(&credential)?;
        let age_ms = now_ms.checked_sub(standing.at_ms)?;
        (age_ms < FRESH).then(|| standing.grants.clone())
    }

    pub(super) fn learn(&self, credential: Credential, grants: Option<Grants>, now_ms: u64) {
        let mut standings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if standings.len() >= CAPACITY {
            standings.clear();
        }
        standings.insert(credential, Standing { grants, at_ms: now_ms });
    }

    pub(super) fn forget(&self, credential: Credential) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&credential);
    }

    /// Somebody's rights have changed: everything is asked anew.
    pub(super) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Role, SessionId};
    use uuid::Uuid;

    #[test]
    fn an_answer_is_good_for_three_seconds() {
        let standings = Standings::default();
        let session = Credential::Session(SessionId(Uuid::from_u128(1)));
        assert_eq!(standings.known(session, 0), None);
        let viewer = Some(Grants::of(Role::Viewer));
        standings.learn(session, viewer.clone(), 1_000);
        assert_eq!(standings.known(session, 3_999), Some(viewer));
        assert_eq!(standings.known(session, 4_000), None);
        standings.forget(session);
        assert_eq!(standings.known(session, 1_000), None);
    }
}
