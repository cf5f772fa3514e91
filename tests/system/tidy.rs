//! The arrows of the architecture, held: who may link whom, what each program of the edge must
//! not contain, and that ARCHITECTURE.md names every room.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo runs tests in their package's folder.
fn root() -> PathBuf {
    Path::new("../..").canonicalize().unwrap()
}

/// The crates in `package`'s tree as it is shipped: its own features, no tests.
fn tree(package: &str) -> BTreeSet<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap())
        .current_dir(root())
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--locked"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// The house's own crates that `package`'s manifest names, tests left out.
fn arrows(package: &str) -> BTreeSet<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap())
        .current_dir(root())
        .args(["tree", "--package", package, "--edges", "normal", "--depth", "1"])
        .args(["--prefix", "none", "--format", "{p}", "--locked"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .filter_map(|name| name.strip_prefix("flyball-").map(str::to_owned))
        .collect()
}

#[test]
fn the_arrows_between_rooms_are_those_of_the_architecture() {
    let allowed: [(&str, &[&str]); 17] = [
        ("flyball-units", &[]),
        ("flyball-safety", &["units"]),
        ("flyball-command", &["units"]),
        ("flyball-guard-messages", &["command", "units"]),
        ("flyball-protocol", &["command", "guard-messages", "units"]),
        ("flyball-link", &[]),
        ("flyball-hardware", &["units"]),
        ("flyball-driver-messages", &["command", "guard-messages", "units"]),
        ("flyball-drivers", &["command", "driver-messages", "guard-messages", "units"]),
        (
            "flyball-guard",
            &["command", "driver-messages", "guard-messages", "hardware", "safety", "units"],
        ),
        ("flyball-plugin-messages", &[]),
        ("flyball-plugin-host", &["plugin-messages"]),
        ("flyball-runner", &["plugin-host", "plugin-messages"]),
        ("flyball-compiler", &["plugin-host", "plugin-messages"]),
        ("flyball-guest-toolchain", &[]),
        ("flyball-tool", &["guest-toolchain", "plugin-host", "plugin-messages"]),
        (
            "flyball-agent",
            &["command", "guard-messages", "link", "plugin-messages", "protocol", "units"],
        ),
    ];
    for (package, rooms) in allowed {
        let stray: Vec<String> =
            arrows(package).into_iter().filter(|room| !rooms.contains(&room.as_str())).collect();
        assert!(stray.is_empty(), "{package} must not know {stray:?}");
    }
    let stray: Vec<String> = arrows("flyball-aggregator")
        .into_iter()
        .filter(|room| !["link", "protocol", "units"].contains(&room.as_str()))
        .collect();
    assert!(stray.is_empty(), "the aggregator must not know {stray:?}");
}

#[test]
fn no_program_of_the_edge_links_what_it_must_not() {
    let forbidden: [(&str, &[&str]); 7] = [
        ("flyball-guard", &["tokio", "quinn", "wasmtime", "sled", "rustls", "flyball-protocol"]),
        ("flyball-drivers", &["tokio", "quinn", "wasmtime", "sled", "flyball-safety"]),
        ("flyball-agent", &["wasmtime", "cranelift-codegen", "flyball-safety", "flyball-hardware"]),
        ("flyball-runner", &["cranelift-codegen", "tokio", "quinn", "sled", "wasmtime-wasi"]),
        ("flyball-compiler", &["tokio", "quinn", "sled", "wasmtime-wasi"]),
        ("flyball-tool", &["tokio", "quinn", "sled", "wasmtime-wasi"]),
        (
            "flyball-aggregator",
            &["flyball-safety", "flyball-hardware", "wasmtime", "sled", "rsa", "openssl-sys"],
        ),
    ];
    for (package, names) in forbidden {
        let tree = tree(package);
        assert!(tree.len() > 3, "{package} has no dependency tree");
        for name in names {
            assert!(!tree.contains(*name), "{package} must not link {name}");
        }
    }
}

#[test]
fn the_safety_engine_stays_without_std_and_without_unsafe() {
    let text = fs::read_to_string(root().join("agent/safety/src/lib.rs")).unwrap();
    assert!(text.contains("#![no_std]"));
    assert!(text.contains("#![forbid(unsafe_code)]"));
}

/// Every folder of the house that holds a manifest, and the aggregator's modules.
fn rooms() -> Vec<String> {
    fn walk(dir: &Path, top: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            if entry.path().is_dir() {
                walk(&entry.path(), top, found);
            } else if name == "Cargo.toml" && dir != top {
                found.push(dir.strip_prefix(top).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &root(), &mut found);
    found
}

#[test]
fn the_architecture_names_every_room() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rooms = rooms();
    assert!(rooms.len() > 10);
    for room in rooms {
        assert!(text.contains(&format!("`{room}`")), "ARCHITECTURE.md does not name `{room}`");
    }
}

/// Source files of a module tree of the aggregator.
fn module_files(module: &str) -> Vec<PathBuf> {
    fn walk(path: &Path, found: &mut Vec<PathBuf>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap().flatten() {
                walk(&entry.path(), found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.to_path_buf());
        }
    }
    let source = root().join("aggregator/src");
    let mut found = Vec::new();
    for path in [source.join(format!("{module}.rs")), source.join(module)] {
        if path.exists() {
            walk(&path, &mut found);
        }
    }
    found
}

#[test]
fn the_domain_knows_no_http_no_quic_and_no_sql() {
    let domain = [
        "fleet",
        "telemetry",
        "operations",
        "live",
        "access",
        "accounts",
        "oidc",
        "applications",
        "content",
        "media",
        "imports",
        "audit",
        "backups",
        "jobs",
        "mail",
        "notifications",
        "reports",
        "resilience",
        "sealing",
        "webhooks",
    ];
    let foreign = ["axum", "quinn", "sqlx", "crate::http", "crate::ingest", "store::sql"];
    let mut read = 0;
    for module in domain {
        for file in module_files(module) {
            read += 1;
            let text = fs::read_to_string(&file).unwrap();
            for word in foreign {
                assert!(!text.contains(word), "{} must not know {word}", file.display());
            }
        }
    }
    assert!(read > 5, "the domain has only {read} files");
}

#[test]
fn files_are_rooms_of_a_readable_size_and_no_mod_rs_stands() {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules"
            {
                walk(&path, found);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(&root(), &mut files);
    assert!(files.len() > 50);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(
            lines <= 900,
            "{} has {lines} lines: which noun wants its own room?",
            file.display()
        );
        assert!(!file.ends_with("mod.rs"), "{}: the house uses foo.rs + foo/", file.display());
    }
}
