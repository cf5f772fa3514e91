//! CPU time and memory of a process and of its children, as /proc tells them.

use anyhow::{Context, Result};
use std::fs;

/// Clock ticks a second: `USER_HZ` is 100 on every Linux that Rust runs on.
const TICKS_PER_S: f64 = 100.0;

/// `pid` and every process below it.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let text = fs::read_to_string(path).unwrap_or_default();
        found.extend(text.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
        at += 1;
    }
    found
}

/// User and system time that `pid` has used, in seconds.
pub(crate) fn cpu_s(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    let after = stat.rsplit_once(')').context("stat has no name")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: f64 =
        fields.iter().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS_PER_S)
}

/// Resident memory of `pid` in MiB.
pub(crate) fn rss_mib(pid: u32) -> Result<f64> {
    mib(pid, "status", "VmRSS:")
}

/// The same at its highest.
pub(crate) fn peak_rss_mib(pid: u32) -> Result<f64> {
    mib(pid, "status", "VmHWM:")
}

/// The same, of each page only the share of this process among those that have it.
pub(crate) fn share_mib(pid: u32) -> Result<f64> {
    mib(pid, "smaps_rollup", "Pss:")
}

fn mib(pid: u32, file: &str, key: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).context("the process is gone")?;
    let line = text.lines().find(|line| line.starts_with(key));
    let line = line.with_context(|| format!("no {key}"))?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}

/// The first word that it was started with.
pub(crate) fn name(pid: u32) -> Result<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).context("the process is gone")?;
    let first = line.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(first).into_owned())
}
