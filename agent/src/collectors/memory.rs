//! `/proc/meminfo` (proc_meminfo(5)).
//!
//! The four states sum to the limit: `used` is what is neither free, buffers nor cache, and
//! reclaimable slab counts as cache, as free(1) has it. Utilization is against what is
//! available, which is what a machine can still give.

use super::procfs::{HeldFile, Procfs};
use super::text::whole;
use super::{Book, Slot, Tick, float};
use flyball_units::{Kind, NoData, Unit};

const KIB: u64 = 1024;

#[derive(Debug)]
pub(super) struct Memory {
    file: HeldFile,
    limit: Option<Slot>,
    available: Option<Slot>,
    utilization: Option<Slot>,
    used: Option<Slot>,
    free: Option<Slot>,
    buffers: Option<Slot>,
    cached: Option<Slot>,
    swap_used: Option<Slot>,
    swap_free: Option<Slot>,
}

/// The lines that are used, in bytes.
struct Fields {
    total: Field,
    free: Field,
    available: Field,
    buffers: Field,
    cached: Field,
    reclaimable: Field,
    swap_total: Field,
    swap_free: Field,
}

type Field = Result<u64, NoData>;

impl Memory {
    pub(super) fn open(procfs: &Procfs, book: &mut Book) -> Self {
        let mut bytes = |metric: &str, attributes: &[(&str, &str)]| {
            book.announce(metric, Kind::Memory, Unit::Byte, attributes)
        };
        let mut usage = |state| bytes("system.memory.usage", &[("system.memory.state", state)]);
        let (used, free) = (usage("used"), usage("free"));
        let (buffers, cached) = (usage("buffers"), usage("cached"));
        let mut paging = |state| bytes("system.paging.usage", &[("system.paging.state", state)]);
        let (swap_used, swap_free) = (paging("used"), paging("free"));
        let limit = bytes("system.memory.limit", &[]);
        let available = bytes("system.memory.linux.available", &[]);
        let utilization =
            book.announce("system.memory.utilization", Kind::Utilization, Unit::One, &[]);
        let file = procfs.file("meminfo");
        Self {
            file,
            limit,
            available,
            utilization,
            used,
            free,
            buffers,
            cached,
            swap_used,
            swap_free,
        }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        let fields = match self.file.read() {
            Ok(text) => Fields::parse(text),
            Err(failure) => return tick.fail(self.slots(), failure),
        };
        let put = |tick: &mut Tick<'_>, slot, field: Field| tick.put(slot, field.map(float));
        put(tick, self.limit, fields.total);
        put(tick, self.available, fields.available);
        put(tick, self.free, fields.free);
        put(tick, self.buffers, fields.buffers);
        put(tick, self.cached, fields.cache());
        put(tick, self.used, fields.used());
        put(tick, self.swap_free, fields.swap_free);
        put(tick, self.swap_used, difference(fields.swap_total, fields.swap_free));
        tick.put(self.utilization, fields.utilization());
    }

    fn slots(&self) -> [Option<Slot>; 9] {
        [
            self.limit,
            self.available,
            self.utilization,
            self.used,
            self.free,
            self.buffers,
            self.cached,
            self.swap_used,
            self.swap_free,
        ]
    }
}

impl Fields {
    fn parse(text: &str) -> Self {
        let missing = Err(NoData::Missing);
        let mut fields = Self {
            total: missing,
            free: missing,
            available: missing,
            buffers: missing,
            cached: missing,
            reclaimable: missing,
            swap_total: missing,
            swap_free: missing,
        };
        for line in text.lines() {
            let Some((name, rest)) = line.split_once(':') else { continue };
            let field = match name {
                "MemTotal" => &mut fields.total,
                "MemFree" => &mut fields.free,
                "MemAvailable" => &mut fields.available,
                "Buffers" => &mut fields.buffers,
                "Cached" => &mut fields.cached,
                "SReclaimable" => &mut fields.reclaimable,
                "SwapTotal" => &mut fields.swap_total,
                "SwapFree" => &mut fields.swap_free,
                _ => continue,
            };
            let kibibytes = whole(rest.split_ascii_whitespace().next());
            *field = kibibytes.map(|kibibytes| kibibytes.saturating_mul(KIB));
        }
        fields
    }

    fn cache(&self) -> Field {
        Ok(self.cached?.saturating_add(self.reclaimable?))
    }

    fn used(&self) -> Field {
        let unused = self.free?.saturating_add(self.buffers?).saturating_add(self.cache()?);
        difference(self.total, Ok(unused))
    }

    fn utilization(&self) -> Result<f64, NoData> {
        let total = self.total?;
        if total == 0 {
            return Err(NoData::OutOfRange);
        }
        Ok(float(difference(Ok(total), self.available)?) / float(total))
    }
}

fn difference(whole: Field, part: Field) -> Field {
    Ok(whole?.saturating_sub(part?))
}
