use super::*;
use crate::collectors::Moment;
use crate::collectors::collected::{self, Collected};
use flyball_plugin_messages::FailureKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Plugins by what their names say they do.
#[derive(Clone, Default)]
struct Plugins {
    polls: Arc<AtomicUsize>,
}

impl Poll for Plugins {
    async fn poll(&self, plugin: &PluginId, _: Duration) -> Result<Vec<Reading>, Failure> {
        let reading = |name: &str| Reading {
            name: name.to_owned(),
            unit: "1".to_owned(),
            kind: ReadingKind::Gauge,
            labels: Vec::new(),
            value: Ok(1.0),
        };
        match plugin.0.as_str() {
            "hangs" => std::future::pending().await,
            "traps" => Err(Failure::new(FailureKind::Trapped, "it trapped")),
            "floods" => Ok((0..50_000).map(|number| reading(&format!("m{number}"))).collect()),
            "lies" => Ok(vec![reading("hw.temperature"), reading("honest")]),
            _ => {
                self.polls.fetch_add(1, Ordering::Relaxed);
                Ok(vec![reading("up")])
            }
        }
    }
}

struct Rig {
    plugins: Plugins,
    due: watch::Sender<Vec<Due>>,
    collected: Collected,
    _task: JoinHandle<()>,
}

impl Rig {
    fn new(plugins: &[&str]) -> Self {
        let (collected, intake) = collected::open();
        let (due, told) = watch::channel(plugins.iter().copied().map(every_10_s).collect());
        let plugins = Plugins::default();
        let task = tokio::spawn(collect(plugins.clone(), told, intake, Clock));
        Self { plugins, due, collected, _task: task }
    }

    /// What the sampler sees after so many seconds: plugin, metric and value.
    async fn after(&mut self, seconds: u64) -> Vec<(String, Result<f64, NoData>)> {
        sleep(Duration::from_secs(seconds)).await;
        let samples = self.collected.read(0, Moment::read(Clock)).to_vec();
        let series = self.collected.series();
        let name = |at: u16| {
            let series = &series[usize::from(at)];
            format!("{}/{}", series.attributes[0].1, series.metric)
        };
        samples.iter().map(|sample| (name(sample.series), sample.value)).collect()
    }
}

fn every_10_s(plugin: &str) -> Due {
    Due { plugin: PluginId(plugin.to_owned()), every: Duration::from_secs(10) }
}

#[tokio::test(start_paused = true)]
async fn a_collector_is_polled_at_its_pace_until_it_is_not_wanted() {
    let mut rig = Rig::new(&["steady"]);
    assert_eq!(rig.after(2).await, [("steady/up".into(), Ok(1.0))]);
    rig.after(60).await;
    assert_eq!(rig.plugins.polls.load(Ordering::Relaxed), 7);
    rig.due.send_replace(Vec::new());
    assert_eq!(rig.after(1).await, [("steady/up".into(), Err(NoData::Disabled))]);
    assert_eq!(rig.after(60).await, []);
    assert_eq!(rig.plugins.polls.load(Ordering::Relaxed), 7);
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_or_traps_or_floods_takes_nothing_from_the_others() {
    let mut rig = Rig::new(&["hangs", "traps", "floods", "steady"]);
    for _ in 0..3 {
        let seen = rig.after(10).await;
        assert_eq!(seen.iter().filter(|(name, _)| name == "steady/up").count(), 1);
        assert_eq!(seen.iter().filter(|(name, _)| name.starts_with("floods/")).count(), 2_000);
        assert_eq!(seen.len(), 2_001);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_of_the_machine_is_refused_and_the_rest_is_taken() {
    let mut rig = Rig::new(&["lies"]);
    assert_eq!(rig.after(2).await, [("lies/honest".into(), Ok(1.0))]);
}

#[tokio::test(start_paused = true)]
async fn another_pace_holds_from_the_next_poll_on() {
    let mut rig = Rig::new(&["steady"]);
    rig.after(2).await;
    let faster = Due { plugin: PluginId("steady".into()), every: Duration::from_secs(1) };
    rig.due.send_replace(vec![faster]);
    rig.after(11).await;
    assert!(rig.plugins.polls.load(Ordering::Relaxed) >= 11);
    assert_eq!(rig.collected.series()[0].cadence_ms, 1_000);
}

#[test]
fn the_pace_is_a_setting_within_bounds() {
    let pace = |json: Option<&str>| {
        let settings = json.map(|json| ("interval_s".to_owned(), json.to_owned()));
        let order = PluginOrder {
            plugin: "prometheus".into(),
            hash: String::new(),
            enabled: true,
            grants: Vec::new(),
            settings: settings.into_iter().collect(),
        };
        Due::of("prometheus", &order).every.as_secs()
    };
    let paces = [None, Some("60"), Some("0"), Some("999999"), Some("\"x\"")].map(pace);
    assert_eq!(paces, [10, 60, 1, 3_600, 10]);
}
