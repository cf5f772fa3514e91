//! Takes names and debugging sections out of a component, at every depth, and leaves the rest
//! byte for byte.

use anyhow::{Context as _, Result, ensure};
use wasm_encoder::{ComponentSectionId, Encode as _, RawSection, Section as _};
use wasmparser::{Encoding, Parser, Payload};

pub(crate) fn stripped(component: &[u8]) -> Result<Vec<u8>> {
    // The component and those that it holds, each as far as it was read.
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut kinds: Vec<Encoding> = Vec::new();
    // Where those that are held are to end: the parser takes the end of the file for it.
    let mut ends: Vec<u64> = vec![component.len() as u64];
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.context("the component is cut off or damaged")?;
        match &payload {
            Payload::Version { encoding, .. } => {
                open.push(match encoding {
                    Encoding::Component => wasm_encoder::Component::HEADER.to_vec(),
                    Encoding::Module => wasm_encoder::Module::HEADER.to_vec(),
                });
                kinds.push(*encoding);
                continue;
            }
            // Their bytes follow as payloads of their own.
            Payload::ModuleSection { unchecked_range: range, .. }
            | Payload::ComponentSection { unchecked_range: range, .. } => {
                ends.push(range.end as u64);
                continue;
            }
            Payload::CustomSection(section) if is_for_debugging(section.name()) => continue,
            Payload::End(end) => {
                ensure!(ends.pop() == Some(*end as u64), "the component is cut off");
                let whole = open.pop().context("the component ends twice")?;
                let kind = kinds.pop().context("the component ends twice")?;
                let Some(parent) = open.last_mut() else { return Ok(whole) };
                parent.push(match kind {
                    Encoding::Component => ComponentSectionId::Component.into(),
                    Encoding::Module => ComponentSectionId::CoreModule.into(),
                });
                whole.encode(parent);
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            let into = open.last_mut().context("a section outside the component")?;
            let data = component.get(range).context("a section outside the file")?;
            RawSection { id, data }.append_to(into);
        }
    }
    anyhow::bail!("the component does not end")
}

fn is_for_debugging(section: &str) -> bool {
    section == "name"
        || section == "component-name"
        || section == "sourceMappingURL"
        || section == "external_debug_info"
        || section.starts_with(".debug")
        || section.starts_with("reloc..debug")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_at_every_depth_and_everything_else_stays() {
        let text = |debugging: &str| {
            format!(
                r#"(component
                    (core module {debugging} (@custom "producers" "me") (func (export "f")) (memory 1))
                    (component (core module {debugging} (func (export "g"))))
                    (@custom "kept" "as it is"))"#
            )
        };
        let names = r#"(@custom "name" "") (@custom ".debug_info" "xxxxxx")"#;
        let with = wat::parse_str(text(names)).unwrap();
        let without = wat::parse_str(text("")).unwrap();
        assert!(with.len() > without.len());
        assert_eq!(stripped(&with).unwrap(), without);
        assert_eq!(stripped(&without).unwrap(), without);
    }

    /// Between two sections a file ends as a smaller component; the inspection judges that.
    #[test]
    fn a_component_that_is_cut_off_within_a_section_is_refused() {
        let whole = wat::parse_str("(component (core module (func (export \"f\"))))").unwrap();
        let sound: Vec<usize> =
            (0..whole.len()).filter(|length| stripped(&whole[..*length]).is_ok()).collect();
        for length in &sound {
            assert_eq!(stripped(&whole[..*length]).unwrap(), whole[..*length]);
        }
        assert!(sound.len() == 1, "{sound:?}");
    }
}
