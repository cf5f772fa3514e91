//! What a machine is made of, as `cargo xtask` laid it out.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The prepared folder: `qemu/`, `kernel/`, `tools/`, `plant.aml`, `programs/`.
#[derive(Clone, Debug)]
pub struct Kit {
    root: PathBuf,
    release: String,
}

impl Kit {
    /// The kit that `FLYBALL_RIG` names.
    ///
    /// # Errors
    /// Where it is not named or not whole.
    pub fn find() -> Result<Self> {
        let root = std::env::var_os("FLYBALL_RIG")
            .context("FLYBALL_RIG is not set: call it through `cargo xtask test --only rig`")?;
        let root = PathBuf::from(root);
        let modules = root.join("kernel/lib/modules");
        let release = fs::read_dir(&modules)
            .with_context(|| format!("{} has no kernel", root.display()))?
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .next()
            .with_context(|| format!("{} is empty", modules.display()))?;
        let kit = Self { root, release };
        for part in [kit.qemu(), kit.kernel(), kit.busybox(), kit.plant_table()] {
            if !part.exists() {
                bail!("{} is missing; `cargo xtask test --only rig` makes it", part.display());
            }
        }
        Ok(kit)
    }

    pub(crate) fn qemu(&self) -> PathBuf {
        self.root.join("qemu/usr/bin/qemu-system-x86_64")
    }

    /// Where its firmware lies.
    pub(crate) fn firmware(&self) -> [PathBuf; 2] {
        ["qemu/usr/share/qemu", "qemu/usr/share/seabios"].map(|path| self.root.join(path))
    }

    /// Its libraries, which are not installed.
    pub(crate) fn libraries(&self) -> String {
        let folder = |path: &str| self.root.join(path).display().to_string();
        [folder("qemu/usr/lib/x86_64-linux-gnu"), folder("qemu/lib/x86_64-linux-gnu")].join(":")
    }

    /// Statically linked; the guests' whole user land.
    pub(crate) fn busybox(&self) -> PathBuf {
        self.root.join("tools/bin/busybox")
    }

    pub(crate) fn kernel(&self) -> PathBuf {
        self.root.join("kernel/boot").join(format!("vmlinuz-{}", self.release))
    }

    pub(crate) fn kernel_tree(&self) -> PathBuf {
        self.root.join("kernel")
    }

    pub(crate) fn release(&self) -> &str {
        &self.release
    }

    pub(crate) fn plant_table(&self) -> PathBuf {
        self.root.join("plant.aml")
    }

    /// A statically linked program of this project.
    ///
    /// # Errors
    /// Where it was not built.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join("programs").join(name);
        if path.exists() {
            Ok(path)
        } else {
            bail!("{} is missing; `cargo xtask test --rig` builds it", path.display())
        }
    }

    /// A file of `guest/`.
    #[must_use]
    pub fn guest_file(name: &str) -> PathBuf {
        // Where the package lies now: what was compiled in may be another clone's place.
        let package = std::env::var_os("CARGO_MANIFEST_DIR");
        let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&package).join("guest").join(name)
    }

    /// A program of this machine with the libraries that it is linked to, at their own places.
    ///
    /// # Errors
    /// Where it is not installed.
    pub fn with_libraries(program: &Path) -> Result<Vec<(PathBuf, String)>> {
        let output = Command::new("ldd").arg(program).output().context("ldd can't be started")?;
        if !output.status.success() {
            bail!("{} is not installed, or not linked", program.display());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // `libm.so.6 => /lib/libm.so.6 (0x…)`, and the loader alone on its line.
        let libraries = text.split_whitespace().filter(|word| word.starts_with('/'));
        let files = libraries.map(PathBuf::from).chain([program.to_owned()]);
        Ok(files.map(|file| (file.clone(), file.display().to_string())).collect())
    }
}
