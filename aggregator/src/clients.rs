//! Connected sources of logs and metrics that are no machines: applications. A client is made by
//! its first heartbeat, entry or report, and belongs to the account that sent it. Whether it is
//! there is a question of when it was heard last. Pure: time is an argument.

use crate::access::UserId;
use std::collections::HashMap;

/// A client that was heard within it is online, within the second one idle.
pub const ONLINE_MS: u64 = 60_000;
pub const IDLE_MS: u64 = 300_000;

/// Clients of one account, and of all; past either the one heard longest ago is forgotten, with
/// its reports.
pub const MAX_PER_SENDER: u32 = 500;
pub const MAX_CLIENTS: u32 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    Online,
    Idle,
    Offline,
}

impl Presence {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Idle => "idle",
            Self::Offline => "offline",
        }
    }

    #[must_use]
    pub const fn after(silent_ms: u64) -> Self {
        if silent_ms <= ONLINE_MS {
            Self::Online
        } else if silent_ms <= IDLE_MS {
            Self::Idle
        } else {
            Self::Offline
        }
    }
}

/// Who speaks, and when. One account's names are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub sender: UserId,
    pub client_id: String,
    pub client_name: Option<String>,
    pub at_ms: u64,
}

/// What a client says of itself when it has nothing else to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    pub contact: Contact,
    /// Its own word: `online`, `active`, `idle`, `offline` or another.
    pub status: Option<String>,
    pub memory_mb: Option<f64>,
    pub cpu_percent: Option<f64>,
}

impl Heartbeat {
    /// Does somebody use the application?
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.status.as_deref(), Some("active" | "online"))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    pub sender: UserId,
    pub client_id: String,
    pub client_name: Option<String>,
    /// The word of its last heartbeat.
    pub status: Option<String>,
    pub memory_mb: Option<f64>,
    pub cpu_percent: Option<f64>,
    pub created_at_ms: u64,
    pub seen_at_ms: u64,
    pub logs_sent: u64,
    pub metrics_sent: u64,
}

impl Client {
    /// One that says that it is idle or goes is believed, as long as it was heard at all.
    #[must_use]
    pub fn presence(&self, now_ms: u64) -> Presence {
        let heard = Presence::after(now_ms.saturating_sub(self.seen_at_ms));
        match (heard, self.status.as_deref()) {
            (Presence::Online | Presence::Idle, Some("offline")) => Presence::Offline,
            (Presence::Online, Some("idle")) => Presence::Idle,
            (heard, _) => heard,
        }
    }
}

/// What all that was sent comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub logs: u64,
    pub metrics: u64,
    pub online: u64,
}

/// Whose presence was told last, so that each change is told once.
#[derive(Debug, Default)]
pub struct Presences {
    told: Option<HashMap<(UserId, String), Presence>>,
}

/// A client that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Turned {
    pub client: Client,
    pub presence: Presence,
}

impl Presences {
    /// Takes all clients as they stand now, and gives those that have turned since the last time.
    /// The first time says nothing: what stood then is nobody's news.
    pub fn look(&mut self, clients: Vec<Client>, now_ms: u64) -> Vec<Turned> {
        let first = self.told.is_none();
        let before = self.told.take().unwrap_or_default();
        let mut now = HashMap::with_capacity(clients.len());
        let mut turned = Vec::new();
        for client in clients {
            let key = (client.sender, client.client_id.clone());
            let presence = client.presence(now_ms);
            if !first && before.get(&key) != Some(&presence) {
                turned.push(Turned { client, presence });
            }
            now.insert(key, presence);
        }
        self.told = Some(now);
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn client(id: &str, seen_at_ms: u64, status: Option<&str>) -> Client {
        Client {
            sender: UserId(Uuid::nil()),
            client_id: id.into(),
            client_name: None,
            status: status.map(str::to_owned),
            memory_mb: None,
            cpu_percent: None,
            created_at_ms: 0,
            seen_at_ms,
            logs_sent: 0,
            metrics_sent: 0,
        }
    }

    #[test]
    fn a_silent_client_is_idle_after_a_minute_and_offline_after_five() {
        for (silent_ms, status, presence) in [
            (0, None, Presence::Online),
            (60_000, Some("active"), Presence::Online),
            (60_001, Some("active"), Presence::Idle),
            (300_000, None, Presence::Idle),
            (300_001, None, Presence::Offline),
            (0, Some("idle"), Presence::Idle),
            (0, Some("offline"), Presence::Offline),
            (300_001, Some("idle"), Presence::Offline),
        ] {
            let client = client("tab", 1_000_000, status);
            assert_eq!(client.presence(1_000_000 + silent_ms), presence, "{silent_ms} {status:?}");
        }
    }

    #[test]
    fn each_turn_is_told_once_and_what_stood_at_first_is_not() {
        let mut presences = Presences::default();
        let told = |turned: Vec<Turned>| -> Vec<(String, Presence)> {
            turned.into_iter().map(|it| (it.client.client_id, it.presence)).collect()
        };
        assert_eq!(told(presences.look(vec![client("a", 0, None)], 0)), []);
        let both = || vec![client("a", 0, None), client("b", 50_000, None)];
        assert_eq!(told(presences.look(both(), 60_000)), [("b".into(), Presence::Online)]);
        assert_eq!(told(presences.look(both(), 60_001)), [("a".into(), Presence::Idle)]);
        assert_eq!(told(presences.look(both(), 60_002)), []);
        let gone = [("a".into(), Presence::Offline), ("b".into(), Presence::Offline)];
        assert_eq!(told(presences.look(both(), 400_000)), gone);
    }
}
