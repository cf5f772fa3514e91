//! The host's side of one instance: its log quota, its files, its limits.

use crate::limits::{self, Exceeded, Limiter};
use flyball_plugin_messages::{Event, File, LogLevel};

/// What a store holds. Lives for one call.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) limiter: Limiter,
    files: Vec<File>,
    lines: Vec<(LogLevel, String)>,
    log_bytes: usize,
}

impl State {
    pub(crate) fn with_files(files: Vec<File>) -> Self {
        Self { files, ..Self::default() }
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
    pub(crate) fn take_lines(&mut self) -> impl Iterator<Item = Event> {
        std::mem::take(&mut self.lines).into_iter().map(|(level, line)| Event::Log { level, line })
    }

    /// What the SDK's panic hook wrote, the plainest reason for a trap.
    pub(crate) fn panic(&self) -> Option<&str> {
        self.lines.iter().rev().find_map(|(_, line)| line.strip_prefix("panic: "))
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
        let state = State::with_files(vec![file]);
        assert_eq!(state.piece("a", 0, 3), Some(&b"fly"[..]));
        assert_eq!(state.piece("a", 3, 100), Some(&b"ball"[..]));
        assert_eq!(state.piece("a", u64::MAX, u32::MAX), Some(&b""[..]));
        assert_eq!(state.piece("../a", 0, 3), None);
    }

    #[test]
    fn the_log_ends_at_its_quota_and_long_lines_are_cut_between_characters() {
        let mut state = State::default();
        state.log(LogLevel::Info, &"ü".repeat(1000)).unwrap();
        let Some(Event::Log { line, .. }) = state.take_lines().next() else { panic!() };
        assert_eq!(line.len(), limits::LOG_LINE_BYTES);
        let long = "x".repeat(limits::LOG_BYTES);
        assert_eq!(state.log(LogLevel::Info, &long), Err(Exceeded::Log));
    }
}
