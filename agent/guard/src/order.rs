//! `flyball-guard order` and `flyball-guard self-test`: what a person at the machine asks of the
//! running guard, over its control socket. No aggregator and no agent is needed for it.

use crate::args::{Ladder, LockDeed, Order, OrderDeed, SelfTestArgs};
use crate::clock::Clock;
use crate::link;
use anyhow::{Context, Result, anyhow, bail};
use flyball_command::{
    Action, HeldStep, Lock, OperationId, Outcome, ResetType, ServiceVerb, Verdict,
};
use flyball_guard_messages::{Decoder, FromAgent, FromGuard, encode};
use flyball_units::{Hertz, Ratio, Watts};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the guard may take to answer, and what was asked to be seen.
const PATIENCE: Duration = Duration::from_secs(5);
const END_WITHIN: Duration = Duration::from_secs(30);
/// A self-test takes every step of the ladder, each with its time.
const TEST_WITHIN: Duration = Duration::from_secs(900);
/// How long a hold lasts where nobody says; the policy bounds it.
const HOLD_S: u64 = 60;

/// # Errors
/// Where no guard answers, or it refuses.
pub(crate) fn run(args: &Order) -> Result<()> {
    let wall_ms = Clock::start().wall_ms();
    let holds = matches!(args.deed, OrderDeed::Hold(_));
    let seconds = args.for_s.or(holds.then_some(HOLD_S));
    let until_ms = seconds.map(|seconds| wall_ms.saturating_add(seconds.saturating_mul(1000)));
    let action = action(&args.deed, until_ms)?;
    ask(&args.socket, action, until_ms, END_WITHIN)
}

/// # Errors
/// Where no guard answers, it refuses, or an actuator did not obey.
pub(crate) fn self_test(args: &SelfTestArgs) -> Result<()> {
    ask(&args.socket, Action::SelfTest, None, TEST_WITHIN)
}

fn ask(socket: &Path, action: Action, until_ms: Option<u64>, within: Duration) -> Result<()> {
    let control = link::control(socket);
    let mut conversation = Conversation::open(&control)?;
    let kind = action.kind();
    conversation.send(&FromAgent::Order { action, person: person(), until_ms })?;
    let verdict = match conversation.next(PATIENCE)? {
        Some(FromGuard::Ordered { operation, verdict }) => told(operation, verdict)?,
        // What is over as soon as it is answered is told with its end.
        Some(FromGuard::Ended(outcome)) => {
            told(outcome.operation, outcome.verdict.clone())?;
            return ended(kind, &outcome);
        }
        Some(other) => bail!("the guard answered something else: {other:?}"),
        None => bail!("the guard does not answer"),
    };
    if !verdict {
        return Ok(());
    }
    match conversation.next(within)? {
        Some(FromGuard::Ended(outcome)) => ended(kind, &outcome),
        Some(other) => bail!("the guard answered something else: {other:?}"),
        None => {
            println!("it has not come about yet; `flyball-guard status` shows where it stands");
            Ok(())
        }
    }
}

/// Prints an answer. True where something is to come about.
fn told(operation: OperationId, verdict: Verdict) -> Result<bool> {
    match verdict {
        Verdict::Accepted => println!("accepted"),
        Verdict::Clamped(clamp) => {
            println!("taken, but clamped to {} {} by {}", clamp.to, clamp.unit.ucum(), clamp.by);
        }
        Verdict::Armed(arming) => {
            println!("armed: {} ({})", arming.consequence, arming.target);
            println!("to carry it out: flyball-guard order confirm {operation}");
            return Ok(false);
        }
        Verdict::Refused(refusal) => {
            bail!("refused: {}; clears when {}", refusal.reason, refusal.clears_when)
        }
    }
    Ok(true)
}

fn ended(kind: &str, outcome: &Outcome) -> Result<()> {
    if !outcome.verified {
        return Err(anyhow!("{kind} was not seen to come about"));
    }
    match (outcome.state, outcome.observed) {
        (Some(state), _) => println!("done: it is seen {}", state.name()),
        (None, Some(value)) => println!("done: it reads back {value}"),
        (None, None) => println!("done"),
    }
    Ok(())
}

/// Who asks, for the guard's journal: the kernel says which user it is, this says which person.
fn person() -> String {
    ["SUDO_USER", "LOGNAME", "USER"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default()
}

fn action(deed: &OrderDeed, until_ms: Option<u64>) -> Result<Action> {
    Ok(match deed {
        OrderDeed::Cap { watts, actuator } => match watts {
            Some(watts) => Action::SetPowerCap { actuator: actuator.clone(), watts: Watts(*watts) },
            None => Action::ClearPowerCap { actuator: actuator.clone() },
        },
        OrderDeed::Fan { duty, actuator } => match duty {
            Some(duty) => Action::SetFanFloor { actuator: actuator.clone(), floor: Ratio(*duty) },
            None => Action::ClearFanFloor { actuator: actuator.clone() },
        },
        OrderDeed::Frequency { hertz, actuator } => match hertz {
            Some(hertz) => {
                Action::SetFrequencyCap { actuator: actuator.clone(), hertz: Hertz(*hertz) }
            }
            None => Action::ClearFrequencyCap { actuator: actuator.clone() },
        },
        OrderDeed::Switch { switch, verb } => {
            let reset = ResetType::from_name(verb).with_context(|| {
                let words: Vec<&str> = ResetType::ALL.into_iter().map(ResetType::name).collect();
                format!("`{verb}` is no verb of a switch; there are {}", words.join(", "))
            })?;
            Action::Reset { switch: switch.clone(), reset, expected: None }
        }
        OrderDeed::Confirm { operation } => {
            let operation = operation.parse().context("an operation is a UUID")?;
            Action::Confirm { operation }
        }
        OrderDeed::Profile { actuator, profile } => {
            Action::SetProfile { actuator: actuator.clone(), profile: profile.clone() }
        }
        OrderDeed::Service { service, verb } => {
            let verb = match verb.as_str() {
                "pause" => ServiceVerb::Pause,
                "resume" => ServiceVerb::Resume,
                "stop" => ServiceVerb::Stop,
                "start" => ServiceVerb::Start,
                other => bail!("`{other}` is none of pause, resume, stop, start"),
            };
            Action::SetService { service: service.clone(), verb }
        }
        OrderDeed::Lock(LockDeed::Set { name, owner, reason, target, levels }) => {
            Action::SetLock(Lock {
                name: name.clone(),
                owner: owner.clone(),
                reason: reason.clone(),
                target: target.clone(),
                until_ms,
                holds_levels: *levels,
            })
        }
        OrderDeed::Lock(LockDeed::Lift { name, owner, justification }) => Action::ReleaseLock {
            lock: name.clone(),
            owner: owner.clone(),
            justification: justification.clone(),
        },
        OrderDeed::Clear { limit, reason } => {
            Action::ClearTrip { limit: limit.clone(), reason: reason.clone() }
        }
        OrderDeed::Hold(Ladder { limit, from, reason }) => {
            let from = HeldStep::from_name(from).with_context(|| {
                let words: Vec<&str> = HeldStep::ALL.into_iter().map(HeldStep::name).collect();
                format!("`{from}` can't be held off; there are {}", words.join(", "))
            })?;
            Action::HoldLadder { limit: limit.clone(), from, reason: reason.clone() }
        }
        OrderDeed::Release { limit } => Action::ReleaseLadder { limit: limit.clone() },
    })
}

/// The control socket, and what comes from it.
struct Conversation {
    stream: UnixStream,
    decoder: Decoder,
}

impl Conversation {
    fn open(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path).with_context(|| {
            format!(
                "{} can't be opened; is flyball-guard running, and is this root?",
                path.display()
            )
        })?;
        Ok(Self { stream, decoder: Decoder::new() })
    }

    fn send(&mut self, message: &FromAgent) -> Result<()> {
        self.stream.write_all(&encode(message)?)?;
        Ok(())
    }

    /// The next message; `None` where none comes in time.
    fn next(&mut self, within: Duration) -> Result<Option<FromGuard>> {
        self.stream.set_read_timeout(Some(within))?;
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(message) = self.decoder.next()? {
                return Ok(Some(message));
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => bail!("the guard closed the connection"),
                Ok(length) => self.decoder.push(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("the guard does not answer"),
            }
        }
    }
}
