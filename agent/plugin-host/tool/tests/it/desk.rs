//! An author's folder, and the tool in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const FLYBALL: &str = env!("CARGO_BIN_EXE_flyball");

pub(crate) struct Desk(tempfile::TempDir);

/// What a command said, and how it ended.
pub(crate) struct Said {
    pub(crate) well: bool,
    pub(crate) text: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        Self { well: output.status.success(), text: String::from_utf8(text).unwrap() }
    }

    #[track_caller]
    pub(crate) fn and_went_well(self) -> String {
        assert!(self.well, "{}", self.text);
        self.text
    }

    #[track_caller]
    pub(crate) fn and_failed(self) -> String {
        assert!(!self.well, "{}", self.text);
        self.text
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let file = self.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path().join(file)).unwrap()
    }

    pub(crate) fn text(&self, file: &str) -> String {
        String::from_utf8(self.read(file)).unwrap()
    }

    /// `flyball plugin …`
    pub(crate) fn plugin(&self, words: &[&str]) -> Said {
        let mut command = Command::new(FLYBALL);
        command
            .arg("plugin")
            .args(words)
            .current_dir(self.path())
            .stdin(std::process::Stdio::null());
        Said::of(&command.output().unwrap())
    }

    /// The lines of a shell, with the tool and those of the languages in the path.
    pub(crate) fn shell(&self, lines: &str) -> Said {
        let mut command = Command::new("sh");
        command.args(["-e", "-c", lines]).current_dir(self.path()).env("PATH", path());
        // One folder for every project, because the standard library may have to be built for it.
        command.env("CARGO_TARGET_DIR", target().join("guests"));
        Said::of(&command.output().unwrap())
    }
}

/// The target folder in which this test was built.
pub(crate) fn target() -> PathBuf {
    Path::new(FLYBALL).ancestors().nth(2).unwrap().to_path_buf()
}

/// Where `cargo xtask test` puts what npm and PyPI have.
fn cached_tools() -> [PathBuf; 2] {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or(home.join(".cache"), PathBuf::from);
    let python = std::env::var_os("FLYBALL_PYTHON").map(PathBuf::from);
    let python = python.unwrap_or_else(|| cache.join("flyball/python"));
    [python.join("bin"), cache.join("flyball/javascript/node_modules/.bin")]
}

pub(crate) fn path() -> OsString {
    let tool = Path::new(FLYBALL).parent().unwrap().to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [tool].into_iter().chain(std::env::split_paths(&path)).chain(cached_tools());
    std::env::join_paths(folders).unwrap()
}

/// Is this program in the path of [`Desk::shell`]?
pub(crate) fn is_there(program: &str) -> bool {
    std::env::split_paths(&path()).any(|folder| folder.join(program).is_file())
}

/// A component as `cargo xtask test` has built it.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("FLYBALL_GUESTS").map_or_else(default_folder, PathBuf::from);
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask test` builds the guests first", path.display())
    })
}

fn default_folder() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap_or_default();
    PathBuf::from(home).join(".cache/flyball/guests/wasm32-unknown-unknown/release")
}
