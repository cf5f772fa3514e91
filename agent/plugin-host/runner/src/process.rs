//! Starting and ending the process of a plugin.

use crate::link::Link;
use flyball_plugin_messages::frame::{MAX_CODE_BYTES, MAX_FRAME_BYTES};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};

/// Native code in memory, sealed: what was checked is what runs, at every restart.
#[derive(Debug)]
pub(crate) struct Code(OwnedFd);

/// Code that is still coming in.
#[derive(Debug)]
pub(crate) struct Incoming {
    file: File,
    bytes: u64,
}

impl Incoming {
    pub(crate) fn begin() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        Ok(Self { file: File::from(memfd_create("flyball-plugin", flags)?), bytes: 0 })
    }

    pub(crate) fn push(&mut self, part: &[u8]) -> io::Result<()> {
        self.bytes += part.len() as u64;
        if self.bytes > MAX_CODE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.file.write_all(part)
    }

    pub(crate) fn seal(self) -> io::Result<Code> {
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        fcntl_add_seals(&self.file, seals)?;
        Ok(Code(self.file.into()))
    }
}

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) link: Link,
}

impl Process {
    pub(crate) fn start(name: &str, code: &Code) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let link = Link::new(ours, MAX_FRAME_BYTES)?;
        let child = Command::new("/proc/self/exe")
            .arg0(format!("flyball-runner: {name}"))
            .arg("plugin")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(code.0.try_clone()?))
            .spawn()?;
        Ok(Self { child, link })
    }

    /// Ends it now, and says how it had ended where it was gone already.
    pub(crate) fn end(mut self) -> String {
        if let Err(error) = self.child.kill() {
            eprintln!("warn a plugin's process can't be killed error={error:?}");
        }
        match self.child.wait() {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "an unknown end".into(),
            },
            Err(error) => format!("no status: {error}"),
        }
    }
}
