//! One-time tickets. They live in memory: a restart makes clients ask for a new one.

use crate::access::Caller;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) const TICKET_TTL_MS: u64 = 30_000;
/// Tickets that wait to be used; past it the oldest goes.
const CAPACITY: usize = 1_000;

#[derive(Debug)]
struct Ticket {
    caller: Caller,
    expires_at_ms: u64,
}

/// Shared under a lock by the handlers; no await happens while it is held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets(Arc<Mutex<HashMap<[u8; 32], Ticket>>>);

impl Tickets {
    pub(crate) fn issue(&self, caller: Caller, now_ms: u64) -> Result<String, getrandom::Error> {
        let mut secret = [0; 24];
        getrandom::fill(&mut secret)?;
        let text = URL_SAFE_NO_PAD.encode(secret);
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.expires_at_ms > now_ms);
        if tickets.len() >= CAPACITY {
            let oldest = tickets.iter().min_by_key(|(_, ticket)| ticket.expires_at_ms);
            if let Some(hash) = oldest.map(|(hash, _)| *hash) {
                tickets.remove(&hash);
            }
        }
        let ticket = Ticket { caller, expires_at_ms: now_ms + TICKET_TTL_MS };
        tickets.insert(hash(&text), ticket);
        Ok(text)
    }

    /// Whose ticket it is. It is good for one use.
    pub(crate) fn redeem(&self, text: &str, now_ms: u64) -> Option<Caller> {
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = tickets.remove(&hash(text))?;
        (ticket.expires_at_ms > now_ms).then_some(ticket.caller)
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Credential, Grants, Role, SessionId, UserId};
    use uuid::Uuid;

    #[test]
    fn a_ticket_is_good_once_and_for_thirty_seconds() {
        let tickets = Tickets::default();
        let caller = Caller {
            user: UserId(Uuid::from_u128(1)),
            email: "a@example.org".into(),
            grants: Grants::of(Role::Viewer),
            credential: Credential::Session(SessionId(Uuid::from_u128(2))),
            expires_at_ms: u64::MAX,
        };
        let text = tickets.issue(caller.clone(), 0).unwrap();
        assert_eq!(tickets.redeem(&text, 1), Some(caller.clone()));
        assert_eq!(tickets.redeem(&text, 1), None);
        let late = tickets.issue(caller, 0).unwrap();
        assert_eq!(tickets.redeem(&late, TICKET_TTL_MS), None);
    }
}
