//! The guest's shell over its serial line: one command, one answer.

use crate::clock;
use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A guest that prints without end is cut off here.
const MAX_BUFFER: usize = 4 * 1024 * 1024;
/// How much of its last words goes into an error.
const MAX_HEARD: usize = 4096;

#[derive(Debug)]
pub(crate) struct Serial {
    stream: UnixStream,
    buffer: String,
    /// The beginning of a character whose rest has not come.
    torn: Vec<u8>,
    /// The last of everything that came, taken by a command or not.
    heard: String,
    commands: u32,
}

impl Serial {
    pub(crate) fn connect(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        Ok(Self {
            stream,
            buffer: String::new(),
            torn: Vec::new(),
            heard: String::new(),
            commands: 0,
        })
    }

    /// Everything up to `mark`, which is taken out.
    pub(crate) fn until(&mut self, mark: &str, patience: Duration) -> Result<String> {
        let end = clock::now() + patience;
        loop {
            if let Some(at) = self.buffer.find(mark) {
                let text = self.buffer[..at].to_owned();
                self.buffer.drain(..at + mark.len());
                return Ok(text);
            }
            if clock::now() > end {
                let tail = self.tail();
                bail!("the guest did not say `{mark}` within {patience:?}; its last words: {tail}");
            }
            self.pump()?;
        }
    }

    /// Reads what is there.
    pub(crate) fn pump(&mut self) -> Result<()> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => bail!("the guest's serial line is closed; its last words: {}", self.tail()),
            Ok(count) => {
                let mut came = std::mem::take(&mut self.torn);
                came.extend_from_slice(&bytes[..count]);
                if let Err(error) = std::str::from_utf8(&came)
                    && error.error_len().is_none()
                {
                    self.torn = came.split_off(error.valid_up_to());
                }
                let text = String::from_utf8_lossy(&came);
                self.buffer.push_str(&text);
                self.heard.push_str(&text);
                if self.heard.len() > 2 * MAX_HEARD {
                    self.heard = tail(&self.heard, MAX_HEARD).to_owned();
                }
                if self.buffer.len() > MAX_BUFFER {
                    bail!("the guest prints without end");
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => {
                let tail = self.tail();
                return Err(error).context(format!("the guest has gone; its last words: {tail}"));
            }
        }
        Ok(())
    }

    /// Types a command and gives back what it printed.
    pub(crate) fn run(&mut self, command: &str, patience: Duration) -> Result<String> {
        self.commands += 1;
        // The mark is cut in two, so that an echo of the command is not taken for its end.
        let number = self.commands;
        let line = format!("{command}\necho \"DO\"\"NE{number}.\"\n");
        self.stream.write_all(line.as_bytes())?;
        let text = self.until(&format!("DONE{number}."), patience)?;
        Ok(text.replace('\r', "").trim().to_owned())
    }

    pub(crate) fn tail(&self) -> String {
        tail(&self.heard, MAX_HEARD).replace('\r', "")
    }
}

/// The last `bytes` of `text`, or a little less.
fn tail(text: &str, bytes: usize) -> &str {
    let start = text.len().saturating_sub(bytes);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or_default()..]
}
