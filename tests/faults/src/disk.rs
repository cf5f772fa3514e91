//! A small disk of its own for each machine: a file system on a loop device that can be filled
//! up, and whose power can be cut.
//!
//! A power cut is a copy of the backing file, taken while everybody who writes stands still:
//! what the kernel still held in its cache is not in it.

use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const FILLER: &str = "filler";
const CHUNK: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    at: PathBuf,
    image: PathBuf,
    cuts: u32,
}

impl Disk {
    /// A new disk of `bytes`, its image below `folder`, mounted at `at`.
    ///
    /// # Errors
    /// Where this machine mounts no loop device.
    pub(crate) fn new(folder: &Path, at: PathBuf, bytes: u64) -> Result<Self> {
        fs::create_dir_all(folder)?;
        fs::create_dir_all(&at)?;
        let image = folder.join("disk-0");
        File::create(&image)?.set_len(bytes)?;
        // Nothing is kept for root, who fills it here.
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image))?;
        let disk = Self { folder: folder.to_owned(), at, image, cuts: 0 };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.at))
    }

    /// Keeps what the device holds now. Whoever writes has to stand still.
    ///
    /// # Errors
    /// Where the copy can't be made.
    pub(crate) fn freeze(&mut self) -> Result<()> {
        self.cuts += 1;
        let copy = self.folder.join(format!("disk-{}", self.cuts));
        run(Command::new("cp").arg("--sparse=always").arg(&self.image).arg(&copy))
    }

    /// Goes on with what was kept. Whoever used the disk has to be gone.
    ///
    /// # Errors
    /// Where it can't be mounted.
    pub(crate) fn thaw(&mut self) -> Result<()> {
        run(Command::new("umount").arg(&self.at))?;
        fs::remove_file(&self.image)?;
        self.image = self.folder.join(format!("disk-{}", self.cuts));
        self.mount()
    }

    /// Leaves no byte free.
    ///
    /// # Errors
    /// Where it fails for another reason than that the disk is full.
    pub(crate) fn fill(&self) -> Result<()> {
        let path = self.at.join(FILLER);
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        for size in [CHUNK, 4096, 256, 1] {
            loop {
                match file.write_all(&vec![0; size]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error).context("the disk can't be filled"),
                }
            }
        }
        Ok(())
    }

    /// Gives the space back.
    ///
    /// # Errors
    /// Where the filler can't be removed.
    pub(crate) fn free(&self) -> Result<()> {
        match fs::remove_file(self.at.join(FILLER)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The namespace of mounts ends it where this does not.
        let _ = run(Command::new("umount").arg("-l").arg(&self.at));
    }
}

/// A folder in memory, for as long as this is held.
#[derive(Debug)]
pub(crate) struct InMemory(PathBuf);

impl InMemory {
    /// # Errors
    /// Where it can't be mounted.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        run(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(folder))?;
        Ok(Self(folder.to_owned()))
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        // As above.
        let _ = run(Command::new("umount").arg("-l").arg(&self.0));
    }
}

/// Runs a tool to its end.
///
/// # Errors
/// Where it fails, with its words.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} can't be started", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())
}
