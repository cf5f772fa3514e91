//! The machine as its operator knows it, for enrolment and for every `Hello`.

use flyball_protocol::guard::BoardInfo;
use flyball_protocol::message::Machine;
use sysinfo::System;

/// Longer names are cut: the aggregator shows them in lists.
const MAX_NAME_BYTES: usize = 253;

/// What the kernel says of this machine; `board` adds what only the guard may read.
pub(crate) fn describe(name: Option<&str>, simulated: bool, board: Option<&BoardInfo>) -> Machine {
    let unknown = || "unknown".to_owned();
    let hostname = match name {
        Some(name) => name.to_owned(),
        None => System::host_name().unwrap_or_else(|_| unknown()),
    };
    Machine {
        hostname: cut(hostname),
        os: System::long_os_version().unwrap_or_else(|_| unknown()),
        kernel: System::kernel_version().unwrap_or_else(|_| unknown()),
        arch: System::cpu_arch(),
        vendor: board.and_then(|board| board.vendor.clone()),
        product: board.and_then(|board| board.product.clone()),
        serial: board.and_then(|board| board.serial.clone()),
        cpus: std::thread::available_parallelism()
            .map_or(0, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
        memory_bytes: memory_bytes(),
        simulated: simulated || board.is_some_and(|board| board.simulated),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram.saturating_mul(info.mem_unit.into())
}

fn cut(mut name: String) -> String {
    while name.len() > MAX_NAME_BYTES {
        name.pop();
    }
    name
}
