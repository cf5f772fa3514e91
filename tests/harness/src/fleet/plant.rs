//! The control socket of a simulated board's plant.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Where a plant listens; a connection is made for every word.
#[derive(Clone, Debug)]
pub struct PlantSocket(PathBuf);

impl PlantSocket {
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Says one thing to the plant and gives back its answer.
    ///
    /// # Errors
    /// Where the plant is away or answers with a fault.
    pub fn say(&self, word: &Value) -> Result<Value> {
        let mut stream = UnixStream::connect(&self.0)
            .with_context(|| format!("no plant at {}", self.0.display()))?;
        writeln!(stream, "{word}")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line).context("the plant's answer is no JSON")?;
        match answer.get("error") {
            Some(error) => bail!("the plant refuses {word}: {error}"),
            None => Ok(answer),
        }
    }
}
