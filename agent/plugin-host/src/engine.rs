//! The one engine configuration, and the clock tick that stops a guest.

use crate::{clock, limits};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use wasmtime::{Config, Engine, PoolingAllocationConfig};

/// One epoch. A deadline of n milliseconds is n/5 epochs and one more.
pub const TICK: Duration = Duration::from_millis(5);

/// What this build's code is compiled for. Code of another engine is compiled anew; the engine
/// itself checks the processor's features when it loads.
pub const ENGINE: &str = concat!("wasmtime-48/", env!("CARGO_PKG_VERSION"), "/1");

/// How instances get their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// One instance after another out of slots that are reserved once: the runner.
    Pooled,
    /// As needed: the compiler, whose address space is limited.
    OnDemand,
}

/// The configuration that compiler and runner share; only the allocation differs, and that
/// leaves no mark on the code.
#[must_use]
pub fn engine_config(memory: Memory) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(limits::STACK_BYTES);
    config.wasm_memory64(false);
    config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    if memory == Memory::Pooled {
        config.allocation_strategy(slots());
    }
    config
}

/// An engine of that configuration.
///
/// # Errors
/// Where this machine can't run it.
pub fn engine(memory: Memory) -> wasmtime::Result<Engine> {
    Engine::new(&engine_config(memory))
}

/// An engine of that configuration that counts what its guests do: the same for the same work on
/// any machine. Its code is its own; nothing in production counts.
///
/// # Errors
/// Where this machine can't run it.
#[cfg(feature = "compile")]
pub fn counting_engine(memory: Memory) -> wasmtime::Result<Engine> {
    let mut config = engine_config(memory);
    config.consume_fuel(true);
    Engine::new(&config)
}

/// A process runs one call at a time; the second slot is the instance that is just ending.
fn slots() -> PoolingAllocationConfig {
    let mut slots = PoolingAllocationConfig::default();
    slots
        .total_component_instances(2)
        .total_core_instances(2 * limits::CORE_INSTANCES)
        .total_memories(2 * limits::MEMORIES)
        .total_tables(2 * limits::TABLES)
        .max_core_instances_per_component(limits::CORE_INSTANCES)
        .max_memories_per_component(limits::MEMORIES)
        .max_tables_per_component(limits::TABLES)
        .max_memory_size(limits::MEMORY_BYTES)
        .table_elements(limits::TABLE_ELEMENTS)
        .max_component_instance_size(1024 * 1024)
        .max_unused_warm_slots(2)
        .linear_memory_keep_resident(256 * 1024)
        .table_keep_resident(16 * 1024);
    slots
}

/// Advances an engine's epoch while a call runs, and sleeps without waking otherwise.
#[derive(Debug)]
pub struct Ticker {
    switch: SyncSender<bool>,
}

impl Ticker {
    /// # Errors
    /// Where no thread can be started.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let (switch, switched) = sync_channel::<bool>(2);
        let (started, starting) = sync_channel::<()>(1);
        let engine = engine.weak();
        std::thread::Builder::new().name("epochs".into()).spawn(move || {
            if started.send(()).is_err() {
                return;
            }
            let mut since: Option<(Instant, u32)> = None;
            loop {
                let change = match since {
                    Some(_) => switched.recv_timeout(TICK),
                    None => switched.recv().map_err(|_| RecvTimeoutError::Disconnected),
                };
                match (change, &mut since) {
                    (Ok(true), _) => since = Some((clock::now(), 0)),
                    (Ok(false), _) => since = None,
                    (Err(RecvTimeoutError::Disconnected), _) => return,
                    (Err(RecvTimeoutError::Timeout), Some((start, ticks))) => {
                        let Some(engine) = engine.upgrade() else { return };
                        // A busy machine wakes this thread late: it makes up for what it missed.
                        while TICK * (*ticks + 1) <= clock::now().duration_since(*start) {
                            engine.increment_epoch();
                            *ticks += 1;
                        }
                    }
                    (Err(RecvTimeoutError::Timeout), None) => {}
                }
            }
        })?;
        // A thread makes system calls of its own while it starts; the process may be confined
        // as soon as this returns.
        starting.recv().map_err(std::io::Error::other)?;
        Ok(Self { switch })
    }

    /// Ticks for as long as the value lives.
    #[must_use]
    pub fn tick(&self) -> Ticking<'_> {
        self.set(true);
        Ticking(self)
    }

    fn set(&self, on: bool) {
        match self.switch.try_send(on) {
            Ok(()) => {}
            // Two changes wait unread: wait for the thread, which reads within a tick.
            Err(TrySendError::Full(on)) => {
                // The thread lives as long as the sender; a send fails only at its end.
                let _ended = self.switch.send(on);
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }
}

#[derive(Debug)]
pub struct Ticking<'a>(&'a Ticker);

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
