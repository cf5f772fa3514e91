//! What a component is, read from its bytes alone: nothing of it is compiled or run.

use anyhow::{Context as _, Result};
use flyball_plugin_host::inspect::inspect;
use flyball_plugin_messages::World;
use serde::Serialize;
use std::collections::BTreeMap;
use wasmparser::{Parser, Payload};

#[derive(Debug)]
pub(crate) struct Anatomy {
    pub(crate) world: World,
    /// `flyball:plugin@0.1.0`
    pub(crate) wit: String,
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
    pub(crate) core_modules: usize,
    pub(crate) custom_sections: Vec<CustomSections>,
}

/// All custom sections of one name, at whatever depth.
#[derive(Debug, Serialize)]
pub(crate) struct CustomSections {
    pub(crate) name: String,
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

impl Anatomy {
    pub(crate) fn of(component: &[u8]) -> Result<Self> {
        let world = inspect(component)?;
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        let mut custom: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let (mut depth, mut core_modules) = (0_usize, 0);
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ModuleSection { .. } => {
                    depth += 1;
                    core_modules += 1;
                }
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::CustomSection(section) => {
                    let sum = custom.entry(section.name().to_owned()).or_default();
                    sum.0 += 1;
                    sum.1 += section.data().len();
                }
                _ => {}
            }
        }
        let wit = exports.iter().find_map(|export| package(export));
        let wit = wit.context("its export has no package")?;
        let custom_sections = custom
            .into_iter()
            .map(|(name, (count, bytes))| CustomSections { name, count, bytes })
            .collect();
        Ok(Self { world, wit, imports, exports, core_modules, custom_sections })
    }

    pub(crate) fn world_name(&self) -> &'static str {
        match self.world {
            World::Renderer => "renderer",
            World::Importer => "importer",
            World::Collector => "collector",
        }
    }
}

/// `a:b@1.2.3` of `a:b/c@1.2.3`.
fn package(export: &str) -> Option<String> {
    let (package, rest) = export.split_once('/')?;
    let (_, version) = rest.split_once('@')?;
    Some(format!("{package}@{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_exports_and_sections_are_those_of_the_outermost_component() {
        let component = wat::parse_str(
            r#"(component
                (import "flyball:plugin/log@0.1.0" (instance))
                (core module (@custom "name" "x") (@custom "mine" "four"))
                (component (import "inner" (instance)))
                (instance $i) (export "flyball:plugin/rendering@0.1.0" (instance $i)))"#,
        )
        .unwrap();
        let anatomy = Anatomy::of(&component).unwrap();
        assert_eq!(anatomy.wit, "flyball:plugin@0.1.0");
        assert_eq!(anatomy.imports, ["flyball:plugin/log@0.1.0"]);
        assert_eq!((anatomy.world_name(), anatomy.core_modules), ("renderer", 1));
        let mine = anatomy.custom_sections.iter().find(|one| one.name == "mine").unwrap();
        assert_eq!((mine.count, mine.bytes), (1, 4));
    }
}
