//! What the machine must have, by name, and how it gets it.

mod quiet;

use crate::say;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// One thing that is needed, the test whether it is there, and its Debian packages.
pub(crate) struct Need {
    pub(crate) what: &'static str,
    pub(crate) there: fn() -> bool,
    pub(crate) packages: &'static [&'static str],
}

/// To build the plugins and the console.
const TO_BUILD: [Need; 3] = [
    Need {
        what: "a C compiler (SQLite, ring)",
        there: || runs("cc", "--version"),
        packages: &["gcc", "libc6-dev"],
    },
    Need {
        what: "a WebAssembly target (rustup's, or Debian's rustc-web)",
        there: crate::plugins::toolchain_is_there,
        packages: &["rustc-web", "rust-web-src"],
    },
    Need {
        what: "Node 20 or newer with npm, for the console",
        there: || runs("node", "--version") && runs("npm", "--version"),
        packages: &["nodejs", "npm"],
    },
];

/// To test besides: a browser, and the other side of each kind of equipment.
const TO_TEST: [Need; 14] = [
    Need {
        what: "Chromium, to drive the console",
        there: || Path::new("/usr/bin/chromium").exists(),
        packages: &["chromium"],
    },
    Need {
        what: "Python 3 with venv, for the emulators that come from PyPI",
        there: || runs("python3", "-cimport ensurepip, venv"),
        packages: &["python3", "python3-venv"],
    },
    Need {
        what: "OpenIPMI's simulator and ipmitool, an IPMI BMC and who speaks to it",
        there: || are_there(&["ipmi_sim", "sdrcomp", "ipmitool"]),
        packages: &["openipmi", "ipmitool"],
    },
    Need {
        what: "Network UPS Tools and NSS's certutil, a UPS whose server speaks TLS",
        there: || are_there(&["upsd", "dummy-ups", "certutil"]),
        packages: &["nut-server", "nut-client", "libnss3-tools"],
    },
    Need {
        what: "the SNMP tools, to see when a PDU answers",
        there: || are_there(&["snmpget"]),
        packages: &["snmp"],
    },
    Need {
        what: "Mosquitto, an MQTT broker",
        there: || are_there(&["mosquitto"]),
        packages: &["mosquitto"],
    },
    Need {
        what: "PostgreSQL, the store's second engine",
        there: crate::test::postgres_is_there,
        packages: &["postgresql"],
    },
    Need {
        what: "strace, to end a guard at a system call",
        there: || are_there(&["strace"]),
        packages: &["strace"],
    },
    Need {
        what: "Prometheus' promtool, to judge the exposition",
        there: || are_there(&["promtool"]),
        packages: &["prometheus"],
    },
    Need {
        what: "VictoriaMetrics, to take what exports send",
        there: || are_there(&["victoria-metrics"]),
        packages: &["victoria-metrics"],
    },
    Need {
        what: "fonts, for the words in pictures",
        there: || {
            let folders = ["liberation", "liberation2", "dejavu"];
            folders.iter().any(|one| Path::new("/usr/share/fonts/truetype").join(one).is_dir())
        },
        packages: &["fonts-liberation"],
    },
    Need {
        what: "clang with wasi-libc, for plugins in C",
        there: || {
            let library = Path::new("/usr/lib/wasm32-wasi/libc.a").exists();
            library && are_there(&["clang"]) && wasm_builtins_are_there()
        },
        packages: &["clang", "wasi-libc", "libclang-rt-dev-wasm32"],
    },
    Need {
        what: "minisign, to judge what plugins are signed with",
        there: || are_there(&["minisign"]),
        packages: &["minisign"],
    },
    Need {
        what: "smartctl, to read disks",
        there: || are_there(&["smartctl"]),
        packages: &["smartmontools"],
    },
];

/// To try faults besides: links, disks and clocks that can be broken.
const TO_BREAK: [Need; 3] = [
    Need {
        what: "ip, to give every machine a network of its own",
        there: || are_there(&["ip"]),
        packages: &["iproute2"],
    },
    Need {
        what: "mkfs.ext4, to give every machine a disk that can be filled",
        there: || are_there(&["mkfs.ext4"]),
        packages: &["e2fsprogs"],
    },
    Need {
        what: "libfaketime, to set a machine's clock and nobody else's",
        there: || crate::faults::clock_library().is_some(),
        packages: &["libfaketime"],
    },
];

/// To draw the corpora with the reference programs besides.
const TO_COMPARE: [Need; 3] = [
    Need {
        what: "tar, for the packages of the corpora",
        there: || are_there(&["tar", "bzip2"]),
        packages: &["tar", "bzip2"],
    },
    Need {
        what: "Node with npm, for the reference programs",
        there: || runs("node", "--version") && runs("npm", "--version"),
        packages: &["nodejs", "npm"],
    },
    Need {
        what: "Chromium, for the reference programs that draw in a page",
        there: || Path::new("/usr/bin/chromium").exists(),
        packages: &["chromium"],
    },
];

/// Installs what building needs.
pub(crate) fn for_building() -> Result<()> {
    provide(TO_BUILD.iter())
}

/// Installs what building and testing need.
pub(crate) fn for_testing() -> Result<()> {
    provide(TO_BUILD.iter().chain(&TO_TEST))?;
    crate::javascript::provide()?;
    crate::python::provide()
}

/// Installs what building and comparing renderers need.
pub(crate) fn for_corpora() -> Result<()> {
    provide(TO_BUILD.iter().chain(&TO_COMPARE))
}

/// Installs what breaking things needs.
pub(crate) fn for_faults() -> Result<()> {
    provide(TO_BUILD.iter().chain(&TO_BREAK))
}

/// Installs what is missing of `needs`, by name.
pub(crate) fn provide<'a>(needs: impl Iterator<Item = &'a Need>) -> Result<()> {
    let missing: Vec<&Need> = needs.filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        say::step(&format!("missing: {}", need.what));
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    let line = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    let debian = Path::new("/etc/debian_version").exists();
    if !debian || !rustix::process::geteuid().is_root() {
        bail!("install what is missing and call again; on Debian, as root:\n    {line}");
    }
    say::step(&line);
    // Servers of these packages are started by the tests that need them, and by nobody else.
    let _quiet = quiet::Quiet::begin()?;
    apt(&["update", "--quiet"])?;
    let mut install = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    install.extend(&packages);
    apt(&install)?;
    match missing.iter().find(|need| !(need.there)()) {
        Some(need) => bail!("{} is still missing after `{line}`", need.what),
        None => Ok(()),
    }
}

fn apt(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status()
        .context("apt-get could not be started")?;
    if !status.success() {
        bail!("`apt-get {}` failed, see above", arguments.join(" "));
    }
    Ok(())
}

/// Are these programs installed? Looked up, not run: a server may take a call for a start.
fn are_there(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path)
        .chain(["/usr/bin", "/usr/sbin", "/lib/nut"].map(Into::into))
        .collect();
    programs.iter().all(|name| folders.iter().any(|folder| folder.join(name).is_file()))
}

/// What clang calls where WebAssembly has no instruction; a package of its own.
fn wasm_builtins_are_there() -> bool {
    let asked = Command::new("clang")
        .args(["--target=wasm32-wasi", "--rtlib=compiler-rt", "-print-libgcc-file-name"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    asked.is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_file())
}

/// Does `program argument` end well?
pub(crate) fn runs(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
