//! A package as a whole: its opening page, its lectures, and what belongs to none of them.

use crate::files::{FileClass, own_name};
use crate::front;
use crate::lecture::{self, Files, readable, resource};
use crate::lectures::{self, Lecture};
use course::format::Asset;
use course::html::Page;
use course::switches::Switch;
use course::text::{natural_key, shortened, slug};
use course::umcf::{Assessment, AssessmentKind, Node, NodeKind};
use course::{About, Extract, Fault, Format, Package, Part, Profile, Switches, media, pages, pdf};

/// Assignments and exams of one course.
const MAX_TASKS: usize = 500;
const PROMPT_CHARS: usize = 4_000;

#[derive(Debug)]
pub(crate) struct OpenCourse {
    package: Package,
    about: About,
    lectures: Vec<Lecture>,
    parts: Vec<Part>,
    /// Assignments and exams with their solutions, in the order of their names.
    tasks: Vec<(FileClass, String)>,
}

impl Format for OpenCourse {
    const PROFILE: Profile = Profile {
        id: "ocw",
        source: "mit_ocw",
        name: "MIT OpenCourseWare",
        description: "Course packages (.zip) of MIT OpenCourseWare, or the folders of them",
        endings: &["zip"],
        marker: "imsmanifest.xml",
        original_format: "html",
    };

    fn open(package: Package) -> Result<Self, Fault> {
        let lectures = lectures::lectures(&package)?;
        let mut about = front::about(&package)?;
        let mut names: Vec<&str> = package.names().collect();
        names.sort_by_key(|name| natural_key(own_name(name)));
        let files = || names.iter().filter(|name| media::of_name(name).is_some());
        let task = |name: &&&str| match FileClass::of(name, "") {
            class @ (FileClass::Assignment | FileClass::Exam | FileClass::Solution) => {
                Some((class, (**name).to_owned()))
            }
            _ => None,
        };
        let tasks: Vec<(FileClass, String)> =
            files().filter_map(|name| task(&name)).take(MAX_TASKS).collect();
        let count = |class| tasks.iter().filter(|(own, _)| *own == class).count();
        let notes = files().filter(|name| FileClass::of(name, "") == FileClass::Notes).count();
        let spoken = names.iter().any(|name| {
            matches!(FileClass::of(name, ""), FileClass::Transcript | FileClass::Captions)
        });
        about.resources = vec![
            ("assignments", count(FileClass::Assignment)),
            ("exams", count(FileClass::Exam)),
            ("reading_materials", notes),
        ];
        let has = [
            ("transcripts", spoken),
            ("lecture_notes", notes > 0),
            ("assignments", count(FileClass::Assignment) > 0),
            ("exams", count(FileClass::Exam) > 0),
        ];
        about.features = has.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
        let nested = names.iter().filter(|name| media::is_archive(name));
        about.warnings.extend(
            nested.take(20).map(|name| format!("{name}: archives within a package are not opened")),
        );
        let parts = lectures::parts(&lectures);
        Ok(Self { about, parts, lectures, tasks, package })
    }

    fn package(&self) -> &Package {
        &self.package
    }

    fn about(&self) -> &About {
        &self.about
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn attributes(&self, part: usize) -> Result<Vec<(&'static str, String)>, Fault> {
        let Some(lecture) = self.lectures.get(part) else { return Ok(Vec::new()) };
        let page = Page::parse(&lecture.entry, &self.package.text(&lecture.entry)?)?;
        Ok(Files::of(&self.package, &lecture.entry, &page).attributes())
    }

    fn extract(&self, part: usize, switches: &Switches) -> Result<Extract, Fault> {
        match (self.lectures.get(part), self.parts.get(part)) {
            (Some(own), Some(part)) => lecture::extract(&self.package, &own.entry, part, switches),
            _ => Ok(Extract::default()),
        }
    }

    fn whole(&self, switches: &Switches) -> Result<Extract, Fault> {
        let mut extract = Extract::default();
        let mut node = Node::new("", "", NodeKind::Unit);
        for (class, path) in &self.tasks {
            let (role, switch) = match class {
                FileClass::Exam => ("exam", Switch::IncludeAssessments),
                FileClass::Solution => ("solution", Switch::IncludeAssignments),
                _ => ("assignment", Switch::IncludeAssignments),
            };
            if !switches.has(switch) {
                continue;
            }
            let title = course::package::stem(own_name(path)).replace(['-', '_'], " ");
            node.resources.push(resource(path, role, &title));
            if let Some(media_type) =
                media::of_name(path).filter(|_| switches.has(Switch::IncludeMedia))
            {
                let (id, title) = (pages::asset_id(path), title.clone());
                extract.assets.push(Asset { id, title, entry: path.clone(), media_type });
            }
            if *class == FileClass::Solution || media::of_name(path) != Some("application/pdf") {
                continue;
            }
            let text = self.package.read(path).and_then(|bytes| pdf::text(path, bytes));
            let Some(text) = readable(text, &mut extract)? else { continue };
            let prompt = text.paragraphs.join("\n");
            if prompt.is_empty() {
                extract.warnings.push(format!("{path}: it has no text"));
                continue;
            }
            node.assessments.push(Assessment {
                id: slug(&title),
                kind: AssessmentKind::TextEntry,
                title,
                prompt: shortened(&prompt, PROMPT_CHARS),
                spoken: None,
                choices: Vec::new(),
                correct: Vec::new(),
                max_score: None,
                feedback: (None, None),
            });
        }
        extract.found = !node.is_empty();
        extract.node = Some(node).filter(|_| extract.found);
        Ok(extract)
    }
}

#[cfg(test)]
mod tests;
