//! Who may command this machine: the pinned key, the counter on disk, and the clock.
//!
//! Nothing in here knows a limit. What passes is a proposal like any other; the engine answers
//! it. It runs on the link's thread, because signatures and syncs take their time.

mod pin;

use crate::durable;
use crate::words::{Now, whole_ms};
use flyball_command::{Command, OperationId, Refusal, RefusalKind, SignatureError, SignedCommand};
use flyball_units::Origin;
use pin::Pin;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "commands.toml";
/// What a wall clock may lag behind the mark without having been set back.
const CLOCK_SLACK_MS: u64 = 2_000;

/// What outlives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// The highest counter of a command that was taken up.
    counter: u64,
    /// How late it was then.
    wall_ms: u64,
}

/// How late it is at least: what the wall clock showed when a command was taken up, and the
/// monotonic time since. What the clock shows between commands proves nothing, or one moment at
/// which it ran ahead would stand against every later command.
#[derive(Clone, Copy, Debug)]
struct Mark {
    wall_ms: u64,
    mono: Duration,
}

impl Mark {
    fn at(self, mono: Duration) -> u64 {
        self.wall_ms.saturating_add(whole_ms(mono.saturating_sub(self.mono)))
    }
}

/// Opens signed commands.
#[derive(Debug)]
pub(crate) struct Authority {
    pin_file: Option<PathBuf>,
    pin: Option<Pin>,
    state_file: PathBuf,
    seen: Result<Seen, String>,
    mark: Mark,
}

impl Authority {
    pub(crate) fn new(pin_file: Option<PathBuf>, state: &Path) -> Self {
        let state_file = state.join(FILE);
        let seen = match durable::read(&state_file) {
            Ok(None) => Ok(Seen::default()),
            Ok(Some(text)) => toml::from_str(&text).map_err(|error| error.message().to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let wall_ms = seen.as_ref().map_or(0, |seen| seen.wall_ms);
        let mark = Mark { wall_ms, mono: Duration::ZERO };
        Self { pin_file, pin: None, state_file, seen, mark }
    }

    /// The command, if the pinned key signed it for this machine, now, and for the first time.
    /// Its counter is on disk before it is given back.
    ///
    /// # Errors
    /// The refusal, in the words that the operator reads.
    pub(crate) fn open(
        &mut self,
        operation: OperationId,
        signed: &SignedCommand,
        now: Now,
    ) -> Result<Command, Box<Refusal>> {
        let pin = self.pinned()?;
        let command = pin.key.open(signed).map_err(|error| unreadable(&error))?;
        if command.device != pin.device {
            return Err(unauthorised("the command is for another machine"));
        }
        if command.origin == Origin::Local {
            return Err(unauthorised("what is asked at the machine comes by no wire"));
        }
        if command.operation != operation {
            return Err(unauthorised("the command is for another operation"));
        }
        let seen = self.seen.as_ref().map_err(|cause| {
            let file = self.state_file.display();
            unauthorised(&format!(
                "the guard can't read {file}, so that it could not tell a repeated command \
                 ({cause}); remove it on the machine if that is acceptable"
            ))
        })?;
        if command.counter <= seen.counter {
            let reason = format!(
                "the command's counter is {}, and {} has been taken up already",
                command.counter, seen.counter
            );
            return Err(refusal(RefusalKind::Replayed, &reason, "a new command is issued"));
        }
        self.check_time(&command, now)?;
        self.keep(command.counter, now)?;
        Ok(command)
    }

    /// A clock that was set back makes no command younger: it is judged by the mark then.
    fn check_time(&self, command: &Command, now: Now) -> Result<(), Box<Refusal>> {
        let (wall_ms, mark_ms) = (now.wall_ms, self.mark.at(now.mono));
        if mark_ms.saturating_sub(CLOCK_SLACK_MS) > wall_ms.max(command.not_after_ms) {
            let reason = format!(
                "the command has expired, though the machine's clock says otherwise: it stands \
                 {} s before what it showed and the time since",
                (mark_ms - wall_ms) / 1000
            );
            return Err(refusal(RefusalKind::Expired, &reason, "the machine's clock is right"));
        }
        if wall_ms > command.not_after_ms {
            let late = (wall_ms - command.not_after_ms) as f64 / 1e3;
            let reason = format!("the command came {late:.1} s after it expired");
            return Err(refusal(RefusalKind::Expired, &reason, "a new command is issued"));
        }
        Ok(())
    }

    fn keep(&mut self, counter: u64, now: Now) -> Result<(), Box<Refusal>> {
        let wall_ms = now.wall_ms.max(self.mark.at(now.mono));
        let seen = Seen { counter, wall_ms };
        let written = toml::to_string(&seen)
            .map_err(std::io::Error::other)
            .and_then(|text| durable::replace(&self.state_file, text.as_bytes()));
        match written {
            Ok(()) => {
                self.seen = Ok(seen);
                self.mark = Mark { wall_ms, mono: now.mono };
                Ok(())
            }
            Err(error) => {
                let reason = format!(
                    "the guard can't keep the command's counter in {}: {error}",
                    self.state_file.display()
                );
                Err(refusal(RefusalKind::Busy, &reason, "the machine's disk can be written"))
            }
        }
    }

    /// The pin; the file is read when a command comes and there is none yet.
    fn pinned(&mut self) -> Result<&Pin, Box<Refusal>> {
        if self.pin.is_none() {
            let read = match &self.pin_file {
                Some(file) => Pin::read(file),
                None => Err("the guard was started without --pin".to_owned()),
            };
            let pin = read.map_err(|cause| {
                unauthorised(&format!("no command key is pinned on the machine: {cause}"))
            })?;
            self.pin = Some(pin);
        }
        self.pin.as_ref().ok_or_else(|| unauthorised("no command key is pinned"))
    }
}

fn unreadable(error: &SignatureError) -> Box<Refusal> {
    unauthorised(&format!("the command can't be opened: {error}"))
}

fn unauthorised(reason: &str) -> Box<Refusal> {
    refusal(RefusalKind::Unauthorised, reason, "a command signed for this machine is issued")
}

/// A refusal that has nothing to do with a limit.
pub(crate) fn refusal(kind: RefusalKind, reason: &str, clears_when: &str) -> Box<Refusal> {
    Box::new(Refusal {
        kind,
        interlock: String::new(),
        reading: None,
        limit: None,
        unit: None,
        since_ms: None,
        clears_when: clears_when.to_owned(),
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_command::{Action, CommandKey, DeviceId};
    use flyball_units::Watts;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use uuid::Uuid;

    const OPERATION: OperationId = OperationId(Uuid::from_u128(2));

    struct Bench {
        folder: tempfile::TempDir,
        key: CommandKey,
    }

    impl Bench {
        fn new() -> Self {
            let bench = Self {
                folder: tempfile::tempdir().unwrap(),
                key: CommandKey::from_bytes(&[7; 32]),
            };
            let device = Uuid::from_u128(1);
            let pin = format!(
                "device = \"{device}\"\ncommand_key = \"{}\"\n",
                bench.key.public().to_hex()
            );
            fs::write(bench.pin_file(), pin).unwrap();
            fs::set_permissions(bench.pin_file(), fs::Permissions::from_mode(0o600)).unwrap();
            bench
        }

        fn pin_file(&self) -> PathBuf {
            self.folder.path().join("pin.toml")
        }

        fn authority(&self) -> Authority {
            Authority::new(Some(self.pin_file()), self.folder.path())
        }

        fn signed(&self, device: u128, counter: u64) -> SignedCommand {
            let command = Command {
                device: DeviceId(Uuid::from_u128(device)),
                operation: OPERATION,
                counter,
                not_after_ms: 10_000,
                action: Action::SetPowerCap { actuator: None, watts: Watts(150.0) },
                issuer: "operator@example.org".into(),
                origin: Origin::Remote,
                until_ms: None,
            };
            self.key.sign(&command).unwrap()
        }
    }

    fn at(mono_ms: u64, wall_ms: u64) -> Now {
        Now { mono: Duration::from_millis(mono_ms), wall_ms }
    }

    fn kind(outcome: Result<Command, Box<Refusal>>) -> Option<RefusalKind> {
        outcome.err().map(|refusal| refusal.kind)
    }

    #[test]
    fn a_command_is_taken_up_once_over_restarts_too() {
        let bench = Bench::new();
        let signed = bench.signed(1, 7);
        assert_eq!(kind(bench.authority().open(OPERATION, &signed, at(0, 5_000))), None);
        let mut authority = bench.authority();
        let again = authority.open(OPERATION, &signed, at(0, 5_000));
        assert_eq!(kind(again), Some(RefusalKind::Replayed));
        let older = authority.open(OPERATION, &bench.signed(1, 6), at(0, 5_000));
        assert_eq!(kind(older), Some(RefusalKind::Replayed));
        assert_eq!(kind(authority.open(OPERATION, &bench.signed(1, 8), at(0, 5_000))), None);
    }

    #[test]
    fn a_foreign_key_machine_or_operation_is_unauthorised() {
        let bench = Bench::new();
        let mut authority = bench.authority();
        let foreign =
            Bench { folder: tempfile::tempdir().unwrap(), key: CommandKey::from_bytes(&[8; 32]) };
        let unauthorised = Some(RefusalKind::Unauthorised);
        assert_eq!(
            kind(authority.open(OPERATION, &foreign.signed(1, 7), at(0, 5_000))),
            unauthorised
        );
        assert_eq!(
            kind(authority.open(OPERATION, &bench.signed(3, 7), at(0, 5_000))),
            unauthorised
        );
        let other = OperationId(Uuid::from_u128(9));
        assert_eq!(kind(authority.open(other, &bench.signed(1, 7), at(0, 5_000))), unauthorised);
    }

    #[test]
    fn an_expired_command_is_refused_also_where_the_clock_was_set_back() {
        let bench = Bench::new();
        let mut authority = bench.authority();
        let expired = Some(RefusalKind::Expired);
        assert_eq!(kind(authority.open(OPERATION, &bench.signed(1, 7), at(0, 10_001))), expired);
        assert_eq!(kind(authority.open(OPERATION, &bench.signed(1, 7), at(0, 5_000))), None);
        // Eight seconds later, and the clock has been set back by five.
        let set_back = authority.open(OPERATION, &bench.signed(1, 8), at(8_000, 8_000));
        assert_eq!(kind(set_back), expired);
        // Half a second after a restart: what the file says still holds.
        let mut authority = bench.authority();
        let fresh = authority.open(OPERATION, &bench.signed(1, 8), at(500, 1_000));
        assert_eq!(kind(fresh), None, "it has not expired by either");
    }

    #[test]
    fn a_clock_that_ran_ahead_for_a_moment_is_forgiven() {
        let bench = Bench::new();
        let mut authority = bench.authority();
        let ahead = authority.open(OPERATION, &bench.signed(1, 7), at(0, 9_000_000));
        assert_eq!(kind(ahead), Some(RefusalKind::Expired));
        let right = authority.open(OPERATION, &bench.signed(1, 8), at(1_000, 5_000));
        assert_eq!(kind(right), None);
    }

    #[test]
    fn without_a_pin_everything_is_refused_until_there_is_one() {
        let bench = Bench::new();
        fs::rename(bench.pin_file(), bench.folder.path().join("later")).unwrap();
        let mut authority = bench.authority();
        let signed = bench.signed(1, 7);
        let unauthorised = Some(RefusalKind::Unauthorised);
        assert_eq!(kind(authority.open(OPERATION, &signed, at(0, 5_000))), unauthorised);
        fs::rename(bench.folder.path().join("later"), bench.pin_file()).unwrap();
        fs::set_permissions(bench.pin_file(), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(kind(authority.open(OPERATION, &signed, at(0, 5_000))), unauthorised);
        fs::set_permissions(bench.pin_file(), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(kind(authority.open(OPERATION, &signed, at(0, 5_000))), None);
    }

    #[test]
    fn a_damaged_counter_file_refuses_rather_than_repeats() {
        let bench = Bench::new();
        fs::write(bench.folder.path().join(FILE), "counter = \"many\"").unwrap();
        let outcome = bench.authority().open(OPERATION, &bench.signed(1, 7), at(0, 5_000));
        assert_eq!(kind(outcome), Some(RefusalKind::Unauthorised));
    }
}
