//! The process table, for an operator's snapshot. Scanning it costs more than all other
//! readings together, so it is done a few times a minute and never stored as series.

use flyball_protocol::message::Process;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// The processes of a snapshot: the busiest, then the largest.
const MAX_PROCESSES: usize = 64;
const MAX_NAME_CHARS: usize = 64;

pub(crate) struct ProcessTable {
    system: System,
}

impl ProcessTable {
    pub(crate) fn new() -> Result<Self, sysinfo::Error> {
        Ok(Self { system: System::new()? })
    }

    /// Scans now. Shares are of one processor, over the time since the scan before; the first
    /// scan has none yet and gives nothing.
    pub(crate) fn scan(&mut self) -> Option<Vec<Process>> {
        let first = self.system.processes().is_empty();
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        if first { None } else { Some(self.busiest()) }
    }

    fn busiest(&self) -> Vec<Process> {
        let mut all: Vec<_> = self.system.processes().values().collect();
        all.sort_unstable_by(|a, b| {
            let by_cpu = b.cpu_usage().total_cmp(&a.cpu_usage());
            by_cpu.then_with(|| b.memory().cmp(&a.memory()))
        });
        all.truncate(MAX_PROCESSES);
        all.into_iter()
            .map(|process| Process {
                pid: process.pid().as_u32(),
                name: process.name().to_string_lossy().chars().take(MAX_NAME_CHARS).collect(),
                cpu_percent: process.cpu_usage(),
                memory_bytes: process.memory(),
            })
            .collect()
    }
}

impl core::fmt::Debug for ProcessTable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ProcessTable(..)")
    }
}
