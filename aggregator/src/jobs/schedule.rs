//! What makes jobs at their times.

use super::{Cadence, Job, JobKind, Jobs, JobsError, NewJob};
use crate::access::OrganizationId;
use crate::record::Record;
use crate::sealing::SealingError;
use crate::store::StoreError;
use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

/// All in all; a further one is refused.
pub const MAX_SCHEDULES: u64 = 500;

#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub id: Uuid,
    pub organization: Option<OrganizationId>,
    pub name: String,
    pub kind: JobKind,
    pub parameters: Value,
    /// Sealed.
    pub(crate) secret: Option<Vec<u8>>,
    pub cadence: Cadence,
    pub enabled: bool,
    pub next_at_ms: u64,
    pub last_job: Option<Uuid>,
    pub requested_by: String,
    pub record: Record,
}

/// What a schedule is made of, or becomes.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    pub organization: Option<OrganizationId>,
    pub name: String,
    pub kind: JobKind,
    pub parameters: Value,
    pub secret: Option<Zeroizing<String>>,
    pub cadence: Cadence,
    pub enabled: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error("there are {MAX_SCHEDULES} schedules already")]
    Full,
    #[error("sealing the schedule's secret")]
    Sealing(#[from] SealingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Jobs {
    /// # Errors
    /// Where there are too many, or the store fails.
    pub async fn add_schedule(
        &self,
        new: NewSchedule,
        by: &crate::access::Caller,
    ) -> Result<Schedule, ScheduleError> {
        if self.store.count_schedules().await? >= MAX_SCHEDULES {
            return Err(ScheduleError::Full);
        }
        let (id, now_ms) = (self.clock.new_id(), self.clock.now_ms());
        let schedule = Schedule {
            id,
            secret: self.sealed(id, new.secret.as_deref())?,
            organization: new.organization,
            name: new.name,
            kind: new.kind,
            parameters: new.parameters,
            next_at_ms: new.cadence.next(now_ms),
            cadence: new.cadence,
            enabled: new.enabled,
            last_job: None,
            requested_by: by.email.clone(),
            record: Record::new(Some(by.user), now_ms),
        };
        self.store.add_schedule(&schedule).await?;
        Ok(schedule)
    }

    /// Replaces the schedule of this version; `None` where it is another by now. A secret that is
    /// not given stays.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn replace_schedule(
        &self,
        old: &Schedule,
        new: NewSchedule,
        by: &crate::access::Caller,
    ) -> Result<Option<Schedule>, ScheduleError> {
        let now_ms = self.clock.now_ms();
        let secret = match new.secret.as_deref() {
            Some(secret) => self.sealed(old.id, Some(secret))?,
            None => old.secret.clone(),
        };
        let schedule = Schedule {
            id: old.id,
            secret,
            organization: new.organization,
            name: new.name,
            kind: new.kind,
            parameters: new.parameters,
            next_at_ms: new.cadence.next(now_ms),
            cadence: new.cadence,
            enabled: new.enabled,
            last_job: old.last_job,
            requested_by: by.email.clone(),
            record: Record {
                updated_at_ms: now_ms,
                updated_by: Some(by.user),
                version: old.record.version + 1,
                ..old.record
            },
        };
        let replaced = self.store.replace_schedule(&schedule, old.record.version).await?;
        Ok(replaced.then_some(schedule))
    }

    /// Makes the jobs of the schedules that are due. One that was missed while no server ran comes
    /// once, not as often as it was missed.
    pub(crate) async fn make_due(&self) -> Result<Vec<Job>, JobsError> {
        let now_ms = self.clock.now_ms();
        let mut made = Vec::new();
        for schedule in self.store.due_schedules(now_ms).await? {
            let secret = match &schedule.secret {
                None => None,
                Some(sealed) => {
                    let plain = self.sealing.open_sealed(&schedule_secret(schedule.id), sealed)?;
                    Some(Zeroizing::new(String::from_utf8_lossy(&plain).into_owned()))
                }
            };
            let id = self.clock.new_id();
            let job = self.drawn_up(NewJob {
                id,
                kind: schedule.kind,
                organization: schedule.organization,
                target: match schedule.kind {
                    JobKind::Report => Some(format!("/api/v1/reports/{id}")),
                    JobKind::Backup => Some(format!("/api/v1/backups/{id}")),
                    JobKind::Reseal => None,
                },
                parameters: schedule.parameters.clone(),
                secret,
                schedule: Some(schedule.id),
                requested_by: schedule.requested_by.clone(),
                created_by: schedule.record.updated_by,
            })?;
            let next_at_ms = schedule.cadence.next(now_ms);
            // Another replica may have made it at the same moment.
            if self.store.make_scheduled(&schedule, &job, next_at_ms).await? {
                made.push(job);
            }
        }
        Ok(made)
    }

    fn sealed(&self, id: Uuid, secret: Option<&String>) -> Result<Option<Vec<u8>>, SealingError> {
        let seal = |secret: &String| self.sealing.seal(&schedule_secret(id), secret.as_bytes());
        secret.map(seal).transpose()
    }
}

fn schedule_secret(id: Uuid) -> String {
    format!("schedules.secret:{id}")
}
