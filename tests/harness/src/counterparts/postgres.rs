//! PostgreSQL: a server on a Unix socket in a folder of its own, and a fresh database for each
//! test. It runs as Debian's `postgres` where the test runs as root, which a server refuses.

use super::{CounterpartError, Program, Running};
use rustix::process::Signal;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use tempfile::TempDir;

/// A server that runs already: its socket's folder. `cargo xtask test` starts one for all tests.
const SHARED: &str = "FLYBALL_POSTGRES";
const USER: &str = "postgres";

/// A server that no other test process knows.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    durable: bool,
    process: Option<Running>,
}

impl Postgres {
    /// One that forgets on a power cut: for tests.
    ///
    /// # Errors
    /// Where PostgreSQL is missing or does not get ready.
    pub fn start() -> Result<Self, CounterpartError> {
        Self::on(false)
    }

    /// One that writes as durably as its defaults say: for figures.
    ///
    /// # Errors
    /// Where PostgreSQL is missing or does not get ready.
    pub fn durable() -> Result<Self, CounterpartError> {
        Self::on(true)
    }

    #[must_use]
    pub fn is_installed() -> bool {
        ["initdb", "postgres", "createdb"].iter().all(|name| program(name).file().is_ok())
    }

    fn on(durable: bool) -> Result<Self, CounterpartError> {
        let folder = super::folder("postgres")?;
        let account = Account::find()?;
        if let Account::Other { uid, gid } = account {
            let path = folder.path().to_owned();
            chown(&path, Some(uid), Some(gid))
                .map_err(|source| CounterpartError::Write { path, source })?;
        }
        let mut init = Command::new(program("initdb").file()?);
        init.args(["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--username", USER, "--pgdata"])
            .arg(folder.path().join("data"));
        account.take(&mut init, folder.path());
        run(init, "initdb")?;
        let mut server = Self { folder, durable, process: None };
        server.go()?;
        Ok(server)
    }

    /// Starts the server on its data; it takes connections when this returns.
    ///
    /// # Errors
    /// Where it does not get ready.
    pub fn go(&mut self) -> Result<(), CounterpartError> {
        let account = Account::find()?;
        let folder = self.folder.path();
        let fsync = if self.durable { "on" } else { "off" };
        let mut process = Running::start(program("postgres"), folder.join("log"), |command| {
            command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
            for setting in
                ["listen_addresses=", "max_connections=200", "unix_socket_permissions=0777"]
            {
                command.args(["-c", setting]);
            }
            command.args(["-c", &format!("fsync={fsync}")]);
            account.take(command, folder);
        })?;
        let ready = program("pg_isready").file()?;
        process.wait_until(|| {
            let mut ask = Command::new(&ready);
            ask.args(["--quiet", "--host"]).arg(folder);
            ask.status().is_ok_and(|status| status.success())
        })?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends the server as `pg_ctl stop --mode=fast` does: connections are cut.
    ///
    /// # Errors
    /// Where it is gone already.
    pub fn stop(&mut self) -> Result<(), CounterpartError> {
        match self.process.take() {
            Some(mut process) => {
                process.signal(Signal::INT)?;
                process.wait_for_its_end()
            }
            None => Ok(()),
        }
    }

    /// Ends the server as a crash would.
    ///
    /// # Errors
    /// Where it is gone already.
    pub fn crash(&mut self) -> Result<(), CounterpartError> {
        match self.process.take() {
            Some(mut process) => {
                process.signal(Signal::QUIT)?;
                process.wait_for_its_end()
            }
            None => Ok(()),
        }
    }

    /// The folder of its socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// The postmaster's process id while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Running::pid)
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn create(&self, name: &str) -> Result<String, CounterpartError> {
        create(self.socket(), name)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("PostgreSQL: {error}");
        }
    }
}

/// An empty database of one test; it goes with this.
#[derive(Debug)]
pub struct TestDatabase {
    socket: PathBuf,
    name: String,
    url: String,
    _server: Option<Arc<Postgres>>,
}

impl TestDatabase {
    /// On the server that all tests share, or on one of this process's own.
    ///
    /// # Errors
    /// Where no server can be had.
    pub fn create() -> Result<Self, CounterpartError> {
        static OWN: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (socket, server) = match std::env::var_os(SHARED) {
            Some(socket) => (PathBuf::from(socket), None),
            None => {
                let mut own = OWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let server = match own.upgrade() {
                    Some(server) => server,
                    None => Arc::new(Postgres::start()?),
                };
                *own = Arc::downgrade(&server);
                (server.socket().to_owned(), Some(server))
            }
        };
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{next}", std::process::id());
        let url = create(&socket, &name)?;
        Ok(Self { socket, name, url, _server: server })
    }

    /// `postgres://…`
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = program("dropdb").file().and_then(|file| {
            let mut drop = Command::new(file);
            drop.args(["--force", "--username", USER, "--host"]).arg(&self.socket).arg(&self.name);
            run(drop, "dropdb")
        });
        if let Err(error) = dropped {
            eprintln!("database {}: {error}", self.name);
        }
    }
}

fn create(socket: &Path, name: &str) -> Result<String, CounterpartError> {
    let mut create = Command::new(program("createdb").file()?);
    create.args(["--username", USER, "--host"]).arg(socket).arg(name);
    run(create, "createdb")?;
    Ok(format!("postgres:///{name}?host={}&user={USER}", socket.display()))
}

fn run(mut command: Command, program: &'static str) -> Result<(), CounterpartError> {
    let output = command.output().map_err(|source| CounterpartError::Start { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(CounterpartError::NotReady { program, what: "failed".into(), said })
}

const fn program(name: &'static str) -> Program {
    Program::Debian { name, package: "postgresql" }
}

/// Who the server runs as.
#[derive(Clone, Copy, Debug)]
enum Account {
    Own,
    Other { uid: u32, gid: u32 },
}

impl Account {
    fn find() -> Result<Self, CounterpartError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let mine = fields.next() == Some(USER);
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            mine.then_some(Self::Other { uid, gid })
        });
        let remedy = "`apt-get install postgresql` makes the account `postgres`".to_owned();
        found.ok_or(CounterpartError::Missing { program: "postgres", remedy })
    }

    fn take(self, command: &mut Command, folder: &Path) {
        command.current_dir(folder);
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }
}
