//! The peers of the agent's footprint: each reads the same things of this machine once a second,
//! and is measured as the agent is.

use crate::clock;
use crate::process;
use anyhow::{Context, Result, bail};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

const WARM_UP: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);
/// What the agent reads too.
const COLLECTORS: [&str; 12] = [
    "cpu",
    "meminfo",
    "loadavg",
    "pressure",
    "diskstats",
    "filesystem",
    "netdev",
    "hwmon",
    "thermal_zone",
    "vmstat",
    "uname",
    "time",
];

/// What a peer used while it read `values` numbers a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    pub(crate) name: &'static str,
    pub(crate) cpu_percent: f64,
    pub(crate) rss_mib: f64,
    pub(crate) values: usize,
}

/// Every peer that `FLYBALL_PEERS` has; none where it is not set.
pub(crate) fn footprints(span: Duration) -> Result<Vec<Footprint>> {
    let Some(root) = std::env::var_os("FLYBALL_PEERS").map(PathBuf::from) else {
        return Ok(Vec::new());
    };
    [node_exporter, netdata, collectd].into_iter().map(|peer| peer(&root, span)).collect()
}

fn node_exporter(root: &Path, span: Duration) -> Result<Footprint> {
    let address = free_port()?;
    let mut command = command(root, "usr/bin/prometheus-node-exporter");
    command.args(["--collector.disable-defaults", "--web.disable-exporter-metrics"]);
    command.arg(format!("--web.listen-address={address}"));
    command.args(COLLECTORS.map(|collector| format!("--collector.{collector}")));
    let url = format!("http://{address}/metrics");
    // It reads when it is asked, so it is asked once a second.
    let scrape = || -> Result<usize> {
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        Ok(text.lines().filter(|line| !line.starts_with('#')).count())
    };
    measure("prometheus-node-exporter", command, span, scrape)
}

fn netdata(root: &Path, span: Duration) -> Result<Footprint> {
    let folder = TempDir::with_prefix("flyball-netdata-")?;
    for name in ["cache", "lib", "log", "etc"] {
        fs::create_dir(folder.path().join(name))?;
    }
    let address = free_port()?;
    let (place, root_place) = (folder.path().display(), root.display());
    let off = |section: &str| format!("[{section}]\n  enabled = no\n");
    let plugins = ["apps", "python.d", "charts.d", "go.d", "tc", "cgroups", "perf", "slabinfo"];
    let plugins: String = plugins.iter().map(|name| format!("  {name} = no\n")).collect();
    let config = format!(
        "[directories]\n  config = {place}/etc\n  stock config = {root_place}/usr/lib/netdata/conf.d\n  \
         cache = {place}/cache\n  lib = {place}/lib\n  log = {place}/log\n  lock = {place}/lib/lock\n  \
         web = {root_place}/usr/share/netdata/web\n  plugins = {root_place}/usr/lib/netdata/plugins.d\n\
         [global]\n  run as user = root\n[web]\n  bind to = {address}\n[plugins]\n{plugins}{}{}{}",
        off("ml"),
        off("health"),
        off("statsd"),
    );
    let path = folder.path().join("netdata.conf");
    fs::write(&path, config)?;
    let mut command = command(root, "usr/sbin/netdata");
    command.arg("-D").arg("-c").arg(path);
    let url = format!("http://{address}/api/v1/charts");
    let count = || -> Result<usize> {
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        let charts: serde_json::Value = serde_json::from_str(&text)?;
        let charts = charts["charts"].as_object().context("netdata names no charts")?;
        Ok(charts
            .values()
            .filter_map(|chart| chart["dimensions"].as_object())
            .map(serde_json::Map::len)
            .sum())
    };
    // It is asked once, before it is measured: it reads by itself.
    let mut known = None;
    measure("netdata", command, span, move || match known {
        Some(values) => Ok(values),
        None => count().inspect(|values| known = Some(*values)),
    })
}

fn collectd(root: &Path, span: Duration) -> Result<Footprint> {
    let folder = TempDir::with_prefix("flyball-collectd-")?;
    let (place, root_place) = (folder.path().display(), root.display());
    let plugins = ["cpu", "memory", "load", "interface", "disk", "df", "swap", "uptime", "csv"];
    let plugins: String = plugins.iter().map(|name| format!("LoadPlugin {name}\n")).collect();
    let config = format!(
        "BaseDir \"{place}\"\nPIDFile \"{place}/pid\"\nInterval 1\n\
         PluginDir \"{root_place}/usr/lib/collectd\"\n\
         TypesDB \"{root_place}/usr/share/collectd/types.db\"\n{plugins}\
         <Plugin csv>\n  DataDir \"{place}/csv\"\n</Plugin>\n"
    );
    let path = folder.path().join("collectd.conf");
    fs::write(&path, config)?;
    let mut command = command(root, "usr/sbin/collectd");
    command.arg("-f").arg("-C").arg(path);
    let data = folder.path().join("csv");
    measure("collectd", command, span, || Ok(values_of(&data)))
}

/// The numbers that collectd writes: every column but the time of every file.
fn values_of(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match fs::read_to_string(entry.path()) {
            Ok(text) => text.lines().next().map_or(0, |line| line.matches(',').count()),
            Err(_) => values_of(&entry.path()),
        })
        .sum()
}

pub(crate) fn command(root: &Path, program: &str) -> Command {
    let mut command = Command::new(root.join(program));
    let libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib"].map(|path| root.join(path));
    let libraries = libraries.map(|path| path.display().to_string()).join(":");
    command.env("LD_LIBRARY_PATH", libraries);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs a peer, calls `each_second` while it is measured, and ends it.
fn measure(
    name: &'static str,
    mut command: Command,
    span: Duration,
    mut each_second: impl FnMut() -> Result<usize>,
) -> Result<Footprint> {
    let child = Running(command.spawn().with_context(|| format!("{name} can't be started"))?);
    sleep(WARM_UP);
    let values = each_second().with_context(|| format!("{name} gives no values"))?;
    if values == 0 {
        bail!("{name} reads nothing");
    }
    // Helpers that a peer starts and ends meanwhile are left out: that is in its favour.
    let pids = process::family(child.0.id());
    let before: Vec<(u32, f64)> =
        pids.into_iter().filter_map(|pid| Some((pid, process::cpu_s(pid).ok()?))).collect();
    let started = clock::now();
    while started.elapsed() < span {
        let round = clock::now();
        each_second()?;
        sleep(SECOND.saturating_sub(round.elapsed()));
    }
    let used = |(pid, was): &(u32, f64)| Some(process::cpu_s(*pid).ok()? - was);
    let cpu_s: f64 = before.iter().filter_map(used).sum();
    let cpu_percent = cpu_s / started.elapsed().as_secs_f64() * 100.0;
    let family = process::family(child.0.id()).into_iter();
    let rss_mib = family.filter_map(|pid| process::rss_mib(pid).ok()).sum();
    Ok(Footprint { name, cpu_percent, rss_mib, values })
}

/// A peer that ends with its owner.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        for pid in process::family(self.0.id()).into_iter().rev() {
            if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
                // It may have gone by itself.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
        sleep(SECOND);
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
