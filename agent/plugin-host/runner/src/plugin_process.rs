//! The process of one plugin: loads its code, shuts itself in, answers one call after another.
//!
//! Its standard input is the socket to the supervisor, its standard output the sealed memory
//! file with the code. When the socket ends, so does it.

use flyball_plugin_host::{Cost, Outside, Plugin, confinement};
use flyball_plugin_messages::frame::{Decoder, FrameError, MAX_FRAME_BYTES, encode};
use flyball_plugin_messages::{Answer, Ask, Event, Failure, FailureKind, FromPlugin, ToPlugin};
use std::cell::RefCell;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;

const CODE: &str = "/proc/self/fd/1";

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("the socket to the supervisor can't be used")]
    Socket(#[source] io::Error),
    #[error("the supervisor can't be understood")]
    Frame(#[source] FrameError),
    #[error("the process can't be confined")]
    Confinement(#[source] confinement::ConfinementError),
    #[error("the supervisor spoke out of turn")]
    Order,
    #[error("the supervisor went away in the middle of a call")]
    Gone,
}

pub(crate) fn run() -> Result<(), ProcessError> {
    confinement::follow_parent().map_err(ProcessError::Confinement)?;
    confinement::yield_to_others().map_err(ProcessError::Confinement)?;
    let mut supervisor = Supervisor::attach()?;
    let world = match supervisor.receive()? {
        Some(ToPlugin::World(world)) => world,
        Some(ToPlugin::Call { .. } | ToPlugin::Answer(_)) => return Err(ProcessError::Order),
        None => return Ok(()),
    };
    let plugin = match Plugin::load(Path::new(CODE), world) {
        Ok(plugin) => plugin,
        Err(error) => return supervisor.send(&FromPlugin::NotLoaded { reason: error.chain() }),
    };
    if let confinement::Landlock::Absent =
        confinement::confine_plugin().map_err(ProcessError::Confinement)?
    {
        eprintln!("info landlock is absent, the list of system calls stands alone");
    }
    supervisor.send(&FromPlugin::Ready)?;
    let line = Rc::new(Line(RefCell::new((supervisor, Ok(())))));
    let outside: Rc<dyn Outside> = Rc::clone(&line) as Rc<dyn Outside>;
    while let Some(message) = line.receive()? {
        let ToPlugin::Call { deadline_ms, context, request } = message else {
            return Err(ProcessError::Order);
        };
        plugin.call(request, context, deadline_ms, &outside);
        line.settle()?;
    }
    Ok(())
}

/// The supervisor as a call reaches it, and the first thing that went wrong with it: a guest can
/// do nothing about that.
struct Line(RefCell<(Supervisor, Result<(), ProcessError>)>);

impl Line {
    fn receive(&self) -> Result<Option<ToPlugin>, ProcessError> {
        self.0.borrow_mut().0.receive()
    }

    /// The fault of a call that has ended.
    fn settle(&self) -> Result<(), ProcessError> {
        std::mem::replace(&mut self.0.borrow_mut().1, Ok(()))
    }

    fn tell(&self, message: &FromPlugin) {
        let (supervisor, state) = &mut *self.0.borrow_mut();
        if state.is_ok() {
            *state = supervisor.send(message);
        }
    }
}

impl Outside for Line {
    fn event(&self, event: Event) {
        self.tell(&FromPlugin::Event(event));
    }

    fn cost(&self, cost: Cost) {
        self.tell(&FromPlugin::Cost { memory_bytes: cost.memory_bytes });
    }

    fn ask(&self, ask: Ask) -> Answer {
        let (supervisor, state) = &mut *self.0.borrow_mut();
        if state.is_ok() {
            let answered = supervisor.send(&FromPlugin::Ask(ask));
            match answered.and_then(|()| supervisor.receive()) {
                Ok(Some(ToPlugin::Answer(answer))) => return answer,
                Ok(Some(ToPlugin::World(_) | ToPlugin::Call { .. })) => {
                    *state = Err(ProcessError::Order);
                }
                // The supervisor has gone, and this process goes with it.
                Ok(None) => *state = Err(ProcessError::Gone),
                Err(error) => *state = Err(error),
            }
        }
        let why = "the agent can't be asked any more";
        Answer::Refused(Failure::new(FailureKind::Unavailable, why))
    }
}

struct Supervisor {
    stream: UnixStream,
    decoder: Decoder,
}

impl Supervisor {
    fn attach() -> Result<Self, ProcessError> {
        let socket = io::stdin().as_fd().try_clone_to_owned().map_err(ProcessError::Socket)?;
        Ok(Self { stream: UnixStream::from(socket), decoder: Decoder::new(MAX_FRAME_BYTES) })
    }

    /// `None` at the end.
    fn receive(&mut self) -> Result<Option<ToPlugin>, ProcessError> {
        let mut buffer = [0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.decode().map_err(ProcessError::Frame)? {
                return Ok(Some(message));
            }
            match self.stream.read(&mut buffer).map_err(ProcessError::Socket)? {
                0 => return Ok(None),
                count => self.decoder.push(&buffer[..count]),
            }
        }
    }

    fn send(&mut self, message: &FromPlugin) -> Result<(), ProcessError> {
        let frame = encode(message, MAX_FRAME_BYTES).map_err(ProcessError::Frame)?;
        self.stream.write_all(&frame).map_err(ProcessError::Socket)
    }
}
