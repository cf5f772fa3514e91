//! Putting the guard together: what is found, what is planned, and which threads run it.

use crate::args::{Check, JournalArgs, Look, Release, Run, Tree};
use crate::bus::Buses;
use crate::catalog::{ActuatorEntry, Catalog, SensorEntry};
use crate::clock::Clock;
use crate::command::Authority;
use crate::cycle::{Cycle, Parts};
use crate::desk::{ANSWERS, INBOX};
use crate::drivers::Drivers;
use crate::evidence::Evidence;
use crate::fleet::{self, FleetLayer};
use crate::hands::{Hands, Hired, Workers};
use crate::host::Host;
use crate::hotplug::Hotplug;
use crate::journal::{self, Journal};
use crate::latches::Latch;
use crate::link::{Doors, Link};
use crate::owed::Owed;
use crate::plan::{CADENCE_MS, Planned, VERIFY_WITHIN, sample_bound};
use crate::policy::{HostRule, Policy, PolicyWatch};
use crate::poller::{self, Rounds, Watched};
use crate::ring::Ring;
use crate::self_tests::{self, SelfTests};
use crate::shared::{Bell, Facts, Meters, Shared};
use crate::slots::Slots;
use crate::sources::Sources;
use crate::watchdog::Watchdog;
use crate::words::{self, Now};
use crate::{latches, link, locks, log, originals, owed, plan, process};
use anyhow::{Context, Result, bail};
use flyball_hardware::{ActuatorKind, Board, Census, Roots, discover};
use flyball_safety::Engine;
use flyball_units::NoData;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;

impl Tree {
    fn roots(&self) -> Roots {
        Roots { sysfs: self.sysfs_root.clone(), procfs: self.procfs_root.clone() }
    }
}

/// Runs the guard on this thread until it is told to stop.
///
/// # Errors
/// Where the state folder or the socket can't be had: it can't serve anybody then.
pub(crate) fn run(args: Run) -> Result<()> {
    let clock = Clock::start();
    process::raise_file_limit();
    let stop = process::stop_flag().context("the signal handlers can't be installed")?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&args.state)
        .with_context(|| format!("the state folder {} can't be made", args.state.display()))?;
    let boot = process::boot_id(&args.tree.procfs_root);
    let originals = originals::load(&args.state, boot).unwrap_or_else(|error| {
        log::warn(format_args!("what the actuators had been set to is not known: {error}"));
        Vec::new()
    });
    let journal = Journal::start(args.state.clone(), boot, originals.clone(), thread::current())
        .context("the journal's thread can't be started")?;
    let mut board = discover(&args.tree.roots());
    originals::restore(&originals, &mut board.actuators);
    originals::restore(&originals, &mut board.controls);
    let catalog = catalog_of(&mut board, &clock);
    let seed = process::seed(boot);
    // Before it is read: what is written meanwhile is seen as a change.
    let watch = args.policy.clone().map(PolicyWatch::new);
    let (settled, faults) = settle_policy(args.policy.as_deref(), &catalog, seed, &board)?;
    let Settled { policy, planned, catalog, host, own } = settled;
    let fleet = fleet::load(&args.state).unwrap_or_else(|error| {
        log::error(format_args!("the fleet's limits of the last run can't be read: {error}"));
        FleetLayer::default()
    });
    let locks = locks::load(&args.state, clock.wall_ms());
    let (latches, latches_fault) = load_latches(&args.state);
    let owed = owed::load(&args.state).unwrap_or_else(|error| {
        log::warn(format_args!("what is to be started again is not known, so nothing is: {error}"));
        Owed::default()
    });
    report_board(&board, &planned);

    let doors = Doors::bind(&args.socket)?;
    let remarks = board.remarks.iter().map(|r| format!("{} {}", r.subject, r.message));
    let facts = Facts {
        run: process::run_id(clock.wall_ms()),
        boot,
        board: words::board_info(&board),
        remarks: remarks.collect(),
        dry_run: args.dry_run,
    };
    let list: Vec<_> = catalog.sensors.iter().map(|sensor| sensor.series(CADENCE_MS)).collect();
    let series = list.len();
    let shared = Arc::new(Shared {
        clock,
        facts,
        series: Mutex::new(list),
        series_count: AtomicUsize::new(series),
        notes: Mutex::default(),
        buses: Buses::default(),
        evidence: Evidence::for_series(series),
        ring: Mutex::new(Ring::for_series(series)),
        meters: Meters::new(),
        bell: Bell::new().context("no event descriptor can be had")?,
    });
    let (questions, inbox) = sync_channel(INBOX);
    let (answers, outbox) = sync_channel(ANSWERS);
    let authority = Authority::new(args.pin, &args.state);
    Link::new(
        Arc::clone(&shared),
        authority,
        journal.clone(),
        questions,
        outbox,
        thread::current(),
    )
    .start(doors)
    .context("the link's thread can't be started")?;

    let roots = args.tree.roots();
    let census = Census::of(&roots, &board);
    let Board { sensors, mut actuators, controls, .. } = board;
    actuators.extend(controls);
    let bounds = catalog.sensors.iter().map(|sensor| sample_bound(sensor.period, &policy));
    let bounds = bounds.collect();
    let slots = Arc::new(Slots::new(series));
    let watched = Arc::new(Watched::new());
    for (series, sensor) in planned.names.watched.iter().enumerate() {
        watched.set(series, sensor.is_some());
    }
    let (sources, changes) = Sources::new(Arc::clone(&slots), clock, thread::current());
    let rounds = Rounds {
        shared: Arc::clone(&shared),
        slots: Arc::clone(&slots),
        watched: Arc::clone(&watched),
        journal: journal.clone(),
        waiter: thread::current(),
        period: policy.timing.cycle,
        realtime: policy.realtime,
    };
    let placed = sensors.into_iter().enumerate().collect();
    poller::start(placed, &rounds).context("a poller can't be started")?;
    let workers = Workers {
        shared: Arc::clone(&shared),
        journal: journal.clone(),
        realtime: policy.realtime,
        sources: sources.clone(),
    };
    let hired = workers.start(actuators).context("an actuator's worker can't be started")?;
    let mut hands = Hands::new(args.dry_run);
    for (index, Hired { holder, errands }) in hired.into_iter().enumerate() {
        hands.hold(index, Some(holder), Some(errands));
    }
    for place in &own {
        hands.hold(*place, None, None);
    }
    let jobs = match own.is_empty() && policy.host == HostRule::default() {
        true => None,
        false => {
            let jobs = host.clone().start(sources.clone());
            Some(jobs.context("the host's thread can't be started")?)
        }
    };
    Hotplug {
        census,
        rounds,
        workers,
        sources: sources.clone(),
        journal: journal.clone(),
        policy: watch,
    }
    .start()
    .context("the census can't be started")?;
    let state = &args.state;
    let (drivers, equipment_faults) =
        Drivers::read(args.equipment.as_deref(), args.driver.as_deref(), state);
    for fault in &equipment_faults {
        log::error(format_args!("the equipment file is not taken: {fault}"));
    }
    drivers.start(&sources, &shared).context("a driver's thread can't be started")?;
    let tested = self_tests::load(state).unwrap_or_else(|error| {
        log::error(format_args!("when the last self-test was can't be read: {error}"));
        self_tests::Tested::default()
    });
    let self_tests = SelfTests::new(policy.self_test, boot, clock.wall_ms(), tested);
    let watchdog = Watchdog::from_environment(&policy, &args.tree.sysfs_root);
    let now = Now { mono: clock.now(), wall_ms: clock.wall_ms() };
    Cycle::new(Parts {
        engine: Engine::new(planned.config, now.moment()),
        policy,
        catalog,
        names: planned.names,
        hands,
        slots,
        shared,
        journal,
        changes,
        questions: inbox,
        answers,
        watchdog,
        stop,
        latches,
        latches_fault,
        owed,
        bounds,
        remarks: planned.remarks.into_iter().chain(faults.iter().cloned()).collect(),
        policy_faults: faults,
        polled: watched,
        seed,
        host,
        jobs,
        own,
        locks,
        fleet,
        self_tests,
    })
    .run();
    // The threads end with the process.
    let _ = fs::remove_file(&args.socket);
    let _ = fs::remove_file(link::control(&args.socket));
    Ok(())
}

/// Everything that discovery found, with a first reading. A slow bus may hang: it counts as busy.
fn catalog_of(board: &mut Board, clock: &Clock) -> Catalog {
    let mut catalog = Catalog::default();
    for sensor in &mut board.sensors {
        let probe = if sensor.bus.slow { Err(NoData::Busy) } else { sensor.read(clock.now()) };
        catalog.add_sensor(SensorEntry::of_board(sensor, probe));
    }
    for actuator in board.actuators.iter_mut().chain(&mut board.controls) {
        catalog.add_actuator(ActuatorEntry::of_board(actuator, VERIFY_WITHIN));
    }
    catalog
}

/// What is in force, and everything that follows from it.
struct Settled {
    policy: Policy,
    planned: Planned,
    /// With what the policy itself makes an actuator of.
    catalog: Catalog,
    host: Host,
    /// The places of those.
    own: Vec<usize>,
}

impl Settled {
    fn new(
        policy: Policy,
        catalog: &Catalog,
        seed: u64,
        simulated: bool,
    ) -> Result<Self, Vec<String>> {
        let mut catalog = catalog.clone();
        let host = Host::of(&policy, simulated);
        let own = host.place(&mut catalog);
        let planned = plan::plan(&catalog, &policy, seed)?;
        Ok(Self { policy, planned, catalog, host, own })
    }
}

/// The policy that is in force, its plan, and why another one isn't.
///
/// A file with faults is not taken: the machine is guarded by its hardware's own thresholds
/// rather than not at all.
fn settle_policy(
    file: Option<&Path>,
    catalog: &Catalog,
    seed: u64,
    board: &Board,
) -> Result<(Settled, Vec<String>)> {
    let simulated = board.info.simulated;
    let mut faults = Vec::new();
    if let Some(file) = file {
        match settle_file(file, catalog, seed, simulated) {
            Ok(settled) => return Ok((settled, faults)),
            Err(found) => faults = found,
        }
        for fault in &faults {
            log::error(format_args!("the policy is not taken file={} {fault}", file.display()));
        }
        log::error("the hardware's own thresholds are in force until the policy is mended");
    }
    match Settled::new(Policy::factory(), catalog, seed, simulated) {
        Ok(settled) => Ok((settled, faults)),
        Err(found) => {
            bail!("the hardware's own thresholds make no sound plan: {}", found.join("; "))
        }
    }
}

fn settle_file(
    file: &Path,
    catalog: &Catalog,
    seed: u64,
    simulated: bool,
) -> Result<Settled, Vec<String>> {
    let text = fs::read_to_string(file).map_err(|error| vec![error.to_string()])?;
    let policy = Policy::parse(&text)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Settled::new(policy, catalog, seed, simulated)
}

/// The trips that stood, or why nobody knows them: then every limit has to count as tripped.
fn load_latches(state: &Path) -> (Vec<Latch>, Option<String>) {
    let error = match latches::load(state) {
        Ok(latches) => return (latches, None),
        Err(error) => error,
    };
    let kept = match latches::set_aside(state) {
        Ok(aside) => format!("it is kept as {}", aside.display()),
        Err(error) => format!("it can't be kept: {error}"),
    };
    let cause = error.to_string();
    (Vec::new(), Some(format!("{}; {kept}", cause.trim_end())))
}

fn report_board(board: &Board, planned: &Planned) {
    let info = &board.info;
    let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "unknown".into());
    log::info(format_args!(
        "the machine is looked through vendor={:?} product={:?} simulated={} sensors={} \
         actuators={} limits={}",
        text(&info.vendor),
        text(&info.product),
        info.simulated,
        board.sensors.len(),
        board.actuators.len(),
        planned.names.limits.len(),
    ));
    if board.sensors.is_empty() {
        log::info("there is no sensor on this machine that the guard could read");
    }
    for remark in &board.remarks {
        log::warn(format_args!("{} {}", remark.subject, remark.message));
    }
    for remark in &planned.remarks {
        log::warn(remark);
    }
}

/// Checks a policy file.
///
/// # Errors
/// All of its faults.
pub(crate) fn check(args: &Check) -> Result<()> {
    let clock = Clock::start();
    let mut board = discover(&args.tree.roots());
    let catalog = catalog_of(&mut board, &clock);
    match settle_file(&args.policy, &catalog, 0, board.info.simulated) {
        Ok(Settled { planned, .. }) => {
            planned.remarks.iter().for_each(log::warn);
            println!("{} is sound: {} limits", args.policy.display(), planned.names.limits.len());
            Ok(())
        }
        Err(faults) => bail!("{}:\n  {}", args.policy.display(), faults.join("\n  ")),
    }
}

/// Looks into the journal.
///
/// # Errors
/// Where it can't be read, or is not whole.
pub(crate) fn journal(args: &JournalArgs) -> Result<()> {
    match &args.look {
        Look::Verify => journal::verify(&args.state),
        Look::Show { last } => journal::show(&args.state, *last),
    }
}

/// Gives the fans back that an earlier guard had taken.
///
/// # Errors
/// Where one of them could not even be set to full speed.
pub(crate) fn release(args: &Release) -> Result<()> {
    let mut board = discover(&args.tree.roots());
    let boot = process::boot_id(&args.tree.procfs_root);
    let originals = originals::load(&args.state, boot)
        .context("what the fans had been set to can't be read")?;
    originals::restore(&originals, &mut board.actuators);
    let mut failed = Vec::new();
    let fans = board.actuators.iter_mut().filter(|actuator| actuator.kind == ActuatorKind::Fan);
    for fan in fans {
        match fan.release() {
            Ok(released) => println!("{}: {released:?}", fan.id),
            Err(error) => failed.push(format!("{}: {}", fan.id, log::chain(&error))),
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("; ")) }
}
