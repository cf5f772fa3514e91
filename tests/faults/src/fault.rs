//! What can happen to the fleet, how it is done, and how it is over.

use crate::dice::Dice;
use crate::fleet::{Fleet, Machine, Program};
use crate::wire::Weather;
use anyhow::Result;
use rustix::process::Signal;

/// A day behind what a machine's certificate lasts: every one of them is refused.
const EXPIRED_S: i64 = 31 * 86_400;

/// What a fault lasts that lasts.
const LASTS_MS: (u64, u64) = (300, 7_000);

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    KillAgent,
    KillGuard,
    KillMachine,
    KillAggregator,
    PauseAgent,
    PauseGuard,
    PauseAggregator,
    Partition,
    Loss,
    Delay,
    Reordering,
    Duplication,
    UdpBlocked,
    FullDiskOfMachine,
    FullDiskOfAggregator,
    PowerCutOfMachine,
    PowerCutOfAggregator,
    ClockForward,
    ClockBack,
    CertificatesExpired,
    PostgresqlRestarted,
    AggregatorReplaced,
}

/// What ends a fault that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heal {
    AgentGoesOn(usize),
    GuardGoesOn(usize),
    AggregatorGoesOn,
    LinkUp(usize),
    CalmWire(usize),
    UdpPasses(usize),
    FreeMachine(usize),
    FreeAggregator,
    ClockRight(usize),
    CertificatesValid,
}

/// What came of an injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It is over at once: the fleet has to cope from here on.
    AtOnce,
    Lasts(Heal),
    /// The victim was down, or this machine can't do such a thing.
    Nothing,
}

impl Kind {
    pub(crate) const ALL: [Self; 22] = [
        Self::KillAgent,
        Self::KillGuard,
        Self::KillMachine,
        Self::KillAggregator,
        Self::PauseAgent,
        Self::PauseGuard,
        Self::PauseAggregator,
        Self::Partition,
        Self::Loss,
        Self::Delay,
        Self::Reordering,
        Self::Duplication,
        Self::UdpBlocked,
        Self::FullDiskOfMachine,
        Self::FullDiskOfAggregator,
        Self::PowerCutOfMachine,
        Self::PowerCutOfAggregator,
        Self::ClockForward,
        Self::ClockBack,
        Self::CertificatesExpired,
        Self::PostgresqlRestarted,
        Self::AggregatorReplaced,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KillAgent => "kill_agent",
            Self::KillGuard => "kill_guard",
            Self::KillMachine => "kill_machine",
            Self::KillAggregator => "kill_aggregator",
            Self::PauseAgent => "pause_agent",
            Self::PauseGuard => "pause_guard",
            Self::PauseAggregator => "pause_aggregator",
            Self::Partition => "partition",
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Reordering => "reordering",
            Self::Duplication => "duplication",
            Self::UdpBlocked => "udp_blocked",
            Self::FullDiskOfMachine => "full_disk_of_machine",
            Self::FullDiskOfAggregator => "full_disk_of_aggregator",
            Self::PowerCutOfMachine => "power_cut_of_machine",
            Self::PowerCutOfAggregator => "power_cut_of_aggregator",
            Self::ClockForward => "clock_forward",
            Self::ClockBack => "clock_back",
            Self::CertificatesExpired => "certificates_expired",
            Self::PostgresqlRestarted => "postgresql_restarted",
            Self::AggregatorReplaced => "aggregator_replaced",
        }
    }

    /// Between how many milliseconds it lasts. A connection is only given up, and TCP tried, some
    /// time after the last datagram came through.
    pub(crate) const fn lasts_ms(self) -> (u64, u64) {
        match self {
            Self::UdpBlocked => (10_000, 45_000),
            _ => LASTS_MS,
        }
    }

    /// Does it now, to machine number `at` where it is one of a machine.
    ///
    /// # Errors
    /// Where the means of this machine fail, never because of the fleet.
    pub(crate) fn inject(self, fleet: &mut Fleet, at: usize, dice: &mut Dice) -> Result<Done> {
        let aggregator = &mut fleet.aggregator;
        let machine = &mut fleet.machines[at];
        let weather = |machine: &Machine, weather| {
            machine.wire.set(weather);
            Ok(Done::Lasts(Heal::CalmWire(at)))
        };
        let small = |dice: &mut Dice, from, to| u8::try_from(dice.between(from, to)).unwrap_or(0);
        let calm = Weather::default();
        match self {
            Self::KillAgent => kill(&mut [&mut machine.agent]),
            Self::KillGuard => kill(&mut [&mut machine.guard]),
            Self::KillMachine => kill(&mut [&mut machine.agent, &mut machine.guard]),
            Self::KillAggregator => kill(&mut [&mut aggregator.program]),
            Self::PauseAgent => pause(&mut machine.agent, Heal::AgentGoesOn(at)),
            Self::PauseGuard => pause(&mut machine.guard, Heal::GuardGoesOn(at)),
            Self::PauseAggregator => pause(&mut aggregator.program, Heal::AggregatorGoesOn),
            Self::Partition => {
                machine.set_link(false)?;
                Ok(Done::Lasts(Heal::LinkUp(at)))
            }
            Self::Loss => weather(machine, Weather { lost_percent: small(dice, 5, 60), ..calm }),
            Self::Delay => {
                let (delay_4ms, jitter_4ms) = (small(dice, 10, 200), small(dice, 0, 5));
                weather(machine, Weather { delay_4ms, jitter_4ms, ..calm })
            }
            Self::Reordering => {
                weather(machine, Weather { jitter_4ms: small(dice, 10, 100), ..calm })
            }
            Self::Duplication => {
                let (repeated_percent, jitter_4ms) = (small(dice, 20, 100), small(dice, 0, 20));
                weather(machine, Weather { repeated_percent, jitter_4ms, ..calm })
            }
            Self::UdpBlocked => {
                machine.wire.block_udp(true);
                Ok(Done::Lasts(Heal::UdpPasses(at)))
            }
            Self::FullDiskOfMachine => {
                machine.disk.fill()?;
                Ok(Done::Lasts(Heal::FreeMachine(at)))
            }
            Self::FullDiskOfAggregator => {
                aggregator.disk.fill()?;
                Ok(Done::Lasts(Heal::FreeAggregator))
            }
            Self::PowerCutOfMachine => {
                let Machine { agent, guard, disk, .. } = machine;
                agent.pause()?;
                guard.pause()?;
                disk.freeze()?;
                agent.end()?;
                guard.end()?;
                disk.thaw()?;
                guard.start()?;
                agent.start()?;
                Ok(Done::AtOnce)
            }
            Self::PowerCutOfAggregator => {
                // A server's processes are more than one: it is cut off with SIGQUIT, which ends
                // them without a word to the disk.
                aggregator.program.pause()?;
                aggregator.disk.freeze()?;
                aggregator.program.end()?;
                if let Some(server) = &mut aggregator.postgres {
                    server.program.ask_to_end(Signal::QUIT)?;
                }
                aggregator.disk.thaw()?;
                if let Some(server) = &mut aggregator.postgres {
                    server.program.start()?;
                }
                aggregator.program.start()?;
                Ok(Done::AtOnce)
            }
            Self::ClockForward => set_clock(machine, at, seconds(dice)),
            Self::ClockBack => set_clock(machine, at, -seconds(dice)),
            Self::CertificatesExpired => Ok(match aggregator.set_clock(EXPIRED_S)? {
                true => Done::Lasts(Heal::CertificatesValid),
                false => Done::Nothing,
            }),
            Self::PostgresqlRestarted => {
                let how = if dice.one_in(2) { Signal::QUIT } else { Signal::INT };
                let server = aggregator.postgres.as_mut();
                let ended = server.map(|server| server.program.ask_to_end(how)).transpose()?;
                Ok(if ended == Some(true) { Done::AtOnce } else { Done::Nothing })
            }
            Self::AggregatorReplaced => {
                Ok(if aggregator.replace()? { Done::AtOnce } else { Done::Nothing })
            }
        }
    }
}

impl Heal {
    /// # Errors
    /// Where the means of this machine fail.
    pub(crate) fn apply(self, fleet: &mut Fleet) -> Result<()> {
        match self {
            Self::AgentGoesOn(at) => fleet.machines[at].agent.go_on(),
            Self::GuardGoesOn(at) => fleet.machines[at].guard.go_on(),
            Self::AggregatorGoesOn => fleet.aggregator.program.go_on(),
            Self::LinkUp(at) => fleet.machines[at].set_link(true),
            Self::CalmWire(at) => {
                fleet.machines[at].wire.set(Weather::default());
                Ok(())
            }
            Self::UdpPasses(at) => {
                fleet.machines[at].wire.block_udp(false);
                Ok(())
            }
            Self::FreeMachine(at) => fleet.machines[at].disk.free(),
            Self::FreeAggregator => fleet.aggregator.disk.free(),
            Self::ClockRight(at) => fleet.machines[at].set_clock(0).map(|_| ()),
            Self::CertificatesValid => fleet.aggregator.set_clock(0).map(|_| ()),
        }
    }
}

fn kill(victims: &mut [&mut Program]) -> Result<Done> {
    let mut killed = false;
    for victim in victims {
        killed |= victim.kill()?;
    }
    Ok(if killed { Done::AtOnce } else { Done::Nothing })
}

fn pause(victim: &mut Program, heal: Heal) -> Result<Done> {
    Ok(if victim.pause()? { Done::Lasts(heal) } else { Done::Nothing })
}

fn set_clock(machine: &mut Machine, at: usize, offset_s: i64) -> Result<Done> {
    let set = machine.set_clock(offset_s)?;
    Ok(if set { Done::Lasts(Heal::ClockRight(at)) } else { Done::Nothing })
}

/// How far a clock is set: mostly a little, now and then by half an hour.
fn seconds(dice: &mut Dice) -> i64 {
    let most = if dice.one_in(8) { 1800 } else { 20 };
    i64::try_from(dice.between(2, most)).unwrap_or(2)
}
