//! How much room telemetry has, and when it is full.
//!
//! Above the soft share there is a warning, and samples may be thinned early. Above the hard one
//! blocks are refused, long before the disk is full: agents keep what was not acknowledged.

use super::settings::Budget;
use super::{History, HistoryError};
use crate::audit::{AuditEntry, Decision};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

/// Blocks are taken again only where so much of the budget is free below the hard share, so that
/// agents are not let in and out by the minute.
const RELIEF: f64 = 0.02;

/// What telemetry takes, and what the disk has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The database and the local segments.
    pub used_bytes: u64,
    /// What the disk has left, and the database's own free pages.
    pub free_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Free,
    /// Above the soft share.
    Tight,
    /// Above the hard share: no blocks are taken.
    Full,
}

impl Room {
    /// The judgement of one moment, by what was judged before.
    #[must_use]
    pub fn judge(before: Self, usage: &Usage, budget: &Budget) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a share of a disk")]
        let share = budget.bytes.map_or(0.0, |whole| usage.used_bytes as f64 / whole as f64);
        let (relief, kept) = match before {
            Self::Full => (RELIEF, budget.free_bytes.saturating_add(budget.free_bytes / 4)),
            Self::Free | Self::Tight => (0.0, budget.free_bytes),
        };
        if share > budget.hard_share - relief || usage.free_bytes < kept {
            Self::Full
        } else if share > budget.soft_share
            || usage.free_bytes < budget.free_bytes.saturating_mul(2)
        {
            Self::Tight
        } else {
            Self::Free
        }
    }

    #[must_use]
    pub const fn is_tight(self) -> bool {
        match self {
            Self::Free => false,
            Self::Tight | Self::Full => true,
        }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Tight => "tight",
            Self::Full => "full",
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::Tight => 1,
            Self::Full => 2,
        }
    }
}

/// The last judgement, read by whoever takes blocks in.
#[derive(Debug, Default)]
pub(super) struct RoomState(AtomicU8);

impl RoomState {
    fn get(&self) -> Room {
        let rank = self.0.load(Ordering::Relaxed);
        [Room::Free, Room::Tight].into_iter().find(|room| room.rank() == rank).unwrap_or(Room::Full)
    }

    fn set(&self, room: Room) {
        self.0.store(room.rank(), Ordering::Relaxed);
    }
}

impl History {
    /// How much room there was when it was last looked at.
    #[must_use]
    pub fn room(&self) -> Room {
        self.0.room.get()
    }

    /// Looks at the disk and judges; a change is said once, in the log and in the audit.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn judge_room(&self) -> Result<Room, HistoryError> {
        let usage = self.usage().await?;
        let before = self.room();
        let room = Room::judge(before, &usage, &self.0.settings.budget);
        self.0.metrics.measured(&usage, room.rank());
        if room != before {
            self.0.room.set(room);
            self.say(before, room, &usage).await?;
        }
        Ok(room)
    }

    async fn say(&self, before: Room, room: Room, usage: &Usage) -> Result<(), HistoryError> {
        let Usage { used_bytes, free_bytes, .. } = *usage;
        let (from, to) = (before.name(), room.name());
        match room {
            Room::Free => tracing::info!(used_bytes, free_bytes, "telemetry has room again"),
            Room::Tight => tracing::warn!(used_bytes, free_bytes, "telemetry's room is tight"),
            Room::Full => tracing::error!(
                used_bytes,
                free_bytes,
                "telemetry's room is full: blocks are refused, agents keep them. \
                 Shorten history.retention, raise history.budget or add room"
            ),
        }
        let entry = AuditEntry {
            at_ms: self.0.clock.now_ms(),
            actor: "system".into(),
            action: "history.room".into(),
            target: "telemetry".into(),
            decision: if room == Room::Full { Decision::Refused } else { Decision::Allowed },
            details: json!({"from": from, "to": to, "used_bytes": used_bytes, "free_bytes": free_bytes}),
            ..AuditEntry::default()
        };
        Ok(self.0.store.add_audit(&entry).await?)
    }

    async fn usage(&self) -> Result<Usage, HistoryError> {
        let database = self.0.store.room().await?;
        let held = self.0.store.history_held().await?;
        self.0.metrics.held(&held);
        let folder = self.0.objects.local_folder();
        let segments = if folder.is_some() { held.bytes } else { 0 };
        let free_bytes = free(folder.unwrap_or(&self.0.state));
        Ok(Usage {
            used_bytes: database.used_bytes.saturating_add(segments),
            free_bytes: free_bytes.saturating_add(database.free_bytes),
        })
    }
}

/// What the disk of a folder has left. A disk that can't be asked bounds nothing.
fn free(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget {
        bytes: Some(1000),
        soft_share: 0.8,
        hard_share: 0.95,
        free_bytes: 100,
        thin_beyond_days: None,
    };

    fn judged(before: Room, used_bytes: u64, free_bytes: u64) -> Room {
        Room::judge(before, &Usage { used_bytes, free_bytes }, &BUDGET)
    }

    #[test]
    fn room_is_tight_and_full_by_the_budget_and_by_the_disk() {
        assert_eq!(judged(Room::Free, 800, 5000), Room::Free);
        assert_eq!(judged(Room::Free, 801, 5000), Room::Tight);
        assert_eq!(judged(Room::Tight, 951, 5000), Room::Full);
        assert_eq!(judged(Room::Free, 10, 199), Room::Tight);
        assert_eq!(judged(Room::Free, 10, 99), Room::Full);
    }

    #[test]
    fn blocks_are_taken_again_only_with_some_relief() {
        assert_eq!(judged(Room::Full, 945, 5000), Room::Full);
        assert_eq!(judged(Room::Full, 929, 5000), Room::Tight);
        assert_eq!(judged(Room::Full, 10, 120), Room::Full);
        assert_eq!(judged(Room::Full, 10, 130), Room::Tight);
    }

    #[test]
    fn without_a_budget_what_the_disk_has_left_decides() {
        let budget = Budget { bytes: None, ..BUDGET };
        let judged = |free_bytes| {
            let usage = Usage { used_bytes: 1 << 40, free_bytes };
            Room::judge(Room::Free, &usage, &budget)
        };
        assert_eq!(judged(200), Room::Free);
        assert_eq!(judged(199), Room::Tight);
        assert_eq!(judged(99), Room::Full);
    }
}
