//! What a file is, said before anything is compiled, and what is wrong with it.

use crate::limits;
use flyball_plugin_messages::{CompileFault, World};
use wasmparser::{Parser, Payload};

const PACKAGE: &str = "flyball:plugin";
/// The versions that `bindings` has, newest first.
const VERSIONS: [&str; 2] = ["0.2.0", "0.1.0"];

const WASM: [u8; 4] = *b"\0asm";
const MODULE_LAYER: [u8; 4] = [1, 0, 0, 0];

/// Which of our worlds the component belongs to.
///
/// # Errors
/// What the file is instead, and what to do about it.
pub fn inspect(file: &[u8]) -> Result<World, CompileFault> {
    if file.len() as u64 > limits::COMPONENT_BYTES {
        return Err(CompileFault::TooLarge(file.len() as u64, limits::COMPONENT_BYTES));
    }
    if wasmtime::Engine::detect_precompiled(file).is_some() {
        return Err(CompileFault::Precompiled);
    }
    if !file.starts_with(&WASM) {
        return Err(CompileFault::NotWasm(beginning(file)));
    }
    if file.get(4..8) == Some(&MODULE_LAYER[..]) {
        return Err(CompileFault::CoreModule);
    }
    let surface = Surface::read(file)?;
    let world = surface.world()?;
    surface.check_imports(world)?;
    Ok(world)
}

/// What the outermost component takes and gives.
#[derive(Debug, Default)]
struct Surface {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Surface {
    fn read(file: &[u8]) -> Result<Self, CompileFault> {
        let malformed = |e: wasmparser::BinaryReaderError| CompileFault::Malformed(e.to_string());
        let mut surface = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(file) {
            match payload.map_err(malformed)? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        surface.imports.push(import.map_err(malformed)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        surface.exports.push(export.map_err(malformed)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(surface)
    }

    fn world(&self) -> Result<World, CompileFault> {
        let mut found = Vec::new();
        for (interface, world) in [
            ("rendering", World::Renderer),
            ("importing", World::Importer),
            ("collecting", World::Collector),
        ] {
            if self.exports_interface(interface)? {
                found.push(world);
            }
        }
        match found[..] {
            [world] => Ok(world),
            [] => Err(CompileFault::ForeignWorld(listed(&self.exports))),
            _ => Err(CompileFault::TwoWorlds),
        }
    }

    fn exports_interface(&self, interface: &str) -> Result<bool, CompileFault> {
        let name = format!("{PACKAGE}/{interface}");
        match self.exports.iter().find_map(|export| version_of(export, &name)) {
            None => Ok(false),
            Some(version) if VERSIONS.contains(&version) => Ok(true),
            Some(version) => Err(foreign_version(version)),
        }
    }

    fn check_imports(&self, world: World) -> Result<(), CompileFault> {
        let offered: &[&str] = match world {
            World::Renderer => &["types", "log", "settings", "clock", "random"],
            World::Importer => &[
                "types", "log", "files", "settings", "http", "progress", "blobs", "clock", "random",
            ],
            World::Collector => {
                &["types", "log", "settings", "http", "messages", "clock", "random"]
            }
        };
        for import in &self.imports {
            let ours = offered
                .iter()
                .find_map(|interface| version_of(import, &format!("{PACKAGE}/{interface}")));
            match ours {
                Some(version) if VERSIONS.contains(&version) => {}
                Some(version) => return Err(foreign_version(version)),
                None => {
                    return Err(CompileFault::UnknownImport {
                        import: import.clone(),
                        spoken: spoken(),
                        hint: hint(import).to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The version of `name` where `full` is it: `a:b/c@1.2.3`.
fn version_of<'a>(full: &'a str, name: &str) -> Option<&'a str> {
    let rest = full.strip_prefix(name)?;
    if rest.is_empty() { Some("none") } else { rest.strip_prefix('@') }
}

fn foreign_version(found: &str) -> CompileFault {
    CompileFault::Version { found: format!("{PACKAGE}@{found}"), spoken: spoken() }
}

fn spoken() -> String {
    VERSIONS.map(|version| format!("{PACKAGE}@{version}")).join(", ")
}

fn hint(import: &str) -> &'static str {
    if import.starts_with("wasi:") {
        "; build it for wasm32-unknown-unknown, or with WASI stubbed out"
    } else {
        ""
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".into(),
        _ => names.iter().take(8).cloned().collect::<Vec<_>>().join(", "),
    }
}

fn beginning(file: &[u8]) -> String {
    match file {
        [] => "nothing, it is empty".into(),
        _ => file[..file.len().min(8)].escape_ascii().to_string(),
    }
}
