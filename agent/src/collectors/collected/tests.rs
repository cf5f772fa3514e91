use super::*;
use crate::clock::Clock;

struct Rig {
    collected: Collected,
    intake: Intake,
    begin: Moment,
}

const INTERVAL: Duration = Duration::from_secs(10);

impl Rig {
    fn new() -> Self {
        let (collected, intake) = open();
        Self { collected, intake, begin: Moment::read(Clock) }
    }

    fn at(&self, seconds: u64) -> Moment {
        let after = Duration::from_secs(seconds);
        Moment { now: self.begin.now + after, unix_ms: self.begin.unix_ms + seconds * 1000 }
    }

    /// A poll of `plugin` with these readings, so many seconds after the beginning.
    fn poll(&self, plugin: &str, seconds: u64, readings: &[(&str, Value)]) {
        let foreign = readings.iter().map(|&(name, value)| Foreign {
            name: name.into(),
            unit: "1".into(),
            counter: false,
            labels: Vec::new(),
            value,
        });
        let (readings, _) = define(foreign.collect());
        let (plugin, at) = (plugin.to_owned(), self.at(seconds).now);
        assert!(self.intake.offer(Arrived::Polled { plugin, interval: INTERVAL, readings, at }));
    }

    /// What the tick says, by metric and plugin.
    fn read(&mut self, seconds: u64) -> Vec<(String, Value)> {
        let moment = self.at(seconds);
        let samples = self.collected.read(100, moment).to_vec();
        let name = |sample: &Sample| {
            let series = &self.collected.series()[usize::from(sample.series) - 100];
            let plugin = &series.attributes[0].1;
            (format!("{plugin}/{}", series.metric), sample.value)
        };
        samples.iter().map(name).collect()
    }
}

#[test]
fn a_poll_is_sampled_once_and_nothing_is_made_up_between_two() {
    let mut rig = Rig::new();
    rig.poll("prometheus", 0, &[("up", Ok(1.0)), ("load", Err(NoData::Denied))]);
    let first =
        [("prometheus/up".into(), Ok(1.0)), ("prometheus/load".into(), Err(NoData::Denied))];
    assert_eq!(rig.read(1), first);
    for second in 2..10 {
        assert_eq!(rig.read(second), []);
    }
    rig.poll("prometheus", 10, &[("up", Ok(1.0))]);
    assert_eq!(rig.read(10), [("prometheus/up".into(), Ok(1.0))]);
}

#[test]
fn a_plugin_that_hangs_leaves_its_series_stale_after_three_intervals() {
    let mut rig = Rig::new();
    rig.poll("a", 0, &[("x", Ok(1.0))]);
    assert_eq!(rig.read(0).len(), 1);
    let told: Vec<u64> = (1..=60).filter(|&second| !rig.read(second).is_empty()).collect();
    // Older than three intervals, and once an interval from then on.
    assert_eq!(told, [40, 50, 60]);
    rig.poll("a", 61, &[("x", Ok(2.0))]);
    assert_eq!(rig.read(61), [("a/x".into(), Ok(2.0))]);
}

#[test]
fn a_series_that_is_missing_from_the_polls_becomes_stale_while_others_go_on() {
    let mut rig = Rig::new();
    rig.poll("a", 0, &[("gone", Ok(1.0)), ("stays", Ok(1.0))]);
    rig.read(0);
    let mut last = Vec::new();
    for poll in 1..=4 {
        rig.poll("a", poll * 10, &[("stays", Ok(2.0))]);
        last = rig.read(poll * 10);
    }
    assert_eq!(last, [("a/gone".into(), Err(NoData::Stale)), ("a/stays".into(), Ok(2.0))]);
}

#[test]
fn a_plugin_that_ends_leaves_its_series_disabled_and_is_silent() {
    let mut rig = Rig::new();
    rig.poll("a", 0, &[("x", Ok(1.0))]);
    rig.read(0);
    assert!(rig.intake.offer(Arrived::Ended { plugin: "a".into() }));
    assert_eq!(rig.read(1), [("a/x".into(), Err(NoData::Disabled))]);
    assert!((2..100).all(|second| rig.read(second).is_empty()));
    rig.poll("a", 100, &[("x", Ok(3.0))]);
    assert_eq!(rig.read(100), [("a/x".into(), Ok(3.0))]);
    assert_eq!(rig.collected.series().len(), 1);
}

#[test]
fn two_plugins_with_the_same_name_have_two_series() {
    let mut rig = Rig::new();
    rig.poll("a", 0, &[("up", Ok(1.0))]);
    rig.poll("b", 0, &[("up", Ok(0.0))]);
    assert_eq!(rig.read(0), [("a/up".into(), Ok(1.0)), ("b/up".into(), Ok(0.0))]);
}

#[test]
fn a_flood_is_held_to_the_bounds_of_one_plugin_and_of_all() {
    let mut rig = Rig::new();
    let names: Vec<String> = (0..3_000).map(|n| format!("m{n}")).collect();
    let readings: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), Ok(1.0))).collect();
    for (plugin, of_all) in [("a", 2_000), ("b", 4_000), ("c", 6_000), ("d", 8_000), ("e", 10_000)]
    {
        rig.poll(plugin, 0, &readings);
        assert_eq!(rig.read(0).len(), MAX_OF_ONE);
        assert_eq!(rig.collected.series().len(), of_all);
    }
    rig.poll("f", 0, &readings);
    assert_eq!(rig.read(0), []);
    assert_eq!(rig.collected.series().len(), MAX_OF_ALL);
}

#[test]
fn polls_that_nobody_takes_are_refused_and_never_waited_for() {
    let rig = Rig::new();
    let ended = || Arrived::Ended { plugin: "a".into() };
    let taken = (0..100).filter(|_| rig.intake.offer(ended())).count();
    assert_eq!(taken, MAX_ARRIVED);
}
