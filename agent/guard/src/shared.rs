//! What the loop and the link both see: facts, counters, and the ring.

use crate::bus::Buses;
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::histogram::Histogram;
use crate::ring::Ring;
use flyball_guard_messages::{BoardInfo, Series};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) facts: Facts,
    /// The list of series, which grows only. The loop takes this lock when hardware has come,
    /// the link when somebody attaches.
    pub(crate) series: Mutex<Vec<Series>>,
    /// How many of them there are.
    pub(crate) series_count: AtomicUsize,
    /// What a person should know now: what of the policy has nothing to hold on to, and what has
    /// gone that is missed. The loop writes it when that changes.
    pub(crate) notes: Mutex<Vec<String>>,
    pub(crate) buses: Buses,
    pub(crate) evidence: Evidence,
    /// The loop only tries this lock; the link holds it for copying a batch.
    pub(crate) ring: Mutex<Ring>,
    pub(crate) meters: Meters,
    pub(crate) bell: Bell,
}

impl Shared {
    pub(crate) fn series(&self) -> MutexGuard<'_, Vec<Series>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, Vec<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends series; those who are attached are told before a record uses one.
    pub(crate) fn add_series(&self, series: impl IntoIterator<Item = Series>) {
        let mut list = self.series();
        list.extend(series);
        self.series_count.store(list.len(), Ordering::Release);
    }
}

/// What never changes in a run.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) run: Uuid,
    pub(crate) boot: Uuid,
    pub(crate) board: BoardInfo,
    pub(crate) remarks: Vec<String>,
    pub(crate) dry_run: bool,
}

#[derive(Debug)]
pub(crate) struct Meters {
    pub(crate) cycles: AtomicU64,
    pub(crate) cycle: Histogram,
    pub(crate) reaction: Histogram,
    pub(crate) late: Histogram,
}

impl Meters {
    pub(crate) fn new() -> Self {
        Self {
            cycles: AtomicU64::new(0),
            cycle: Histogram::new(),
            reaction: Histogram::new(),
            late: Histogram::new(),
        }
    }
}

/// Wakes the link from its poll.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?))
    }

    pub(crate) fn ring(&self) {
        // A full counter has rung already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(crate) fn silence(&self) {
        let mut count = [0; 8];
        // Nothing to read is silence too.
        let _ = rustix::io::read(&self.0, &mut count);
    }

    pub(crate) const fn fd(&self) -> &OwnedFd {
        &self.0
    }
}
