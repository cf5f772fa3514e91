//! What one call of a plugin may cost. Every bound of the host stands here.

use crate::engine::TICK;
use wasmtime::{ResourceLimiter, Store};

/// A component file.
pub const COMPONENT_BYTES: u64 = 64 * 1024 * 1024;
/// Linear memory of an instance, all its memories together.
pub const MEMORY_BYTES: usize = 64 * 1024 * 1024;
pub const MEMORIES: u32 = 4;
pub const TABLES: u32 = 16;
pub const TABLE_ELEMENTS: usize = 20_000;
/// Core instances in one component; CPython's needs 38.
pub const CORE_INSTANCES: u32 = 64;
pub const STACK_BYTES: usize = 512 * 1024;
/// What a guest can make the host copy in one call of an import, or as its result.
pub const LIFT_BYTES: usize = 32 * 1024 * 1024;
/// Everything that a call gives back, together.
pub const OUTPUT_BYTES: usize = 32 * 1024 * 1024;
pub const DIAGNOSTICS: usize = 200;
pub const LOG_BYTES: usize = 64 * 1024;
pub const LOG_LINE_BYTES: usize = 1024;
/// One read of an input file.
pub const READ_BYTES: u32 = 1024 * 1024;
/// Steps of one import: far above any course, below a job that never ends.
pub const STEPS: u32 = 100_000;
/// What a call asks of the agent, all together; a poll needs a few.
pub const ASKS: u32 = 256;
/// One request, with its headers; one answer has as much.
pub const FETCH_BYTES: usize = 8 * 1024 * 1024;
/// All requests of a call and their answers.
pub const EXCHANGED_BYTES: usize = 128 * 1024 * 1024;
/// How often a call's progress is passed on: nobody reads faster.
pub const PROGRESS_EVERY_MS: u64 = 100;
/// Of randomness at once.
pub const RANDOM_BYTES: u32 = 64 * 1024;
/// Items that are being written at once.
pub const BLOBS: usize = 16;
/// Of one poll.
pub const READINGS: usize = 10_000;
/// Of one reading.
pub const LABELS: usize = 64;
/// A name, a unit, a label of a reading.
pub const READING_TEXT_BYTES: usize = 1024;
/// What is said of a fault: more is cut.
pub const MESSAGE_BYTES: usize = 4 * 1024;
/// `describe` and whatever runs at instantiation.
pub const DESCRIBE_MS: u32 = 2_000;

/// Which limit a guest ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    #[error("memory: it asked for more than {} MiB", MEMORY_BYTES / 1024 / 1024)]
    Memory,
    #[error("tables: it asked for more than {TABLE_ELEMENTS} elements")]
    Table,
    #[error("time: it was stopped after {0} ms")]
    Time(u32),
    #[error("stack: it called more deeply than {} KiB hold", STACK_BYTES / 1024)]
    Stack,
    #[error("lifting: it handed over more than {} MiB at once", LIFT_BYTES / 1024 / 1024)]
    Lift,
    #[error("log: it wrote more than {} KiB", LOG_BYTES / 1024)]
    Log,
    #[error("output: it gave back more than {} MiB", OUTPUT_BYTES / 1024 / 1024)]
    Output,
    #[error("steps: the import took more than {STEPS}")]
    Steps,
    #[error("handles: it holds more resources than the host keeps for it")]
    Handles,
    #[error("asking: it asked the agent more than {ASKS} times")]
    Asks,
    #[error("asking: it asked for a request of more than {} MiB", FETCH_BYTES / 1024 / 1024)]
    Fetch,
    #[error("asking: its requests and their answers have more than {} MiB", EXCHANGED_BYTES / 1024 / 1024)]
    Exchanged,
    #[error("randomness: it asked for more than {} KiB at once", RANDOM_BYTES / 1024)]
    Random,
    #[error("items: it writes more than {BLOBS} at once")]
    Blobs,
    #[error("readings: one poll gave more than {READINGS}")]
    Readings,
    #[error("readings: one of them has more than {LABELS} labels")]
    Labels,
    #[error("readings: a name, a unit or a label has more than {READING_TEXT_BYTES} bytes")]
    ReadingText,
}

/// Grants memory and tables within the bounds, and remembers the refusal: a guest that is
/// refused memory traps later, at a place that no longer says why.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    pub(crate) exceeded: Option<Exceeded>,
}

impl Limiter {
    /// What its memories have grown to: they never shrink.
    pub(crate) const fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > MEMORY_BYTES {
            self.exceeded = Some(Exceeded::Memory);
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS {
            self.exceeded = Some(Exceeded::Table);
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

/// Arms a store for one call: before anything of the guest runs, so that a start function is
/// bound as well.
pub(crate) fn arm<T: 'static>(
    store: &mut Store<T>,
    deadline_ms: u32,
    limiter: fn(&mut T) -> &mut Limiter,
) {
    store.limiter(move |state| limiter(state));
    store.set_hostcall_fuel(LIFT_BYTES);
    let ticks = u64::from(deadline_ms) / u64::try_from(TICK.as_millis()).unwrap_or(1);
    store.set_epoch_deadline(ticks + 1);
    // Refused by every engine but the one that counts, which needs something to count down from.
    let _counting = store.set_fuel(u64::MAX);
}
