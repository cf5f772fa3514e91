//! Hardware that was pulled out and is missed: its limits hold their zones in failsafe, and a
//! person is told of both ways out.

use super::Cycle;
use crate::words::Now;
use flyball_guard_messages::{EventKind, Severity};

impl Cycle {
    /// Of a sensor that is gone, what it holds in failsafe; `None` where nothing misses it.
    fn missed(&self, slot: usize) -> Option<String> {
        let entry = self.catalog.sensors.get(slot).filter(|entry| !entry.present)?;
        let sensor = (*self.names.watched.get(slot)?)?;
        let limits = self.engine.config().plan().limits.iter().zip(&self.names.limits);
        let holding: Vec<&str> = limits
            .filter(|(spec, _)| spec.sensors.contains(&sensor) && !spec.missing_ok)
            .map(|(_, name)| name.name.as_str())
            .collect();
        if holding.is_empty() {
            return None;
        }
        let id = &entry.id;
        Some(format!(
            "{id} is gone, and {} may be in failsafe until it is back: put it back, or allow its \
             absence in the policy, by missing_ok = [\"{id}\"] or in its limit; that takes no restart",
            holding.join(", ")
        ))
    }

    /// Says of what has just gone what it leaves behind.
    pub(super) fn tell_missed(&mut self, gone: &[String], now: Now) {
        let slots = 0..self.catalog.sensors.len();
        let just_gone = slots.filter(|slot| gone.contains(&self.catalog.sensors[*slot].id));
        let lines: Vec<String> = just_gone.filter_map(|slot| self.missed(slot)).collect();
        for line in lines {
            let (kind, severity) = (EventKind::HardwareChanged, Severity::Critical);
            self.record_plain(kind, severity, "machine", line, now);
        }
        self.note();
    }

    /// Leaves what a person should know now where the status finds it.
    pub(super) fn note(&self) {
        let missed = (0..self.catalog.sensors.len()).filter_map(|slot| self.missed(slot));
        let notes = self.remarks.iter().cloned().chain(missed).collect();
        *self.shared.notes() = notes;
    }
}
