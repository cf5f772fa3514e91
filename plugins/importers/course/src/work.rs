//! An import on its way: one part of the package at a time.
//!
//! ```text
//! download ─▶ validate ─▶ extract (a step a part, with its files) ─▶ enrich (a step a part)
//!          ─▶ generate ─▶ store (the document) ─▶ done
//! ```
//! What it counts never goes back. Of a package only one entry is in memory at a time.

use crate::catalog;
use crate::enrichment::Enricher;
use crate::fault::Fault;
use crate::files::Files;
use crate::format::{Asset, Extract, Format};
use crate::package::Place;
use crate::switches::Switches;
use crate::umcf::{self, Node};
use flyball_plugin::{Attribute, Error, Item, Job, Level, Progress, Step, log};
use serde_json::{Map, Value, json};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

/// A host takes 32 MiB of one import, the document and its files together.
const MAX_ASSET_BYTES: u64 = 16 * 1024 * 1024;
const MAX_DOCUMENT_BYTES: usize = 15 * 1024 * 1024;
/// No import tells more; a log has a quota.
const MAX_WARNINGS: usize = 100;
const MAX_WARNING_CHARS: usize = 300;
/// The steps that are not of one part: download, validate, generate, store.
const FIXED_STEPS: usize = 4;

pub const IMPORT_EXTENSION: &str = "flyball.import";
pub const ENRICHMENT_EXTENSION: &str = "flyball.enrichment";

pub struct Work<F> {
    files: Rc<dyn Files>,
    place: Place,
    selection: Vec<String>,
    switches: Switches,
    stage: Stage,
    format: Option<F>,
    /// Parts that were asked for, by their index.
    chosen: Vec<usize>,
    whole: Option<Node>,
    nodes: VecDeque<Node>,
    topics: Vec<String>,
    topic_bytes: usize,
    enricher: Enricher,
    assets: VecDeque<(Asset, String)>,
    given: HashSet<String>,
    asset_bytes: u64,
    warnings: Vec<String>,
    found: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Download,
    Validate,
    Extract { next: usize },
    Enrich { index: usize },
    Generate,
    Store,
    Give,
    Done,
}

impl<F: Format> Work<F> {
    /// # Errors
    /// Where there is no such course.
    pub fn start(
        files: Rc<dyn Files>,
        id: &str,
        selection: &[String],
        switches: &[Attribute],
    ) -> Result<Self, Error> {
        let place = catalog::find::<F>(files.as_ref(), id)?;
        let switches = Switches::parse(switches);
        Ok(Self {
            files,
            place,
            selection: selection.to_vec(),
            enricher: Enricher::new(&switches),
            switches,
            stage: Stage::Download,
            format: None,
            chosen: Vec::new(),
            whole: None,
            nodes: VecDeque::new(),
            topics: Vec::new(),
            topic_bytes: 0,
            assets: VecDeque::new(),
            given: HashSet::new(),
            asset_bytes: 0,
            warnings: Vec::new(),
            found: false,
        })
    }

    /// The archive's directory and the package's manifest; nothing of its contents.
    fn download(&mut self) -> Result<Step, Fault> {
        let format = catalog::open::<F>(&self.files, &self.place)?;
        self.chosen = chosen(&format, &self.selection)?;
        self.format = Some(format);
        self.stage = Stage::Validate;
        Ok(self.progress(0, "download"))
    }

    fn validate(&mut self) -> Result<Step, Fault> {
        let format = self.opened()?;
        let about = format.about();
        if let Some(licence) = about.licence.as_ref().filter(|own| !own.allows_derivatives()) {
            return Err(Fault::Licence(licence.name.clone()));
        }
        let mut warnings = about.warnings.clone();
        if about.licence.is_none() {
            warnings.push("the package names no licence".to_owned());
        }
        let ignored = self.switches.ignored();
        warnings.extend(
            ignored.map(|names| format!("switches that this importer does not know: {names}")),
        );
        warnings.into_iter().for_each(|warning| self.warn(warning));
        self.stage = Stage::Extract { next: 0 };
        Ok(self.progress(1, "validate"))
    }

    fn extract(&mut self, next: usize) -> Result<Step, Fault> {
        if let Some(item) = self.asset()? {
            return Ok(Step::Item(item));
        }
        let format = self.opened()?;
        let Some(part) = self.chosen.get(next).copied() else {
            let whole = format.whole(&self.switches);
            let whole = self.survived(whole)?;
            self.whole = self.take(whole);
            self.stage = Stage::Enrich { index: 0 };
            return Ok(self.progress(2 + next, "extract"));
        };
        let extract = format.extract(part, &self.switches);
        let title = format.parts().get(part).map(|part| part.title.clone()).unwrap_or_default();
        let extract = self.survived(extract)?;
        match self.take(extract) {
            Some(node) => self.nodes.push_back(node),
            None => self.warn(format!("`{title}` has nothing that could be imported")),
        }
        self.stage = Stage::Extract { next: next + 1 };
        Ok(self.progress(2 + next, "extract"))
    }

    /// A part that is damaged is left out and told; a hostile package ends the import.
    fn survived(&mut self, extract: Result<Extract, Fault>) -> Result<Extract, Fault> {
        match extract {
            Ok(extract) => Ok(extract),
            Err(fault @ (Fault::Hostile { .. } | Fault::Licence(_) | Fault::Read { .. })) => {
                Err(fault)
            }
            Err(fault) => {
                self.warn(fault.to_string());
                Ok(Extract::default())
            }
        }
    }

    fn take(&mut self, extract: Extract) -> Option<Node> {
        self.found |= extract.found;
        extract.warnings.into_iter().for_each(|warning| self.warn(warning));
        let topic = extract.node.as_ref().map(|node| node.id.clone()).unwrap_or_default();
        for asset in extract.assets {
            if self.given.insert(asset.id.clone()) {
                self.assets.push_back((asset, topic.clone()));
            }
        }
        extract.node
    }

    /// The next file that goes along, read when it is given.
    fn asset(&mut self) -> Result<Option<Item>, Fault> {
        while let Some((asset, topic)) = self.assets.pop_front() {
            let package = self.opened()?.package();
            let size = package.size(&asset.entry).unwrap_or(0);
            if self.asset_bytes.saturating_add(size) > MAX_ASSET_BYTES {
                let mebibytes = MAX_ASSET_BYTES / 1024 / 1024;
                let entry = &asset.entry;
                let warning =
                    format!("{entry}: left out, one import carries {mebibytes} MiB of files");
                self.warn(warning);
                continue;
            }
            match package.read(&asset.entry) {
                Ok(data) => {
                    self.asset_bytes += data.len() as u64;
                    let document = self.place.id.clone();
                    return Ok(Some(Item {
                        id: asset.id,
                        title: asset.title,
                        media_type: asset.media_type.into(),
                        data,
                        attributes: vec![
                            Attribute::new("document", document),
                            Attribute::new("topic", topic),
                        ],
                    }));
                }
                Err(fault @ (Fault::Hostile { .. } | Fault::Read { .. })) => return Err(fault),
                Err(fault) => self.warn(fault.to_string()),
            }
        }
        Ok(None)
    }

    fn enrich(&mut self, index: usize) -> Result<Step, Fault> {
        // The files of the course as a whole come after its last part.
        if let Some(item) = self.asset()? {
            return Ok(Step::Item(item));
        }
        let Some(mut node) = self.nodes.pop_front() else {
            self.stage = Stage::Generate;
            return Ok(self.progress(2 + self.chosen.len() + index, "enrich"));
        };
        self.enricher.enrich(&mut node);
        let text = node.into_json(index).to_string();
        self.topic_bytes += text.len();
        if self.topic_bytes > MAX_DOCUMENT_BYTES {
            let message = format!(
                "the course is longer than {} MiB of text: choose fewer lectures",
                MAX_DOCUMENT_BYTES / 1024 / 1024
            );
            return Err(Fault::Malformed { entry: self.place.id.clone(), message });
        }
        self.topics.push(text);
        self.stage = Stage::Enrich { index: index + 1 };
        Ok(self.progress(2 + self.chosen.len() + index, "enrich"))
    }

    fn generate(&mut self) -> Result<Step, Fault> {
        let has_whole = self.whole.as_ref().is_some_and(|node| !node.is_empty());
        if !self.found || (self.topics.is_empty() && !has_whole) {
            return Err(Fault::Empty(self.place.id.clone()));
        }
        let about = self.opened()?.about().clone();
        if let Some(whole) = &mut self.whole {
            self.enricher.enrich_whole(whole, &about);
        } else {
            let mut whole = Node::new("", "", umcf::NodeKind::Unit);
            self.enricher.enrich_whole(&mut whole, &about);
            self.whole = Some(whole);
        }
        self.stage = Stage::Store;
        Ok(self.progress(2 + 2 * self.chosen.len(), "generate"))
    }

    fn give(&mut self) -> Result<Step, Fault> {
        let about = self.opened()?.about().clone();
        let mut extensions = Map::new();
        extensions.insert(IMPORT_EXTENSION.into(), self.provenance());
        if let Some(enrichment) = self.enricher.told() {
            extensions.insert(ENRICHMENT_EXTENSION.into(), enrichment);
        }
        let document = umcf::document(
            &about,
            &self.place.id,
            F::PROFILE.original_format,
            self.whole.take(),
            std::mem::take(&mut self.topics),
            extensions,
        );
        self.stage = Stage::Done;
        Ok(Step::Item(Item {
            id: self.place.id.clone(),
            title: about.title.clone(),
            media_type: umcf::MEDIA_TYPE.into(),
            data: document,
            attributes: vec![
                Attribute::new("warnings", self.warnings.join("\n")),
                Attribute::new(
                    "licence",
                    about.licence.map_or_else(String::new, |licence| licence.name),
                ),
                Attribute::new("attribution", about.attribution),
            ],
        }))
    }

    fn provenance(&self) -> Value {
        let parts: Vec<&str> = match &self.format {
            Some(format) if !self.selection.is_empty() => {
                let parts = self.chosen.iter().filter_map(|index| format.parts().get(*index));
                parts.map(|part| part.id.as_str()).collect()
            }
            _ => Vec::new(),
        };
        json!({
            "importer": F::PROFILE.id,
            "package": self.place.id,
            "selection": parts,
            "warnings": self.warnings,
        })
    }

    fn opened(&self) -> Result<&F, Fault> {
        self.format.as_ref().ok_or_else(|| Fault::NoCourse(self.place.id.clone()))
    }

    fn warn(&mut self, warning: String) {
        if self.warnings.len() < MAX_WARNINGS {
            let warning = crate::text::shortened(&warning, MAX_WARNING_CHARS);
            if cfg!(target_family = "wasm") {
                log(Level::Warn, &warning);
            }
            self.warnings.push(warning);
        }
    }

    fn progress(&self, done: usize, note: &str) -> Step {
        let total = 2 * self.chosen.len() + FIXED_STEPS;
        Step::Progress(Progress { done: done as u64, total: Some(total as u64), note: note.into() })
    }
}

impl<F: Format> Job for Work<F> {
    fn next(&mut self) -> Result<Step, Error> {
        let step = match self.stage {
            Stage::Download => self.download(),
            Stage::Validate => self.validate(),
            Stage::Extract { next } => self.extract(next),
            Stage::Enrich { index } => self.enrich(index),
            Stage::Generate => self.generate(),
            Stage::Store => {
                self.stage = Stage::Give;
                Ok(self.progress(3 + 2 * self.chosen.len(), "store"))
            }
            Stage::Give => self.give(),
            Stage::Done => Ok(Step::Done),
        };
        Ok(step?)
    }
}

/// The parts of the selection in their own order; all of them where none is named.
fn chosen<F: Format>(format: &F, selection: &[String]) -> Result<Vec<usize>, Fault> {
    let parts = format.parts();
    if let Some(unknown) = selection.iter().find(|id| parts.iter().all(|part| part.id != **id)) {
        return Err(Fault::NoPart(unknown.clone()));
    }
    let wanted = |(index, part): (usize, &crate::format::Part)| {
        (selection.is_empty() || selection.contains(&part.id)).then_some(index)
    };
    Ok(parts.iter().enumerate().filter_map(wanted).collect())
}
