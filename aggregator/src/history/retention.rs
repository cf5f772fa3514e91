//! What becomes of segments with age: first their samples go, then their minutes, then they
//! themselves. The organization's own setting stands before the configuration's.

use super::compactor::Pass;
use super::segment::{SegmentWriter, Tier};
use super::settings::{Retention, days_before};
use super::{History, HistoryError, SegmentRow};
use crate::audit::{AuditEntry, Decision};
use crate::fleet::DeviceId;
use crate::store::Published;
use serde_json::json;

/// Segments that one pass thins or removes.
const SEGMENTS: u32 = 512;

impl History {
    /// The retention that holds: the organization's where it has set one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn retention(&self) -> Result<Retention, HistoryError> {
        Ok(self.0.store.retention().await?.unwrap_or(self.0.settings.retention))
    }

    /// Sets the organization's retention; `None` goes back to the configuration's.
    ///
    /// # Errors
    /// Where it contradicts itself or the database fails.
    pub async fn set_retention(&self, retention: Option<Retention>) -> Result<(), HistoryError> {
        if let Some(retention) = &retention {
            retention.check()?;
        }
        Ok(self.0.store.set_retention(retention.as_ref(), self.0.clock.now_ms()).await?)
    }

    /// Removes everything that a device has measured, in the database at once and in the object
    /// store with the next pass; the audit row says who asked. False where there is no such device.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn erase(
        &self,
        device: DeviceId,
        actor: &str,
        request_id: Option<&str>,
    ) -> Result<bool, HistoryError> {
        let now_ms = self.0.clock.now_ms();
        let entry = AuditEntry {
            at_ms: now_ms,
            actor: actor.into(),
            action: "telemetry.erase".into(),
            target: format!("device:{device}"),
            decision: Decision::Allowed,
            details: json!({}),
            request_id: request_id.map(Into::into),
            ..AuditEntry::default()
        };
        Ok(self.0.store.erase_telemetry(device, &entry, now_ms).await?)
    }

    /// Thins and removes what is past its time.
    pub(super) async fn retain(&self, pass: &mut Pass) -> Result<(), HistoryError> {
        let now_ms = self.0.clock.now_ms();
        let retention = self.retention().await?;
        let hours_ms = days_before(now_ms, retention.hours_days);
        pass.expired += self.0.store.expire_segments(hours_ms, now_ms, SEGMENTS).await?;
        let minutes_ms = days_before(now_ms, retention.minutes_days);
        self.thin(Tier::Hours, minutes_ms, pass).await?;
        let samples_ms = days_before(now_ms, self.samples_days(&retention));
        self.0.store.expire_rows(samples_ms, hours_ms).await?;
        self.0.store.drop_empty_days(now_ms).await?;
        self.thin(Tier::Minutes, samples_ms, pass).await
    }

    /// Under pressure samples go earlier, where the configuration allows it.
    fn samples_days(&self, retention: &Retention) -> u64 {
        match self.0.settings.budget.thin_beyond_days {
            Some(days) if self.room().is_tight() => days.min(retention.samples_days),
            Some(_) | None => retention.samples_days,
        }
    }

    async fn thin(&self, tier: Tier, before_ms: u64, pass: &mut Pass) -> Result<(), HistoryError> {
        for row in self.0.store.segments_to_thin(tier, before_ms, SEGMENTS).await? {
            match self.thinned(&row, tier).await {
                Ok(Published::Done) => pass.thinned += 1,
                Ok(Published::Overtaken) => pass.left += 1,
                Err(error) => {
                    pass.left += 1;
                    self.metrics().failures.inc();
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(object = row.object, error, "a segment could not be thinned");
                }
            }
        }
        Ok(())
    }

    /// The same segment with nothing finer than `tier`.
    async fn thinned(&self, row: &SegmentRow, tier: Tier) -> Result<Published, HistoryError> {
        let failed = |source| HistoryError::Segment { object: row.object.clone(), source };
        let segment = self.fetch(row, &[], tier).await?;
        let mut writer =
            SegmentWriter::new(row.window.device, row.window.from_ms, row.window.to_ms);
        for part in segment.parts() {
            writer.copy(&segment, &part, tier).map_err(failed)?;
        }
        let draft = self.redraft(writer, tier, row)?;
        self.establish(&draft).await
    }
}
