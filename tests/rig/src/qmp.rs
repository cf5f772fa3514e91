//! QEMU's own socket: it says how a machine ended, and pulls its network cable.

use crate::clock;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Qmp {
    reader: BufReader<UnixStream>,
    line: String,
    events: Vec<Value>,
}

impl Qmp {
    pub(crate) fn connect(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        let (line, events) = (String::new(), Vec::new());
        let mut qmp = Self { reader: BufReader::new(stream), line, events };
        qmp.call("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    pub(crate) fn call(&mut self, name: &str, arguments: &Value) -> Result<Value> {
        let request = json!({ "execute": name, "arguments": arguments });
        self.reader.get_mut().write_all(format!("{request}\n").as_bytes())?;
        let end = clock::now() + Duration::from_secs(10);
        while clock::now() < end {
            match self.next()? {
                Some(answer) if answer.get("return").is_some() => return Ok(answer),
                Some(answer) if answer.get("error").is_some() => bail!("QEMU refuses: {answer}"),
                Some(event) if event.get("event").is_some() => self.events.push(event),
                Some(_) | None => {}
            }
        }
        bail!("QEMU does not answer `{name}`")
    }

    /// The events that have come since the last look.
    pub(crate) fn events(&mut self) -> Vec<Value> {
        while let Ok(Some(event)) = self.next() {
            self.events.push(event);
        }
        std::mem::take(&mut self.events)
    }

    fn next(&mut self) -> Result<Option<Value>> {
        match self.reader.read_line(&mut self.line) {
            Ok(0) => bail!("QEMU has gone"),
            Ok(_) => {
                let value = serde_json::from_str(&self.line);
                self.line.clear();
                Ok(Some(value?))
            }
            // What has come of a line stays in `line` for the next look.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
