//! `up`: from a fresh clone to a running fleet on this machine.

use crate::binaries::{self, Binaries};
use crate::fleet::{Layout, Machine};
use crate::ready::{self, Device, Kind, Ready};
use crate::supervisor::Supervisor;
use crate::{clock, console, down, plugins, port, preflight, say, workspace};
use anyhow::{Context, Result, bail};
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

mod api;

const ADMIN_EMAIL: &str = "admin@flyball.localhost";
const START_LIMIT: Duration = Duration::from_secs(60);
/// More would only measure how two cores are shared.
const MOST_AGENTS: u32 = 500;

#[derive(clap::Args, Clone)]
pub(crate) struct Options {
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value_os_t = workspace::default_state())]
    pub(crate) state: PathBuf,
    /// Address of API and console
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8766")]
    pub(crate) api: SocketAddr,
    /// Address that agents connect to
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8767")]
    pub(crate) ingest: SocketAddr,
    /// How many agents: the first is this machine, the others run on simulated boards
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_AGENTS)))]
    pub(crate) agents: u32,
    /// Return when everything is ready; `down` ends it
    #[arg(long)]
    pub(crate) detach: bool,
    /// Run what was built before
    #[arg(long)]
    pub(crate) built: bool,
    /// Build the plugins that take long meanwhile; for `--detach`'s own use
    #[arg(long, hide = true)]
    pub(crate) then_heavy: bool,
    /// The folder of components for this machine's agent; those of `cargo xtask plugins` if not said
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Option<PathBuf>,
    /// What this machine's guard manages behind a network; packaging/config/equipment.toml shows how
    #[arg(long, value_name = "FILE")]
    pub(crate) equipment: Option<PathBuf>,
    /// The local policy of this machine's guard; packaging/config/guard-policy.toml shows how
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Where this machine's agent gives readers nearby the curricula that are placed on it
    #[arg(long, value_name = "ADDR")]
    pub(crate) content: Option<SocketAddr>,
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    if !options.built {
        preflight::for_building()?;
        plugins::build(root, &workspace::plugins_dir(root))?;
        console::build(root)?;
        binaries::build(root)?;
    }
    let layout = Layout::create(&options.state)?;
    take_over(&layout)?;
    check_ports(options)?;
    if options.detach { detach(&layout, options) } else { supervise(root, &layout, options) }
}

/// Ends what a killed `up` left behind; refuses where one still runs.
fn take_over(layout: &Layout) -> Result<()> {
    let Some(earlier) = ready::read(&layout.state)? else { return Ok(()) };
    if let Some(&pid) = earlier.pids.get("up")
        && down::is_ours(pid)
    {
        bail!(
            "up already runs on {} (pid {pid}): {}\n    `cargo xtask down --state {}` ends it",
            layout.state.display(),
            earlier.api,
            layout.state.display()
        );
    }
    down::end_leftovers(&earlier)?;
    std::fs::remove_file(ready::path(&layout.state)).context("the old ready.json stays")
}

fn check_ports(options: &Options) -> Result<()> {
    let api = port::obstacle(options.api, port::Transport::Tcp);
    let ingest = port::obstacle(options.ingest, port::Transport::Udp);
    match (api, ingest) {
        (None, None) => Ok(()),
        (Some(why), _) => bail!("{why}; choose another with --api"),
        (None, Some(why)) => bail!("{why}; choose another with --ingest"),
    }
}

fn detach(layout: &Layout, options: &Options) -> Result<()> {
    let path = layout.log("up");
    let log = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["up", "--built"])
        .args((!options.built).then_some("--then-heavy"))
        .arg("--state")
        .arg(&layout.state)
        .args(["--api", &options.api.to_string(), "--ingest", &options.ingest.to_string()])
        .args(["--agents", &options.agents.to_string()])
        .args(options.plugins.iter().flat_map(|dir| ["--plugins".as_ref(), dir.as_os_str()]))
        .args(options.equipment.iter().flat_map(|file| ["--equipment".as_ref(), file.as_os_str()]))
        .args(options.policy.iter().flat_map(|file| ["--policy".as_ref(), file.as_os_str()]))
        .args(options.content.iter().flat_map(|at| ["--content".to_owned(), at.to_string()]))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    let limit = START_LIMIT + Duration::from_secs(2) * options.agents;
    let deadline = clock::now() + limit;
    loop {
        if let Some(ready) = ready::read(&layout.state)?
            && ready.pids.get("up") == Some(&child.id())
        {
            api::summary(&ready, &layout.state)?;
            say::tell(&format!(
                "    `cargo xtask down --state {}` ends it",
                layout.state.display()
            ));
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            bail!("up ended ({status}); its log: {}\n{}", path.display(), tail(&path));
        }
        if clock::now() > deadline {
            child.kill()?;
            bail!(
                "not ready within {} s; its log: {}\n{}",
                limit.as_secs(),
                path.display(),
                tail(&path)
            );
        }
        sleep(Duration::from_millis(50));
    }
}

/// The last lines of a log, for an error that would otherwise only name it.
fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

fn supervise(root: &Path, layout: &Layout, options: &Options) -> Result<()> {
    let mut supervisor = Supervisor::listening()?;
    let started = start(root, layout, options, &mut supervisor);
    let mut heavy = None;
    let outcome = started.and_then(|ready| {
        let wanted = options.then_heavy || !options.built;
        if wanted && options.plugins.is_none() {
            heavy = Some(Heavy::start(layout)?);
        }
        keep(layout, options, ready, &mut supervisor)
    });
    if let Some(heavy) = heavy {
        heavy.stop()?;
    }
    say::step("stop everything");
    supervisor.stop()?;
    match std::fs::remove_file(ready::path(&layout.state)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    outcome
}

/// The plugins that take many minutes, built beside the running fleet by a child of its own group.
/// The agent finds each in its folder once it is there.
struct Heavy(std::process::Child);

impl Heavy {
    fn start(layout: &Layout) -> Result<Self> {
        let path = layout.log("plugins");
        let log = OpenOptions::new().create(true).append(true).open(&path)?;
        let names = plugins::HEAVY.join(" and ");
        let path = path.display();
        say::step(&format!(
            "build {names} beside the fleet, which takes a quarter of an hour once: {path} says how far"
        ));
        let child = Command::new(std::env::current_exe()?)
            .args(["plugins", "--heavy"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("the build of the plugins can't be started")?;
        Ok(Self(child))
    }

    /// What was built stays built.
    fn stop(mut self) -> Result<()> {
        if self.0.try_wait()?.is_none() {
            crate::process::signal_group(self.0.id(), rustix::process::Signal::TERM)?;
            self.0.wait()?;
        }
        Ok(())
    }
}

/// Tells what is there, then watches until it is asked to stop.
fn keep(
    layout: &Layout,
    options: &Options,
    mut ready: Ready,
    supervisor: &mut Supervisor,
) -> Result<()> {
    ready.write(&layout.state)?;
    if !options.detach {
        api::summary(&ready, &layout.state)?;
        say::tell("    Ctrl-C ends it");
    }
    supervisor.watch(|pids| {
        ready.pids = pids;
        ready.write(&layout.state)
    })
}

fn start(
    root: &Path,
    layout: &Layout,
    options: &Options,
    supervisor: &mut Supervisor,
) -> Result<Ready> {
    let built = binaries::locate(root);
    let machines: Vec<Machine> = (1..=options.agents).map(Machine).collect();
    for &machine in &machines {
        layout.prepare(machine)?;
        if let Some(plant) = layout.plant(&built, machine) {
            supervisor.start(plant)?;
            // The guard looks the machine through once, when it starts.
            let socket = layout.plant_socket(machine);
            until("the simulated board is there", supervisor, || Ok(socket.exists()))?;
        }
        supervisor.start(layout.guard(&built, options, machine))?;
    }
    let password = initialise(layout, &built)?;
    say::step(&format!("start the aggregator: API {}, agents {}", options.api, options.ingest));
    supervisor.start(layout.aggregator(&built, options.api, options.ingest))?;
    until("the aggregator answers", supervisor, || api::answers(options.api))?;
    let plugins = options.plugins.clone().unwrap_or_else(|| workspace::plugins_dir(root));
    for &machine in &machines {
        if layout.device(machine)?.is_none() {
            enrol(layout, &built, machine, options.ingest)?;
        }
        if let Some(runner) = layout.runner(&built, machine) {
            supervisor.start(runner)?;
        }
        supervisor.start(layout.agent(&built, &plugins, machine, options))?;
    }
    let mut devices = Vec::new();
    for &machine in &machines {
        let id = layout.device(machine)?.context("an enrolled machine has no pin file")?;
        devices.push(Device { id, name: machine.name(), kind: machine.kind() });
    }
    let session = api::Session::sign_in(options.api, ADMIN_EMAIL, &password)?;
    until("every agent is connected and reads", supervisor, || session.all_seen(&devices))?;
    Ok(Ready {
        api: format!("http://{}", options.api),
        ingest: options.ingest.to_string(),
        admin_email: ADMIN_EMAIL.to_owned(),
        admin_password: password,
        devices,
        pids: supervisor.pids(),
    })
}

/// Waits for `condition`, keeping the programs alive meanwhile.
fn until(
    what: &str,
    supervisor: &mut Supervisor,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let deadline = clock::now() + START_LIMIT;
    while !condition()? {
        supervisor.poll()?;
        if supervisor.asked_to_stop() {
            bail!("stopped while waiting until {what}");
        }
        if clock::now() > deadline {
            bail!("waited {} s until {what}; the logs say why", START_LIMIT.as_secs());
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Makes authority, keys and superuser; gives back the superuser's password.
fn initialise(layout: &Layout, built: &Binaries) -> Result<String> {
    let path = layout.password_file();
    if !path.exists() {
        let mut secret = [0_u8; 15];
        getrandom::fill(&mut secret).context("no randomness")?;
        let word: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        ready::write_private(&path, word.as_bytes())?;
    }
    let output = Command::new(&built.aggregator)
        .args(["init", "--admin-email", ADMIN_EMAIL, "--admin-password-file"])
        .arg(&path)
        .arg("--state")
        .arg(layout.aggregator_state())
        .output()
        .with_context(|| format!("{} cannot be started", built.aggregator.display()))?;
    if !output.status.success() {
        bail!("the aggregator's init failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(std::fs::read_to_string(&path)?.trim().to_owned())
}

fn enrol(layout: &Layout, built: &Binaries, machine: Machine, ingest: SocketAddr) -> Result<()> {
    let what = match machine.kind() {
        Kind::Real => "this machine",
        Kind::Simulated => "a simulated board",
    };
    say::step(&format!("enrol {} ({what}) with a one-time token", machine.name()));
    let output = Command::new(&built.aggregator)
        .args(["token", "--name", &machine.name(), "--state"])
        .arg(layout.aggregator_state())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the aggregator gives no token, see above");
    }
    let token = String::from_utf8(output.stdout)?;
    let status = Command::new(&built.agent)
        .args(layout.enrolment(machine, ingest, token.trim()))
        .status()?;
    if !status.success() {
        bail!("{} could not be enrolled, see above", machine.name());
    }
    Ok(())
}
