//! The thread that runs commands: each a child process with a time to live.

use super::service::{self, Service};
use super::{Host, Job, POWER, power};
use crate::sources::{Change, Sources};
use flyball_driver_messages::{ActuatorState, DeedError, DeedFault};
use flyball_safety::HostLevel;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How often running commands are looked at.
const LOOK: Duration = Duration::from_millis(50);

const MAX_PRINTED_BYTES: u64 = 4096;

pub(super) struct Runner {
    host: Host,
    sources: Sources,
    inbox: Receiver<Job>,
    running: Vec<Running>,
}

/// A command on its way.
struct Running {
    request: u64,
    program: String,
    child: Child,
    until: Duration,
    then: Then,
}

/// What its success means.
enum Then {
    State(ActuatorState),
    /// The service is looked at.
    Look(Service),
    /// What it prints is where the service stands.
    Shown,
}

impl Runner {
    pub(super) fn new(host: Host, sources: Sources, inbox: Receiver<Job>) -> Self {
        Self { host, sources, inbox, running: Vec::new() }
    }

    pub(super) fn run(mut self) {
        loop {
            let job = match self.running.is_empty() {
                true => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                false => self.inbox.recv_timeout(LOOK),
            };
            match job {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look();
        }
    }

    fn take(&mut self, job: Job) {
        let (request, started) = match job {
            Job::Level { request, level, limit } => (request, self.reach(request, level, &limit)),
            Job::Errand(errand) => {
                let started = if errand.actuator == POWER {
                    match power(&self.host, &errand.deed) {
                        Some((command, state)) => {
                            let then = Then::State(ActuatorState::Power(state));
                            let command = command.to_vec();
                            self.spawn(errand.request, &command, &[], then)
                        }
                        None => Err(unsupported("the machine has no command for it")),
                    }
                } else {
                    match service::of(&self.host, &errand) {
                        Some((command, service)) => {
                            self.spawn(errand.request, &command, &[], Then::Look(service))
                        }
                        None => Err(unsupported("the service is not in the allow-list")),
                    }
                };
                (errand.request, started)
            }
        };
        if let Err(error) = started {
            self.tell(request, Err(error));
        }
    }

    fn reach(&mut self, request: u64, level: HostLevel, limit: &str) -> Result<(), DeedError> {
        let Some(command) = self.host.command(level).map(<[String]>::to_vec) else {
            return Err(unsupported("the policy names no command for it"));
        };
        let environment =
            [("FLYBALL_LEVEL", format!("{level:?}")), ("FLYBALL_LIMIT", limit.to_owned())];
        let then = Then::State(ActuatorState::Word(format!("{level:?}")));
        self.spawn(request, &command, &environment, then)
    }

    fn spawn(
        &mut self,
        request: u64,
        command: &[String],
        environment: &[(&str, String)],
        then: Then,
    ) -> Result<(), DeedError> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(unsupported("its command is empty"));
        };
        let child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().map(|(key, value)| (*key, value.as_str())))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(if matches!(then, Then::Shown) { Stdio::piped() } else { Stdio::null() })
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                let message = format!("{program} can't be started: {error}");
                DeedError::new(DeedFault::Failed, message)
            })?;
        let until = self.sources.clock().now() + self.host.within;
        self.running.push(Running { request, program: program.clone(), child, until, then });
        Ok(())
    }

    /// Ends the commands that are through, and those whose time is over.
    fn look(&mut self) {
        let now = self.sources.clock().now();
        let mut index = 0;
        while let Some(running) = self.running.get_mut(index) {
            let outcome = match running.child.try_wait() {
                Ok(None) if now < running.until => {
                    index += 1;
                    continue;
                }
                Ok(None) => {
                    end(&mut running.child);
                    Err(format!("{} did not end in its time and was killed", running.program))
                }
                Ok(Some(status)) if status.success() => Ok(()),
                Ok(Some(status)) => Err(format!("{} ended with {status}", running.program)),
                Err(error) => Err(format!("{} is lost: {error}", running.program)),
            };
            let Running { request, then, mut child, .. } = self.running.swap_remove(index);
            let outcome = outcome.map_err(|message| DeedError::new(DeedFault::Failed, message));
            let outcome = match (outcome, then) {
                (Err(error), _) => Err(error),
                (Ok(()), Then::State(state)) => Ok(state),
                (Ok(()), Then::Shown) => Ok(service::state(&printed(&mut child))),
                (Ok(()), Then::Look(service)) => {
                    let command = service.shows(&self.host);
                    match self.spawn(request, &command, &[], Then::Shown) {
                        Ok(()) => continue,
                        Err(error) => Err(error),
                    }
                }
            };
            self.tell(request, outcome);
        }
    }

    fn tell(&self, request: u64, outcome: Result<ActuatorState, DeedError>) {
        // The guard ends: nobody waits for it any more.
        let _ = self.sources.tell(Change::Done { request, outcome });
    }
}

/// What a child that has ended printed, as far as it matters.
fn printed(child: &mut Child) -> String {
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        // What can't be read shows nothing, and nothing is *stopped*: never what was asked for.
        let _ = stdout.take(MAX_PRINTED_BYTES).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn end(child: &mut Child) {
    // It may have ended by itself in this moment; either way it is collected.
    let _ = child.kill();
    let _ = child.wait();
}

fn unsupported(message: &str) -> DeedError {
    DeedError::new(DeedFault::Unsupported, message)
}
