//! One renderer's job, from order to result.

use super::{MAX_PICTURE_BYTES, MediaError, Picture};
use crate::fleet::sessions::{SendError, Target};
use crate::fleet::{DeviceId, Sessions};
use flyball_protocol::message::{Diagnostic, Job, JobEvent, JobFailureKind, JobRequest};

/// How long a machine may take. Answers wait a little longer than that.
const DEADLINE_MS: u32 = 15_000;
const MAX_DIAGNOSTICS: usize = 100;

pub(super) struct Order {
    pub(super) device: DeviceId,
    pub(super) plugin: String,
    pub(super) job: Job,
}

#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) picture: Option<Picture>,
}

pub(super) async fn run(sessions: &Sessions, order: &Order) -> Result<Done, MediaError> {
    let (plugin, job) = (order.plugin.clone(), order.job.clone());
    let request = JobRequest { deadline_ms: DEADLINE_MS, plugin: plugin.clone(), job };
    let mut events =
        sessions.run_job(Target::Device(order.device), request).map_err(|error| match error {
            SendError::Busy(_) => MediaError::Busy,
            SendError::Offline(_) | SendError::NoPlugin(_) => {
                MediaError::NoPlugin { format: plugin.clone(), waiting: Vec::new() }
            }
        })?;
    let mut done = Done::default();
    while let Some(event) = events.next().await {
        match event {
            JobEvent::Diagnostics(diagnostics) => {
                let room = MAX_DIAGNOSTICS.saturating_sub(done.diagnostics.len());
                done.diagnostics.extend(diagnostics.into_iter().take(room));
            }
            JobEvent::Image { mime_type, width, height, bytes }
                if bytes.len() <= MAX_PICTURE_BYTES =>
            {
                let plugin = plugin.clone();
                done.picture =
                    Some(Picture { mime_type, width, height, bytes, plugin, key: String::new() });
            }
            JobEvent::Failed(failure) if failure.kind == JobFailureKind::InvalidInput => {
                done.diagnostics.extend(failure.diagnostics.clone());
                if done.diagnostics.is_empty() {
                    return Err(MediaError::Failed { plugin, failure });
                }
                return Err(MediaError::Faulty(done.diagnostics));
            }
            JobEvent::Failed(failure) if failure.kind == JobFailureKind::Unavailable => {
                return Err(MediaError::NoPlugin {
                    format: plugin,
                    waiting: vec![failure.message],
                });
            }
            JobEvent::Failed(failure) => return Err(MediaError::Failed { plugin, failure }),
            JobEvent::Done
            | JobEvent::Image { .. }
            | JobEvent::Progress { .. }
            | JobEvent::Entries { .. }
            | JobEvent::Detail { .. }
            | JobEvent::Component(_)
            | JobEvent::Lacking(_)
            | JobEvent::Shelf(_)
            | JobEvent::Item { .. } => {}
        }
    }
    Ok(done)
}
