//! The peer of ingest and queries: `VictoriaMetrics` as Debian has it, on loopback, its data in a
//! folder of its own.

use super::remote_write;
use super::workload::Batch;
use crate::{peer, process};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const NAME: &str = "VictoriaMetrics 1.79.5";
/// Requests at once, as from several machines.
const SENDERS: usize = 4;

pub(crate) struct Victoria {
    child: Child,
    base: String,
    client: ureq::Agent,
    _data: TempDir,
}

impl Victoria {
    /// Starts it; `None` where the peers are not there.
    pub(crate) fn start() -> Result<Option<Self>> {
        let Some(root) = std::env::var_os("FLYBALL_PEERS").map(PathBuf::from) else {
            return Ok(None);
        };
        let data = TempDir::with_prefix("flyball-victoria-")?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = peer::command(&root, "usr/bin/victoria-metrics");
        command.arg(format!("-storageDataPath={}", data.path().display()));
        command.arg(format!("-httpListenAddr={address}"));
        command.args(["-retentionPeriod=12", "-search.disableCache", "-loggerLevel=ERROR"]);
        let child = command.spawn().context("victoria-metrics can't be started")?;
        let victoria = Self {
            child,
            base: format!("http://{address}"),
            client: ureq::Agent::new_with_defaults(),
            _data: data,
        };
        for _ in 0..200 {
            if victoria.client.get(format!("{}/health", victoria.base)).call().is_ok() {
                return Ok(Some(victoria));
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("victoria-metrics does not answer on {address}")
    }

    pub(crate) fn cpu_s(&self) -> Result<f64> {
        process::cpu_s(self.child.id())
    }

    /// Writes every batch of every instance; gives back the bytes of all bodies.
    pub(crate) fn write(&self, batches: &[Batch], instances: usize) -> Result<u64> {
        let work = batches.iter().flat_map(|batch| (0..instances).map(move |one| (batch, one)));
        let work = Mutex::new(work);
        let next = || work.lock().ok().and_then(|mut work| work.next());
        thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS)
                .map(|_| {
                    scope.spawn(|| {
                        let mut bytes = 0;
                        while let Some((batch, instance)) = next() {
                            let body = remote_write::body(batch, instance)?;
                            bytes += body.len() as u64;
                            self.post(&body)?;
                        }
                        anyhow::Ok(bytes)
                    })
                })
                .collect();
            senders
                .into_iter()
                .map(|sender| sender.join().unwrap_or_else(|_| bail!("a sender panicked")))
                .sum()
        })
    }

    fn post(&self, body: &[u8]) -> Result<()> {
        self.client
            .post(format!("{}/api/v1/write", self.base))
            .header("Content-Encoding", "snappy")
            .header("Content-Type", "application/x-protobuf")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0")
            .send(body)?;
        Ok(())
    }

    /// Has everything on disk, as an acknowledgement of ours means it.
    pub(crate) fn flush(&self) -> Result<()> {
        self.client.get(format!("{}/internal/force_flush", self.base)).call()?;
        Ok(())
    }

    /// The points that a range query answers.
    pub(crate) fn query(&self, query: &str, from_s: u64, to_s: u64) -> Result<usize> {
        let mut answer = self
            .client
            .get(format!("{}/api/v1/query_range", self.base))
            .query("query", query)
            .query("start", from_s.to_string())
            .query("end", to_s.to_string())
            .query("step", "60s")
            .query("nocache", "1")
            .call()?;
        let text = answer.body_mut().with_config().limit(256 << 20).read_to_string()?;
        let body: Value = serde_json::from_str(&text)?;
        let series = body["data"]["result"].as_array().context("no result")?;
        Ok(series.iter().map(|one| one["values"].as_array().map_or(0, Vec::len)).sum())
    }
}

impl Drop for Victoria {
    fn drop(&mut self) {
        // Its data goes with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
