//! The host's side of one instance: its log quota, its files, its limits, and what it may ask for.

use crate::clock;
use crate::limits::{self, Exceeded, Limiter};
use crate::outside::{Nobody, Outside};
use flyball_plugin_messages::{
    Answer, Ask, Context, Event, Failure, FailureKind, File, Item, LogLevel,
};
use std::rc::Rc;
use std::time::Instant;
use wasmtime::component::{Resource, ResourceTable};

/// A guest's clock shows whole hundredths of a second: enough for time stamps, too little to
/// listen to its neighbours by.
const TICK_MS: u64 = 10;

/// What a store holds. Lives for one call, a collector's for as many as its session.
pub(crate) struct State {
    pub(crate) limiter: Limiter,
    files: Vec<File>,
    lines: Vec<(LogLevel, String)>,
    log_bytes: usize,
    context: Context,
    outside: Rc<dyn Outside>,
    asks: u32,
    exchanged_bytes: usize,
    /// When progress was passed on last, and whether anybody waited then.
    reported: Option<(u64, bool)>,
    deadline_ms: u32,
    blobs: ResourceTable,
    open_blobs: usize,
    blob_bytes: usize,
    items: Vec<Item>,
    seed: u64,
    began: Instant,
    /// Of the call that runs; `began` is the first one's.
    called: Instant,
}

/// An item that is being written.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Debug)]
pub struct Blob(Option<Item>);

impl State {
    pub(crate) fn new(context: Context, files: Vec<File>, outside: Rc<dyn Outside>) -> Self {
        let now = clock::now();
        Self {
            limiter: Limiter::default(),
            files,
            lines: Vec::new(),
            log_bytes: 0,
            seed: context.seed.unwrap_or_default(),
            context,
            outside,
            asks: 0,
            exchanged_bytes: 0,
            reported: None,
            deadline_ms: limits::DESCRIBE_MS,
            blobs: ResourceTable::new(),
            open_blobs: 0,
            blob_bytes: 0,
            items: Vec::new(),
            began: now,
            called: now,
        }
    }

    /// Of a call that reaches nothing.
    pub(crate) fn bare() -> Self {
        Self::new(Context::default(), Vec::new(), Rc::new(Nobody))
    }

    pub(crate) fn outside(&self) -> Rc<dyn Outside> {
        Rc::clone(&self.outside)
    }

    /// A call begins: quotas begin anew.
    pub(crate) fn begin(&mut self, outside: Rc<dyn Outside>, deadline_ms: u32) {
        (self.outside, self.deadline_ms, self.called) = (outside, deadline_ms, clock::now());
        (self.asks, self.exchanged_bytes, self.log_bytes) = (0, 0, 0);
        self.reported = None;
        self.lines.clear();
    }

    /// What is left of the call's time.
    fn left_ms(&self) -> u32 {
        let spent = clock::now().duration_since(self.called).as_millis();
        self.deadline_ms.saturating_sub(u32::try_from(spent).unwrap_or(u32::MAX))
    }

    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        let mut settings = self.context.settings.iter();
        settings.find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn setting_names(&self) -> Vec<String> {
        self.context.settings.iter().map(|(name, _)| name.clone()).collect()
    }

    #[expect(clippy::unused_self, reason = "the clock is the machine's")]
    pub(crate) fn unix_ms(&self) -> u64 {
        clock::unix_ms() / TICK_MS * TICK_MS
    }

    pub(crate) fn elapsed_ms(&self) -> u64 {
        let since = clock::now().duration_since(self.began).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX) / TICK_MS * TICK_MS
    }

    /// `SplitMix64`: spread evenly, the same for the same seed, and no secret.
    pub(crate) fn random(&mut self, length: u32) -> Result<Vec<u8>, Exceeded> {
        if length > limits::RANDOM_BYTES {
            return Err(self.exceed(Exceeded::Random));
        }
        let mut bytes = Vec::with_capacity(length as usize + 8);
        while bytes.len() < length as usize {
            self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = self.seed;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
        }
        bytes.truncate(length as usize);
        Ok(bytes)
    }

    /// Has the agent do something, while the guest waits: no longer than its call may take.
    pub(crate) fn ask(&mut self, mut ask: Ask) -> Result<Answer, Exceeded> {
        self.asks += 1;
        if self.asks > limits::ASKS {
            return Err(self.exceed(Exceeded::Asks));
        }
        let size = size(&ask);
        if size > limits::FETCH_BYTES {
            return Err(self.exceed(Exceeded::Fetch));
        }
        self.exchange(size)?;
        let left_ms = self.left_ms();
        if left_ms == 0 {
            return Err(self.exceed(Exceeded::Time(self.deadline_ms)));
        }
        if let Ask::Fetch(fetch) = &mut ask {
            fetch.timeout_ms = fetch.timeout_ms.min(left_ms);
        }
        let answer = self.outside.ask(ask);
        if let Answer::Fetched(fetched) = &answer {
            self.exchange(fetched.size())?;
        }
        Ok(answer)
    }

    fn exchange(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.exchanged_bytes = self.exchanged_bytes.saturating_add(bytes);
        if self.exchanged_bytes > limits::EXCHANGED_BYTES {
            return Err(self.exceed(Exceeded::Exchanged));
        }
        Ok(())
    }

    /// Passes on how far a call is, now and then. Does anybody wait?
    pub(crate) fn report(&mut self, done: u64, total: Option<u64>, note: &str) -> bool {
        let now_ms = self.elapsed_ms();
        if let Some((at_ms, go_on)) = self.reported
            && now_ms < at_ms + limits::PROGRESS_EVERY_MS
        {
            return go_on;
        }
        let note = shortened(note, limits::LOG_LINE_BYTES);
        let answer = self.outside.ask(Ask::Progress { done, total, note });
        let go_on = matches!(answer, Answer::Progress { go_on: true });
        self.reported = Some((now_ms, go_on));
        go_on
    }

    fn exceed(&mut self, exceeded: Exceeded) -> Exceeded {
        self.limiter.exceeded = Some(exceeded);
        exceeded
    }

    pub(crate) fn open_blob(&mut self, item: Item) -> wasmtime::Result<Resource<Blob>> {
        if self.open_blobs >= limits::BLOBS {
            return Err(self.exceed(Exceeded::Blobs).into());
        }
        self.keep(item.size())?;
        self.open_blobs += 1;
        Ok(self.blobs.push(Blob(Some(item)))?)
    }

    /// All blobs of a call together have the room of its output.
    pub(crate) fn write_blob(
        &mut self,
        blob: &Resource<Blob>,
        chunk: &[u8],
    ) -> wasmtime::Result<Result<(), Failure>> {
        self.keep(chunk.len())?;
        Ok(match &mut self.blobs.get_mut(blob)?.0 {
            Some(item) => {
                item.data.extend_from_slice(chunk);
                Ok(())
            }
            None => Err(finished()),
        })
    }

    fn keep(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.blob_bytes = self.blob_bytes.saturating_add(bytes);
        if self.blob_bytes > limits::OUTPUT_BYTES {
            return Err(self.exceed(Exceeded::Output));
        }
        Ok(())
    }

    pub(crate) fn finish_blob(
        &mut self,
        blob: &Resource<Blob>,
    ) -> wasmtime::Result<Result<(), Failure>> {
        let item = self.blobs.get_mut(blob)?.0.take();
        Ok(item.map(|item| self.items.push(item)).ok_or_else(finished))
    }

    pub(crate) fn drop_blob(&mut self, blob: Resource<Blob>) -> wasmtime::Result<()> {
        self.open_blobs = self.open_blobs.saturating_sub(1);
        self.blobs.delete(blob)?;
        Ok(())
    }

    /// What was finished since the last call of this.
    pub(crate) fn take_items(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.items)
    }

    pub(crate) fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// `None` where there is no such file; empty past its end.
    pub(crate) fn piece(&self, path: &str, offset: u64, length: u32) -> Option<&[u8]> {
        let bytes = &self.files.iter().find(|file| file.path == path)?.bytes;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let length = length.min(limits::READ_BYTES) as usize;
        Some(&bytes[start..bytes.len().min(start.saturating_add(length))])
    }

    pub(crate) fn log(&mut self, level: LogLevel, message: &str) -> Result<(), Exceeded> {
        self.log_bytes = self.log_bytes.saturating_add(message.len());
        if self.log_bytes > limits::LOG_BYTES {
            self.limiter.exceeded = Some(Exceeded::Log);
            return Err(Exceeded::Log);
        }
        self.lines.push((level, shortened(message, limits::LOG_LINE_BYTES)));
        Ok(())
    }

    /// What was logged since the last call of this.
    pub(crate) fn take_lines(&mut self) -> Vec<Event> {
        let lines = std::mem::take(&mut self.lines);
        lines.into_iter().map(|(level, line)| Event::Log { level, line }).collect()
    }

    /// What the SDK's panic hook wrote, the plainest reason for a trap.
    pub(crate) fn panic(&self) -> Option<&str> {
        self.lines.iter().rev().find_map(|(_, line)| line.strip_prefix("panic: "))
    }
}

fn finished() -> Failure {
    Failure::new(FailureKind::InvalidInput, "the item is finished already")
}

/// All that is handed over with it.
fn size(ask: &Ask) -> usize {
    match ask {
        Ask::Fetch(fetch) => fetch.size(),
        Ask::Subscribe { broker, filters } => {
            broker.len() + filters.iter().map(String::len).sum::<usize>()
        }
        Ask::Take { .. } | Ask::Progress { .. } => 0,
    }
}

/// At most `bytes` of it, cut between characters, control characters as spaces: it ends in a
/// terminal.
fn shortened(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_in_pieces_up_to_its_end() {
        let file = File { path: "a".into(), bytes: b"flyball".to_vec() };
        let state = State::new(Context::default(), vec![file], Rc::new(Nobody));
        assert_eq!(state.piece("a", 0, 3), Some(&b"fly"[..]));
        assert_eq!(state.piece("a", 3, 100), Some(&b"ball"[..]));
        assert_eq!(state.piece("a", u64::MAX, u32::MAX), Some(&b""[..]));
        assert_eq!(state.piece("../a", 0, 3), None);
    }

    #[test]
    fn the_log_ends_at_its_quota_and_long_lines_are_cut_between_characters() {
        let mut state = State::bare();
        state.log(LogLevel::Info, &"ü".repeat(1000)).unwrap();
        let Some(Event::Log { line, .. }) = state.take_lines().into_iter().next() else { panic!() };
        assert_eq!(line.len(), limits::LOG_LINE_BYTES);
        let long = "x".repeat(limits::LOG_BYTES);
        assert_eq!(state.log(LogLevel::Info, &long), Err(Exceeded::Log));
    }
}
