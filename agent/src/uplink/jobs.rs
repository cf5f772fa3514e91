//! Job streams: the aggregator opens one, says what is to be done, and reads events until the
//! job is done or it loses interest. A stream that the aggregator drops cancels its job.

use super::endpoint::MAX_JOB_STREAMS;
use super::wire::{FrameReader, FrameWriter, WireError};
use crate::logging::chain;
use flyball_link::{Connection, RecvStream, SendStream};
use flyball_protocol::message::{JobEvent, JobFailure, JobFailureKind, JobRequest};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A request comes with the stream; one that does not is no request.
const PATIENCE: Duration = Duration::from_secs(120);
/// Events that may wait for a slow aggregator; the plugin waits behind them.
const MAX_EVENTS: usize = 8;
/// How much longer than its deadline a job may need to say that it failed.
const GRACE: Duration = Duration::from_secs(1);

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What runs a job: it sends events until `Done` or `Failed`, and stops when it is dropped.
#[derive(Clone)]
pub(crate) struct JobRunner(Arc<dyn Fn(JobRequest, mpsc::Sender<JobEvent>) -> Job + Send + Sync>);

impl JobRunner {
    pub(crate) fn new<F>(
        run: impl Fn(JobRequest, mpsc::Sender<JobEvent>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |request, events| Box::pin(run(request, events))))
    }
}

impl std::fmt::Debug for JobRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JobRunner(..)")
    }
}

/// Serves job streams until the connection ends. Dropping the future cancels every job.
pub(super) async fn serve(connection: Connection, runner: JobRunner) {
    let mut jobs = JoinSet::new();
    // The transport's own bound on streams keeps the set as small.
    while let Ok((send, receive)) = connection.accept_bi().await {
        while jobs.try_join_next().is_some() {}
        if jobs.len() < MAX_JOB_STREAMS as usize {
            jobs.spawn(one(send, receive, runner.clone()));
        }
    }
}

async fn one(send: SendStream, receive: RecvStream, runner: JobRunner) {
    let mut writer = FrameWriter::new(send);
    let request = match request(receive).await {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!(error = %chain(&error), "a job stream brought no request");
            return writer.reset(&error);
        }
    };
    let plugin = request.plugin.clone();
    if let Err(error) = answer(&mut writer, request, runner).await {
        tracing::info!(plugin, error = %chain(&error), "a job was cancelled");
    }
}

async fn request(receive: RecvStream) -> Result<JobRequest, WireError> {
    let mut reader = FrameReader::of_job(receive);
    match tokio::time::timeout(PATIENCE, reader.next()).await {
        Ok(Ok(Some(request))) => Ok(request),
        Ok(Ok(None)) | Err(_) => Err(WireError::Ended),
        Ok(Err(error)) => Err(error),
    }
}

/// Relays the job's events. Leaving this function drops the job.
async fn answer(
    writer: &mut FrameWriter,
    request: JobRequest,
    runner: JobRunner,
) -> Result<(), WireError> {
    let deadline = Duration::from_millis(request.deadline_ms.into()) + GRACE;
    let (events, mut news) = mpsc::channel(MAX_EVENTS);
    let mut job = (runner.0)(request, events);
    let mut stopped = writer.stopped();
    let timer = tokio::time::sleep(deadline);
    tokio::pin!(timer);
    let mut running = true;
    let mut ended = false;
    while !ended {
        let event = tokio::select! {
            biased;
            () = &mut stopped => return Err(WireError::Ended),
            event = news.recv() => match event {
                Some(event) => event,
                None => failure(JobFailureKind::Internal, "The job ended without a result."),
            },
            () = &mut job, if running => {
                running = false;
                continue;
            }
            () = &mut timer => failure(JobFailureKind::Limit, "The job ran past its deadline."),
        };
        ended = matches!(event, JobEvent::Done | JobEvent::Failed(_));
        match writer.send_of_job(&event).await {
            Err(WireError::Encode(error)) => {
                let message = format!("A result is larger than a frame may be: {error}");
                writer.send(&failure(JobFailureKind::Limit, &message)).await?;
                ended = true;
            }
            sent => sent?,
        }
    }
    writer.finish();
    Ok(())
}

fn failure(kind: JobFailureKind, message: &str) -> JobEvent {
    let diagnostics = Vec::new();
    JobEvent::Failed(JobFailure { kind, message: message.to_owned(), diagnostics })
}
