//! `flyball-plant`: one simulated board behind a sysfs-like tree.

use anyhow::Context;
use clap::Parser;
use flyball_harness::{Clock, ControlSocket, Simulation};
use std::path::PathBuf;
use std::time::Duration;

/// Writes the sysfs-like tree of a simulated board and runs its heat, fans and caps.
///
/// A guard reads it with --sysfs-root DIR and drives pwm1, pwm1_enable and
/// constraint_0_power_limit_uw. The control socket takes one JSON object a line:
/// {"fault":"fan_seized","target":"fan1"}, {"heal":"fan1"}, {"load_watts":120},
/// {"ambient_celsius":35}, {"state":true}.
#[derive(Debug, Parser)]
#[command(name = "flyball-plant", version)]
struct Arguments {
    /// Where the tree is written.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Which board: another seed is another make.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The control socket.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// How often the tree is brought up to date.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(5..=1000))]
    period_ms: u64,
    /// How many times faster than ours the board's time runs.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    anyhow::ensure!(
        arguments.speed > 0.0 && arguments.speed <= 1000.0,
        "--speed takes a number above 0 and up to 1000, not {}",
        arguments.speed
    );
    let mut simulation = Simulation::new(&arguments.root, arguments.seed)
        .with_context(|| format!("cannot lay out the board in {}", arguments.root.display()))?;
    simulation.plant_mut().set_speed(arguments.speed);
    let mut socket = arguments.socket.as_deref().map(ControlSocket::listen).transpose()?;
    eprintln!(
        "info plant ready root={} board={:?}",
        arguments.root.display(),
        simulation.plant().board().product
    );
    let (clock, period) = (Clock::start(), Duration::from_millis(arguments.period_ms));
    let mut passed = Duration::ZERO;
    loop {
        std::thread::sleep(period);
        // A board that was held up, by a suspended machine say, does not run after the time.
        let span = (clock.elapsed() - passed).min(period * 20);
        passed = clock.elapsed();
        simulation.step(span.mul_f64(arguments.speed)).context("the tree is gone")?;
        if let Some(socket) = &mut socket {
            socket.serve(&mut simulation);
        }
    }
}
