//! Blocks into segments, and a day's segments into one.
//!
//! Each compaction is note, put, publish: the object's name is noted in the database, the object
//! is written, and one transaction makes its row and removes what went into it. Whatever is cut
//! off leaves the blocks as they were and at most a noted object that is collected later. The
//! samples of few series at a time stand in memory.

mod gather;
mod pass;

use super::segment::{SegmentWriter, Tier};
use super::{History, HistoryError, Publication, Scattered};
use super::{SegmentId, SegmentRow, Settled, Window};
use crate::store::Published;
use bytes::Bytes;
use gather::Gathered;
pub(super) use gather::Gathering;
pub use pass::Pass;

/// Windows that one pass takes on.
const WINDOWS: u32 = 256;
/// How long a device stays with one replica without a word from it.
const LEASE_MS: u64 = 10 * 60 * 1000;
/// An object that was noted and not published after this time never will be.
const ORPHAN_MS: u64 = 60 * 60 * 1000;
/// Readers in other replicas may still hold what was replaced.
const RETIRE_MS: u64 = 5 * 60 * 1000;
/// How long an export that does not move is waited for; nothing of seven days is worth a full disk.
const EXPORT_PATIENCE_MS: u64 = 7 * DAY_MS;
/// How long after a day's end its segments are merged, and after each late one.
const DAY_SETTLE_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Larger days stay in several segments.
const MAX_MERGED_BYTES: u64 = 128 * 1024 * 1024;
/// Objects that one pass removes.
const DEAD: u32 = 1000;

/// A segment that is written down nowhere yet.
pub(super) struct Draft {
    window: Window,
    bytes: Bytes,
    row: Option<SegmentRow>,
    blocks: Vec<i64>,
    segments: Vec<SegmentRow>,
}

impl History {
    /// Everything that is due: compaction, merging, retention, collection.
    ///
    /// # Errors
    /// Where the database fails, or the object store is not known to be this database's; a window
    /// that fails is left and counted.
    pub async fn pass(&self) -> Result<Pass, HistoryError> {
        // The room is judged first, so that whatever fails below leaves no old judgement standing.
        // That it can't be judged holds nothing up: what follows makes room.
        let judged = self.judge_room().await;
        // Collection too: a note is taken away with its object, wherever it was looked for.
        self.recognise().await?;
        let mut pass = Pass::default();
        self.compact(&mut pass).await?;
        self.merge(&mut pass).await?;
        self.retain(&mut pass).await?;
        self.collect(&mut pass).await?;
        judged?;
        if pass.has_done_something() {
            self.judge_room().await?;
        }
        Ok(pass)
    }

    /// The windows of blocks that are past. What lies in days that are over, since machines were
    /// cut off, becomes segments of days at once: they would be merged to these anyway.
    pub(super) async fn compact(&self, pass: &mut Pass) -> Result<(), HistoryError> {
        let window_ms = self.0.settings.window_ms();
        let settled = self.settled().await?;
        let today_ms = self.0.clock.now_ms().saturating_sub(DAY_SETTLE_MS) / DAY_MS * DAY_MS;
        let before_ms = settled.before_ms.min(today_ms);
        let of_days = Settled { before_ms, ..settled };
        for (window_ms, from_ms, settled) in [(DAY_MS, 0, of_days), (window_ms, before_ms, settled)]
        {
            let store = &self.0.store;
            for window in store.past_windows(window_ms, from_ms, &settled, WINDOWS).await? {
                self.take_on(&window, Gathering::Blocks(settled), pass).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn settled(&self) -> Result<Settled, HistoryError> {
        let settings = &self.0.settings;
        let now_ms = self.0.clock.now_ms();
        let settled_ms = now_ms.saturating_sub(settings.settle_ms());
        let patience_ms = now_ms.saturating_sub(EXPORT_PATIENCE_MS);
        Ok(Settled {
            before_ms: settled_ms - settled_ms % settings.window_ms(),
            arrived_by_ms: now_ms.saturating_sub(settings.linger_ms()),
            through: self.0.store.exported_through(patience_ms).await?.unwrap_or(i64::MAX),
        })
    }

    /// Days whose segments are to be one.
    async fn merge(&self, pass: &mut Pass) -> Result<(), HistoryError> {
        let settled_ms = self.0.clock.now_ms().saturating_sub(DAY_SETTLE_MS);
        let scattered = Scattered {
            before_ms: settled_ms - settled_ms % DAY_MS,
            made_by_ms: settled_ms,
            max_bytes: MAX_MERGED_BYTES,
        };
        for day in self.0.store.scattered_windows(DAY_MS, &scattered, WINDOWS).await? {
            let mut rows = self.0.store.segments_of(&day).await?;
            rows.retain(|row| row.tier == Tier::Samples);
            if rows.len() > 1 {
                self.take_on(&day, Gathering::Segments(rows), pass).await?;
            }
        }
        Ok(())
    }

    /// One window under its device's lease; a failure is logged and counted.
    async fn take_on(
        &self,
        window: &Window,
        gathering: Gathering,
        pass: &mut Pass,
    ) -> Result<(), HistoryError> {
        let (store, holder) = (&self.0.store, &self.0.holder);
        let now_ms = self.0.clock.now_ms();
        if !store.lease(window.device, holder, now_ms, now_ms.saturating_add(LEASE_MS)).await? {
            pass.left += 1;
            return Ok(());
        }
        let merges = matches!(gathering, Gathering::Segments(_));
        let done = self.make(window, gathering, pass).await;
        store.release_lease(window.device, holder).await?;
        match done {
            Ok(Published::Done) if merges => pass.merged += 1,
            Ok(Published::Done) => pass.segments += 1,
            Ok(Published::Overtaken) => pass.left += 1,
            Err(error) => {
                pass.left += 1;
                self.0.metrics.failures.inc();
                let (device, from_ms) = (window.device, window.from_ms);
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%device, from_ms, error, "a segment could not be made");
            }
        }
        Ok(())
    }

    async fn make(
        &self,
        window: &Window,
        gathering: Gathering,
        pass: &mut Pass,
    ) -> Result<Published, HistoryError> {
        let draft = self.draft(window, gathering, pass).await?;
        if draft.blocks.is_empty() && draft.segments.is_empty() {
            return Ok(Published::Overtaken);
        }
        let published = self.establish(&draft).await?;
        if published == Published::Done {
            pass.blocks += draft.blocks.len() as u64;
            self.0.metrics.published(&draft.blocks, draft.bytes.len());
        }
        Ok(published)
    }

    pub(super) async fn draft(
        &self,
        window: &Window,
        gathering: Gathering,
        pass: &mut Pass,
    ) -> Result<Draft, HistoryError> {
        let Gathered { writer, blocks, segments, set_aside, samples } =
            self.gather(window, gathering).await?;
        for (block, why) in &set_aside {
            self.0.store.set_aside(*block, why).await?;
            pass.set_aside += 1;
            let device = window.device;
            tracing::warn!(%device, block, "a block cannot be read and stays: {why}");
        }
        self.finish(*window, writer, Tier::Samples, samples).map(|(bytes, row)| Draft {
            window: *window,
            bytes,
            row,
            blocks,
            segments,
        })
    }

    /// A draft that stands for other segments of the same tier or finer.
    pub(super) fn redraft(
        &self,
        writer: SegmentWriter,
        tier: Tier,
        row: &SegmentRow,
    ) -> Result<Draft, HistoryError> {
        let (bytes, new) = self.finish(row.window, writer, tier, row.samples)?;
        Ok(Draft {
            window: row.window,
            bytes,
            row: new,
            blocks: Vec::new(),
            segments: vec![row.clone()],
        })
    }

    fn finish(
        &self,
        window: Window,
        writer: SegmentWriter,
        tier: Tier,
        samples: u64,
    ) -> Result<(Bytes, Option<SegmentRow>), HistoryError> {
        let Some((first_ms, last_ms)) = writer.bounds_ms() else { return Ok((Bytes::new(), None)) };
        let device = window.device;
        let (bytes, layout) =
            writer.finish().map_err(|source| HistoryError::Making(device, source))?;
        let object = format!("{device}/{}-{}.fbsg", window.from_ms, self.0.clock.new_id());
        let id = SegmentId(0);
        let row = SegmentRow { id, window, first_ms, last_ms, tier, samples, object, layout };
        Ok((bytes.into(), Some(row)))
    }

    pub(super) async fn establish(&self, draft: &Draft) -> Result<Published, HistoryError> {
        self.note(draft).await?;
        self.put(draft).await?;
        self.publish(draft).await
    }

    pub(super) async fn note(&self, draft: &Draft) -> Result<(), HistoryError> {
        if let Some(row) = &draft.row {
            let remove_ms = self.0.clock.now_ms().saturating_add(ORPHAN_MS);
            self.0.store.note_object(&row.object, remove_ms).await?;
        }
        Ok(())
    }

    pub(super) async fn put(&self, draft: &Draft) -> Result<(), HistoryError> {
        if let Some(row) = &draft.row {
            self.0.objects.put(&row.object, draft.bytes.clone()).await?;
            // Dashboards ask for what is new; its tail need not come back over the network.
            let tail = super::tail_of(&row.layout);
            let bytes = usize::try_from(tail.start).ok().and_then(|at| draft.bytes.get(at..));
            if let Some(bytes) = bytes {
                self.0.objects.keep(&row.object, &tail, draft.bytes.slice_ref(bytes));
            }
        }
        Ok(())
    }

    pub(super) async fn publish(&self, draft: &Draft) -> Result<Published, HistoryError> {
        let publication = Publication {
            window: &draft.window,
            object: draft.row.as_ref(),
            blocks: &draft.blocks,
            segments: &draft.segments,
        };
        let now_ms = self.0.clock.now_ms();
        let retire_ms = now_ms.saturating_add(RETIRE_MS);
        Ok(self.0.store.publish(&publication, now_ms, retire_ms).await?)
    }

    /// Removes objects that no row reads. The note goes first: were the object removed and the
    /// note left, a publication could still count on it.
    pub(super) async fn collect(&self, pass: &mut Pass) -> Result<(), HistoryError> {
        let now_ms = self.0.clock.now_ms();
        for object in self.0.store.dead_objects(now_ms, DEAD).await? {
            if !self.0.store.bury(&object, now_ms).await? {
                continue;
            }
            if let Err(error) = self.0.objects.remove(&object).await {
                self.0.store.note_object(&object, now_ms.saturating_add(RETIRE_MS)).await?;
                let error = &error as &dyn std::error::Error;
                tracing::warn!(object, error, "a dead object could not be removed");
                continue;
            }
            self.0.tails.invalidate(&object).await;
            pass.collected += 1;
        }
        Ok(())
    }
}
