//! A component to native code. Runs in the short-lived child only: compiling foreign code can
//! take any amount of time and memory, and nothing but a process bounds that.

use crate::engine::{ENGINE, Memory, counting_engine, engine};
use crate::inspect::inspect;
use crate::limits;
use crate::plugin::{LoadError, Plugin};
use flyball_plugin_messages::{CompileFault, Manifest, Report, World};
use wasmtime::component::Component;

const PAGE_BYTES: u64 = 64 * 1024;

/// Inspects, compiles, instantiates once under limits and asks for the manifest. The code is
/// empty where the component is rejected.
#[must_use]
pub fn compile(file: &[u8]) -> (Report, Vec<u8>) {
    reported(compiled(file, engine(Memory::OnDemand)))
}

/// The same for an engine that counts; [`Plugin::load_counting`] takes its code.
#[must_use]
pub fn compile_counting(file: &[u8]) -> (Report, Vec<u8>) {
    reported(compiled(file, counting_engine(Memory::OnDemand)))
}

fn reported(compiled: Result<(Manifest, World, Vec<u8>), CompileFault>) -> (Report, Vec<u8>) {
    match compiled {
        Ok((manifest, world, code)) => {
            let code_bytes = code.len() as u64;
            (Report::Compiled { manifest, world, engine: ENGINE.to_owned(), code_bytes }, code)
        }
        Err(fault) => (Report::Rejected(fault), Vec::new()),
    }
}

fn compiled(
    file: &[u8],
    engine: wasmtime::Result<wasmtime::Engine>,
) -> Result<(Manifest, World, Vec<u8>), CompileFault> {
    let world = inspect(file)?;
    let uncompilable = |error: wasmtime::Error| CompileFault::NotCompilable(format!("{error:#}"));
    let engine = engine.map_err(uncompilable)?;
    let component = Component::new(&engine, file).map_err(uncompilable)?;
    check_appetite(&component)?;
    let plugin = Plugin::link(engine, &component, world).map_err(|error| match error {
        LoadError::World(source) => CompileFault::TypeMismatch(format!("{source:#}")),
        other => CompileFault::NotStartable(other.chain()),
    })?;
    let manifest =
        plugin.describe().map_err(|failure| CompileFault::NotStartable(failure.message))?;
    check_manifest(&manifest)?;
    let code = component.serialize().map_err(uncompilable)?;
    Ok((manifest, world, code))
}

fn check_appetite(component: &Component) -> Result<(), CompileFault> {
    let Some(required) = component.resources_required() else {
        return Ok(());
    };
    if required.num_memories > limits::MEMORIES {
        return Err(CompileFault::TooHungry(format!("{} memories", required.num_memories)));
    }
    if required.num_tables > limits::TABLES {
        return Err(CompileFault::TooHungry(format!("{} tables", required.num_tables)));
    }
    let pages = required.max_initial_memory_size.unwrap_or(0);
    let bytes = pages.saturating_mul(PAGE_BYTES);
    if bytes > limits::MEMORY_BYTES as u64 {
        return Err(CompileFault::TooHungry(format!("{} MiB of memory", bytes / 1024 / 1024)));
    }
    Ok(())
}

fn check_manifest(manifest: &Manifest) -> Result<(), CompileFault> {
    let fault = |text: String| Err(CompileFault::BadManifest(text));
    let word = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_'))
    };
    if !word(&manifest.id) {
        return fault(format!(
            "the id {:?} is not 1 to 64 of a-z, 0-9, `-`, `_`, `.`",
            manifest.id
        ));
    }
    if manifest.handles.is_empty() || manifest.handles.len() > 32 {
        return fault(format!("it handles {} things, 1 to 32 are allowed", manifest.handles.len()));
    }
    if let Some(name) = manifest.handles.iter().find(|name| !word(name)) {
        return fault(format!(
            "it handles {name:?}, which is not 1 to 64 of a-z, 0-9, `-`, `_`, `.`"
        ));
    }
    let texts = [
        ("name", &manifest.name, 128),
        ("version", &manifest.version, 64),
        ("author", &manifest.author, 256),
        ("licence", &manifest.licence, 128),
        ("description", &manifest.description, 1024),
    ];
    for (what, text, bound) in texts {
        if text.len() > bound {
            return fault(format!(
                "its {what} has {} bytes, at most {bound} are allowed",
                text.len()
            ));
        }
    }
    let bytes: usize = manifest.attributes.iter().map(|a| a.key.len() + a.value.len()).sum();
    if manifest.attributes.len() > 64 || bytes > 64 * 1024 {
        return fault("it has more than 64 attributes or 64 KiB of them".into());
    }
    Ok(())
}
