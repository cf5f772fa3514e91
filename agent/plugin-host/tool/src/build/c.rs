//! Debian's clang and wasi-libc for the objects, the component linker of Rust's tool chain.

use super::built;
use super::tool::{Tool, run};
use anyhow::{Context as _, Result, bail};
use flyball_guest_toolchain::{COMPONENT_LINKER, Linkers};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const CLANG: Tool = Tool {
    name: "clang",
    own: None,
    install: "apt-get install --no-install-recommends clang wasi-libc libclang-rt-dev-wasm32",
};
/// Where Debian puts the library.
const LIBRARIES: &str = "/usr/lib/wasm32-wasi";
const OBJECTS: &str = "build/objects";

pub(super) fn build(folder: &Path) -> Result<()> {
    let clang = CLANG.find(folder)?;
    if !Path::new(LIBRARIES).join("libc.a").is_file() {
        bail!("wasi-libc is missing; install it:\n    {}", CLANG.install);
    }
    crate::project::make_folder(&folder.join(OBJECTS))?;
    let mut objects = Vec::new();
    for source in sources(folder)? {
        let stem = source.file_stem().context("a source without a name")?;
        let object = Path::new(OBJECTS).join(stem).with_extension("o");
        let mut command = Command::new(&clang);
        command.args(["--target=wasm32-wasi", "-O2", "-Wall", "-Wextra", "-c"]);
        command.arg(&source).arg("-o").arg(&object);
        run(folder, &mut command)?;
        objects.push(object);
    }
    let (linker, path) = linker(folder)?;
    let mut link = Command::new(linker);
    if let Some(path) = path {
        link.env("PATH", path);
    }
    link.args(["--no-entry", "--strip-all"]).args(&objects);
    link.arg("bindings/renderer_component_type.o");
    link.args([&format!("-L{LIBRARIES}"), "-lc"]).arg(builtins(&clang)?).arg("-o").arg(built());
    run(folder, &mut link)
}

/// What clang calls where the processor has no instruction: wide numbers, floats as text.
fn builtins(clang: &Path) -> Result<PathBuf> {
    let asked = Command::new(clang)
        .args(["--target=wasm32-wasi", "--rtlib=compiler-rt", "-print-libgcc-file-name"])
        .output()
        .context("clang can't be started")?;
    let file = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    if !file.is_file() {
        bail!("clang's functions for wasm32 are missing; install them:\n    {}", CLANG.install);
    }
    Ok(file)
}

/// The project's own, then those of the bindings; two of one name would be one object.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut sources: Vec<PathBuf> = Vec::new();
    for below in ["", "bindings"] {
        let place = folder.join(below);
        let entries = std::fs::read_dir(&place)
            .with_context(|| format!("{} can't be read", place.display()))?;
        for entry in entries {
            let name = PathBuf::from(entry?.file_name());
            if name.extension().is_some_and(|extension| extension == "c") {
                sources.push(Path::new(below).join(name));
            }
        }
    }
    sources.sort();
    for (at, source) in sources.iter().enumerate() {
        if let Some(other) = sources[..at].iter().find(|o| o.file_name() == source.file_name()) {
            bail!("{} and {} have one name", other.display(), source.display());
        }
    }
    Ok(sources)
}

/// rustup's, or one that was installed by itself.
fn linker(folder: &Path) -> Result<(PathBuf, Option<OsString>)> {
    if let Ok(linkers) = Linkers::find() {
        return Ok((COMPONENT_LINKER.into(), Some(linkers.path()?)));
    }
    let tool = Tool {
        name: COMPONENT_LINKER,
        own: None,
        install: "cargo install wasm-component-ld (Rust's own tool chain from rustup has it)",
    };
    Ok((tool.find(folder)?, None))
}
