//! A PostgreSQL server of this run's own, on the aggregator's disk and under the user that its
//! package made: it does not run as root.

use super::Program;
use crate::arguments::Programs;
use crate::disk;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// In this run's own network nobody else has it.
const PORT: &str = "5432";
const USER: &str = "postgres";
const DATABASE: &str = "postgres";

pub(crate) struct Postgres {
    pub(crate) program: Program,
    folder: PathBuf,
}

impl Postgres {
    /// Makes a cluster in `data` and starts it.
    ///
    /// # Errors
    /// Where PostgreSQL is not there or does not answer.
    pub(crate) fn start(programs: &Programs, data: &Path, logs: &Path) -> Result<Self> {
        let folder = programs.postgres.clone().context("PostgreSQL is not installed")?;
        fs::create_dir_all(data)?;
        disk::run(Command::new("chown").arg(USER).arg(data))?;
        // Its user has to come through to it.
        disk::run(Command::new("chmod").arg("o+x").arg(logs))?;
        let words = |program: &str, words: &[&str]| -> Vec<String> {
            let file = folder.join(program).display().to_string();
            let first = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", &file];
            first.iter().chain(words).map(|word| (*word).to_owned()).collect()
        };
        let place = data.display().to_string();
        let init = words("initdb", &["--auth", "trust", "--encoding", "UTF8", "-D", &place]);
        disk::run(Command::new(&init[0]).args(&init[1..]))?;
        let server = words(
            "postgres",
            &[
                "-D",
                &place,
                "-p",
                PORT,
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "max_wal_size=64MB",
                "-c",
                "min_wal_size=32MB",
            ],
        );
        let mut program = Program::new("postgresql".into(), server, logs.join("postgresql.log"));
        program.start()?;
        let server = Self { program, folder };
        for _ in 0..200 {
            if server.ask("SELECT 1").is_ok() {
                return Ok(server);
            }
            sleep(Duration::from_millis(50));
        }
        bail!("PostgreSQL does not answer; its log: {}", logs.join("postgresql.log").display())
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{PORT}/{DATABASE}")
    }

    /// The answer to one statement.
    ///
    /// # Errors
    /// Where the server refuses it.
    pub(crate) fn ask(&self, statement: &str) -> Result<String> {
        let output = Command::new(self.folder.join("psql"))
            .args(["-tA", "-c", statement, &self.url()])
            .output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
