//! Sockets and processes around the supervisor: one thread, one `poll`.
//!
//! One agent is served at a time, and a new connection takes the place of the old one. Every
//! connection begins with nothing loaded, so that agent and runner may restart in any order.

use crate::clock::{Clock, Ms};
use crate::link::{Link, LinkError};
use crate::process::{Code, Incoming, Process};
use crate::supervisor::{Action, Supervisor};
use flyball_plugin_host::engine::ENGINE;
use flyball_plugin_messages::frame::MAX_FRAME_BYTES;
use flyball_plugin_messages::{FromPlugin, FromRunner, PluginId, ToRunner, VERSION, World};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// While more than this waits for the agent, plugins wait too.
const BACKLOG_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("another runner already listens on this socket")]
    Taken,
    #[error("the socket can't be made")]
    Listen(#[source] io::Error),
    #[error("waiting for sockets failed")]
    Poll(#[source] io::Error),
}

pub(crate) fn run(socket: &Path) -> Result<(), RunError> {
    let listener = listen(socket)?;
    let clock = Clock::start();
    let mut agent: Option<Session> = None;
    eprintln!("info ready socket={} engine={ENGINE}", socket.display());
    loop {
        let timeout = agent.as_ref().and_then(Session::timeout).map(|at| clock.now().until(at));
        let ready = wait(&listener, agent.as_ref(), timeout).map_err(RunError::Poll)?;
        if ready.connection {
            agent = accept(&listener).or(agent);
        }
        let Some(session) = &mut agent else {
            continue;
        };
        if let Err(error) = session.go_on(&ready, clock.now()) {
            eprintln!("info the agent's connection ends reason={error:?}");
            agent = None;
        }
    }
}

fn listen(socket: &Path) -> Result<UnixListener, RunError> {
    if UnixStream::connect(socket).is_ok() {
        return Err(RunError::Taken);
    }
    match std::fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(RunError::Listen(error)),
    }
    let listener = UnixListener::bind(socket).map_err(RunError::Listen)?;
    listener.set_nonblocking(true).map_err(RunError::Listen)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o660))
        .map_err(RunError::Listen)?;
    Ok(listener)
}

fn accept(listener: &UnixListener) -> Option<Session> {
    let session = listener.accept().map_err(LinkError::Socket).and_then(|(stream, _)| {
        eprintln!("info an agent connected");
        Session::open(stream)
    });
    session.inspect_err(|error| eprintln!("warn a connection failed error={error:?}")).ok()
}

/// What `poll` found.
#[derive(Debug)]
struct Ready {
    connection: bool,
    agent: PollFlags,
    plugins: Vec<(PluginId, PollFlags)>,
}

fn wait(
    listener: &UnixListener,
    agent: Option<&Session>,
    timeout_ms: Option<u64>,
) -> io::Result<Ready> {
    let mut watched = vec![PollFd::new(listener, PollFlags::IN)];
    if let Some(session) = agent {
        watched.push(PollFd::new(&session.agent, session.agent.interest(true)));
        let listening = session.agent.backlog_bytes() < BACKLOG_BYTES;
        watched.extend(
            session.processes.values().map(|p| PollFd::new(&p.link, p.link.interest(listening))),
        );
    }
    let timeout = timeout_ms.map(|ms| Timespec {
        tv_sec: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(ms % 1000 * 1_000_000).unwrap_or(0),
    });
    match poll(&mut watched, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut found = watched.iter().map(PollFd::revents);
    let connection = found.next().is_some_and(|flags| !flags.is_empty());
    let flags = found.next().unwrap_or(PollFlags::empty());
    let plugins = agent.into_iter().flat_map(|session| session.processes.keys().cloned());
    Ok(Ready { connection, agent: flags, plugins: plugins.zip(found).collect() })
}

/// One agent's connection and everything that was started for it.
#[derive(Debug)]
struct Session {
    agent: Link,
    supervisor: Supervisor,
    incoming: BTreeMap<PluginId, (World, Incoming)>,
    codes: BTreeMap<PluginId, Code>,
    processes: BTreeMap<PluginId, Process>,
}

impl Session {
    fn open(stream: UnixStream) -> Result<Self, LinkError> {
        let mut agent = Link::new(stream, MAX_FRAME_BYTES).map_err(LinkError::Socket)?;
        agent.send(&FromRunner::Hello { version: VERSION, engine: ENGINE.to_owned() })?;
        Ok(Self {
            agent,
            supervisor: Supervisor::default(),
            incoming: BTreeMap::new(),
            codes: BTreeMap::new(),
            processes: BTreeMap::new(),
        })
    }

    fn timeout(&self) -> Option<Ms> {
        self.supervisor.poll_timeout()
    }

    /// An error ends the connection.
    fn go_on(&mut self, ready: &Ready, now: Ms) -> Result<(), LinkError> {
        if ready.agent.contains(PollFlags::OUT) {
            self.agent.flush()?;
        }
        if ready.agent.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            self.agent.fill()?;
            while let Some(message) = self.agent.next()? {
                self.obey(message, now);
                self.act(now)?;
            }
        }
        for (plugin, flags) in &ready.plugins {
            if !flags.is_empty() {
                self.attend(plugin, *flags, now);
                self.act(now)?;
            }
        }
        self.supervisor.handle_timeout(now);
        self.act(now)
    }

    fn obey(&mut self, message: ToRunner, now: Ms) {
        match message {
            ToRunner::Load { plugin, world } => {
                let kept = Incoming::begin();
                self.keep(plugin, kept.map(|incoming| (world, incoming)));
            }
            ToRunner::Code { plugin, part } => {
                // Without a beginning it is what follows code that could not be kept.
                if let Some((world, mut incoming)) = self.incoming.remove(&plugin) {
                    let kept = incoming.push(&part);
                    self.keep(plugin, kept.map(|()| (world, incoming)));
                }
            }
            ToRunner::Seal { plugin } => match self.incoming.remove(&plugin) {
                Some((world, incoming)) => self.seal(plugin, world, incoming, now),
                None => self.supervisor.handle_refusal(plugin, "the runner can't keep its code"),
            },
            ToRunner::Unload { plugin } => {
                self.supervisor.handle_unload(&plugin);
                self.incoming.remove(&plugin);
                self.codes.remove(&plugin);
            }
            ToRunner::Call { call, plugin, deadline_ms, context, request } => {
                let asked = (context, request);
                self.supervisor.handle_call(&plugin, call, deadline_ms, asked, now);
            }
            ToRunner::Answer { call, answer } => self.supervisor.handle_answer(call, answer),
            ToRunner::Cancel { call } => self.supervisor.handle_cancel(call, now),
        }
    }

    fn keep(&mut self, plugin: PluginId, incoming: io::Result<(World, Incoming)>) {
        match incoming {
            Ok(incoming) => {
                self.incoming.insert(plugin, incoming);
            }
            Err(error) => eprintln!("error code can't be kept plugin={plugin} error={error}"),
        }
    }

    fn seal(&mut self, plugin: PluginId, world: World, incoming: Incoming, now: Ms) {
        match incoming.seal() {
            Ok(sealed) => {
                self.codes.insert(plugin.clone(), sealed);
                self.supervisor.handle_load(plugin, world, now);
            }
            Err(error) => {
                eprintln!("error code can't be sealed plugin={plugin} error={error}");
                self.supervisor.handle_refusal(plugin, "the runner can't seal its code");
            }
        }
    }

    fn attend(&mut self, plugin: &PluginId, flags: PollFlags, now: Ms) {
        let Some(process) = self.processes.get_mut(plugin) else {
            return;
        };
        let mut outcome = Ok(());
        if flags.contains(PollFlags::OUT) {
            outcome = process.link.flush();
        }
        if outcome.is_ok() && flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            outcome = process.link.fill();
        }
        // What came before the end is heard before the end.
        loop {
            match process.link.next::<FromPlugin>() {
                Ok(Some(message)) => self.supervisor.handle_message(plugin, message, now),
                Ok(None) => break,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if let Err(error) = outcome
            && let Some(process) = self.processes.remove(plugin)
        {
            let how = match error {
                LinkError::Ended | LinkError::Socket(_) => process.end(),
                LinkError::Frame(error) => {
                    process.end();
                    error.to_string()
                }
            };
            eprintln!("warn a plugin's process ended plugin={plugin} how={how:?}");
            self.supervisor.handle_end(plugin, &how, now);
        }
    }

    fn act(&mut self, now: Ms) -> Result<(), LinkError> {
        while let Some(action) = self.supervisor.poll_action() {
            match action {
                Action::Send(message) => self.agent.send(&message)?,
                Action::Kill(plugin) => {
                    if let Some(process) = self.processes.remove(&plugin) {
                        process.end();
                    }
                }
                Action::Start(plugin) => self.start(plugin, now),
                Action::Tell(plugin, message) => self.tell(&plugin, &message, now),
            }
        }
        Ok(())
    }

    fn start(&mut self, plugin: PluginId, now: Ms) {
        let Some(code) = self.codes.get(&plugin) else {
            return self.supervisor.handle_end(&plugin, "there is no code for it", now);
        };
        match Process::start(&plugin.0, code) {
            Ok(process) => {
                self.processes.insert(plugin, process);
            }
            Err(error) => {
                let how = format!("it can't be started: {error}");
                eprintln!(
                    "error a plugin's process can't be started plugin={plugin} error={error}"
                );
                self.supervisor.handle_end(&plugin, &how, now);
            }
        }
    }

    fn tell(&mut self, plugin: &PluginId, message: &flyball_plugin_messages::ToPlugin, now: Ms) {
        let Some(process) = self.processes.get_mut(plugin) else {
            return;
        };
        if let Err(error) = process.link.send(message)
            && let Some(process) = self.processes.remove(plugin)
        {
            let how = format!("{error}, {}", process.end());
            self.supervisor.handle_end(plugin, &how, now);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for process in std::mem::take(&mut self.processes).into_values() {
            process.end();
        }
    }
}
