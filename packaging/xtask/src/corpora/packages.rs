//! The packages of the corpora, by name, version and hash, each by its registry's own client.
//!
//! They lie unpacked in the user's cache folder. Nothing in them is installed; what is run of
//! them runs in Node or in a headless browser, to be compared with.

use crate::say;
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Clone, Copy)]
enum Registry {
    Crates,
    Npm,
    /// The source of a Debian package, its upstream part alone.
    Debian,
}

struct Package {
    /// Its folder below `packages`.
    folder: &'static str,
    registry: Registry,
    name: &'static str,
    version: &'static str,
    /// Of the archive.
    sha256: &'static str,
    /// What is unpacked, where that is not everything.
    only: &'static [&'static str],
}

const fn package(
    registry: Registry,
    folder: &'static str,
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
) -> Package {
    Package { folder, registry, name, version, sha256, only: &[] }
}

const PACKAGES: [Package; 13] = [
    Package {
        only: &["*/graphs/*.gv", "*/doc/*.gv", "*/doc/*.dot", "*/share/examples/*"],
        ..package(
            Registry::Debian,
            "graphviz",
            "graphviz",
            "2.42.2",
            "1daed697d9cdd7fac3b320336fa98dd3518dd211769301dc716869fc3d5409b1",
        )
    },
    package(
        Registry::Crates,
        "merman",
        "merman",
        "0.10.0-alpha.1",
        "332e3376f98766c053f5ae8a5ee390cfb09d299a10b9124cf965ad70d4559395",
    ),
    package(
        Registry::Crates,
        "merman-ascii",
        "merman-ascii",
        "0.10.0-alpha.1",
        "a4b273ffc9d796749543a5b697553818f2cb0014372e90f6b8cefc17340e47f2",
    ),
    package(
        Registry::Crates,
        "selkie-rs",
        "selkie-rs",
        "0.3.0",
        "7e4dbea3faa448acb0485c6b63cca7dbfa102b177eacdcb870b31296eb82716d",
    ),
    package(
        Registry::Crates,
        "mermaid-rs-renderer",
        "mermaid-rs-renderer",
        "0.3.1",
        "6cb5b469222ce6b9896edf0a969cf68464f5a028ef394fd6643f00bd943df117",
    ),
    package(
        Registry::Crates,
        "plantuml-little",
        "plantuml-little",
        "1.2026.2-4",
        "3a725329a275b81e9872f93a39da1dac9828eaae77aae111bc73d4ee1a64aa9d",
    ),
    package(
        Registry::Crates,
        "plantuml-core",
        "plantuml-core",
        "0.5.2",
        "3d4784bd683ebd75cdf880bff474ea4ad70391f6509a1bf7da7ea1430ef8df0d",
    ),
    package(
        Registry::Crates,
        "d2-little",
        "d2-little",
        "0.7.1-1",
        "09079b085f9fcdc0c54b686fbbe1424e8bd60a4d9e4d6647b9f30c8cdecbef8b",
    ),
    package(
        Registry::Npm,
        "wasm-graphviz",
        "@hpcc-js/wasm-graphviz",
        "1.29.2",
        "fbabf5f7a085f37009477d3585b2da1e4960f99dda54004e69c20553c8d172df",
    ),
    package(
        Registry::Npm,
        "mermaid",
        "mermaid",
        "12.2.0",
        "071914164d0f6d53e5c26a10a220230d4ae8d37ed0f2263fbf072266f0af3a0a",
    ),
    package(
        Registry::Npm,
        "plantuml-js",
        "@plantuml/core",
        "1.2026.8",
        "5a65a4dfd4b778afa12451a37d7b5e1a03500008ab1f9f3cb8008f36c002a364",
    ),
    package(
        Registry::Npm,
        "katex",
        "katex",
        "0.19.1",
        "24da5a599eb2fcede2e270b99a6ff48bca816beecc95feeb84e8cccbd1bb34fd",
    ),
    package(
        Registry::Npm,
        "d2",
        "@terrastruct/d2",
        "0.1.33",
        "b84f8fe9b8d4e32223a436a54aa47867179856612174e803c04a725c93834191",
    ),
];

/// Where they lie, by their folders.
pub(super) fn below(cache: &Path) -> PathBuf {
    cache.join("packages")
}

/// Downloads, checks and unpacks what is missing below `cache`.
pub(super) fn provide(cache: &Path) -> Result<()> {
    PACKAGES.iter().try_for_each(|package| provide_package(cache, package).map(drop))
}

/// The same for the one that has `folder`, and gives back where it lies.
pub(super) fn provide_one(cache: &Path, folder: &str) -> Result<PathBuf> {
    let package = PACKAGES.iter().find(|package| package.folder == folder);
    provide_package(cache, package.with_context(|| format!("no package is kept in {folder}"))?)
}

fn provide_package(cache: &Path, package: &Package) -> Result<PathBuf> {
    let folder = below(cache).join(package.folder);
    // Stands in it once everything is unpacked.
    let mark = folder.join(".unpacked");
    if fs::read_to_string(&mark).is_ok_and(|hash| hash == package.sha256) {
        return Ok(folder);
    }
    say::step(&format!("download {} {} to compare with", package.name, package.version));
    let downloads = cache.join("downloads");
    fs::create_dir_all(&downloads)
        .with_context(|| format!("{} can't be made", downloads.display()))?;
    let archive = download(package, &downloads)?;
    let bytes =
        fs::read(&archive).with_context(|| format!("{} can't be read", archive.display()))?;
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(
        hash == package.sha256,
        "{} {} has the SHA-256 {hash}, {} is pinned: it is another archive",
        package.name,
        package.version,
        package.sha256
    );
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("{} can't be replaced", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    let mut unpack = Command::new("tar");
    unpack.arg("--extract").arg("--file").arg(&archive).arg("--directory").arg(&folder);
    unpack.args(["--strip-components=1", "--no-same-owner", "--wildcards"]).args(package.only);
    finish(unpack)?;
    fs::write(&mark, package.sha256)?;
    Ok(folder)
}

fn download(package: &Package, downloads: &Path) -> Result<PathBuf> {
    let Package { name, version, .. } = package;
    match package.registry {
        Registry::Crates => {
            // Cargo has no word for fetching one crate alone; to tell of it, it fetches it.
            let mut cargo = Command::new(crate::workspace::cargo());
            cargo.args(["info", "--quiet", &format!("{name}@{version}")]).current_dir(downloads);
            finish(cargo)?;
            let file = format!("{name}-{version}.crate");
            find(&cargo_home()?.join("registry/cache"), &file)
        }
        Registry::Npm => {
            let mut npm = Command::new("npm");
            npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]);
            npm.arg(downloads).arg(format!("{name}@{version}")).current_dir(downloads);
            finish(npm)?;
            let file = name.trim_start_matches('@').replace('/', "-");
            Ok(downloads.join(format!("{file}-{version}.tgz")))
        }
        Registry::Debian => {
            debian_source(name, downloads)?;
            let stem = format!("{name}_{version}.orig.tar.");
            let archive =
                fs::read_dir(downloads)?.flatten().map(|entry| entry.path()).find(|path| {
                    path.file_name().is_some_and(|own| own.to_string_lossy().starts_with(&stem))
                });
            archive.with_context(|| {
                format!(
                    "this Debian's source of {name} is not {version}; the corpus is of bookworm's"
                )
            })
        }
    }
}

/// By lists of its own: most machines ask for no sources.
fn debian_source(name: &str, downloads: &Path) -> Result<()> {
    let apt = downloads.join("apt");
    for folder in ["parts", "lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(folder))?;
    }
    let known = Path::new("/etc/apt/sources.list.d/debian.sources");
    let binaries = fs::read_to_string(known).with_context(|| {
        format!("{} can't be read: the sources of {name} come from Debian", known.display())
    })?;
    let sources: Vec<String> = binaries
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.replace("Types: deb", "Types: deb-src").replace("deb-src-src", "deb-src"))
        .collect();
    fs::write(apt.join("parts/sources.sources"), sources.join("\n") + "\n")?;
    let call = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.current_dir(downloads).args(["--quiet", "--quiet"]).args(words);
        // It runs as this very user: the folder is the user's own.
        command.args(["-o", "APT::Sandbox::User=root"]);
        for (option, place) in [
            ("Dir::Etc::SourceList", Path::new("/dev/null")),
            ("Dir::Etc::SourceParts", &apt.join("parts")),
            ("Dir::State::Lists", &apt.join("lists")),
            ("Dir::Cache", &apt.join("cache")),
        ] {
            command.arg("-o").arg(format!("{option}={}", place.display()));
        }
        finish(command)
    };
    call(&["update"])?;
    call(&["source", "--download-only", "--tar-only", name])
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(PathBuf::from(home));
    }
    Ok(PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cargo"))
}

/// In one of the registries' own folders.
fn find(caches: &Path, file: &str) -> Result<PathBuf> {
    let folders =
        fs::read_dir(caches).with_context(|| format!("{} can't be read", caches.display()))?;
    let found = folders.flatten().map(|folder| folder.path().join(file)).find(|path| path.exists());
    found.with_context(|| format!("cargo has left no {file} below {}", caches.display()))
}

fn finish(mut command: Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let program = command.get_program().to_owned();
    let status = status.with_context(|| format!("{} can't be started", program.display()))?;
    if !status.success() {
        let words: Vec<&OsStr> = command.get_args().collect();
        bail!("{} {words:?}: {status}", program.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_package_has_a_folder_of_its_own_and_a_hash() {
        let folders: BTreeSet<_> = PACKAGES.iter().map(|package| package.folder).collect();
        assert_eq!(folders.len(), PACKAGES.len());
        for package in &PACKAGES {
            let hex = package.sha256.chars().all(|digit| digit.is_ascii_hexdigit());
            assert!(hex && package.sha256.len() == 64, "{}", package.name);
        }
    }

    #[test]
    fn what_the_guests_are_built_on_is_tried_in_the_same_version() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/Cargo.lock");
        let lock = fs::read_to_string(lock).unwrap();
        for name in ["merman", "plantuml-core"] {
            let package = PACKAGES.iter().find(|package| package.name == name).unwrap();
            let line = format!("name = \"{name}\"\nversion = \"{}\"", package.version);
            assert!(lock.contains(&line), "{name}: plugins/Cargo.lock has another version");
        }
    }
}
