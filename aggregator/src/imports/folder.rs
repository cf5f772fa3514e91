//! The operator's folder of courses: UMCF files and folders of Markdown.
//!
//! Names are looked up in what the folder lists, never joined to it, and links are not
//! followed, so that a request can't read anything else. Everything is bounded.

use crate::content::umcf::{self, Document};
use crate::content::{Curriculum, Summary};
use flyball_protocol::message::File;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

pub const UMCF: &str = "umcf";
pub const MARKDOWN: &str = "markdown";
const MARKDOWN_ENDINGS: [&str; 2] = ["md", "markdown"];
const MAX_COURSES: usize = 2_000;
/// Files and bytes of one course, and how deep its folders go. A job's files travel in one frame,
/// and lie in one plugin's process.
pub const MAX_FILES: usize = 1_000;
pub const MAX_BYTES: u64 = 36 * 1024 * 1024;
const MAX_DEPTH: usize = 8;
/// A longer document is listed by its name alone.
const MAX_PEEK_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Error)]
pub enum FolderError {
    #[error("reading {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the course has more than {MAX_FILES} files")]
    Files,
    #[error("the course has more than {MAX_BYTES} bytes")]
    Bytes,
    #[error("the course is not there any more")]
    Gone,
    #[error("the reading thread ended early")]
    Thread(#[source] tokio::task::JoinError),
}

/// Something that can be imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    pub id: String,
    pub title: String,
    pub description: String,
    pub instructor: String,
    pub subject: String,
    pub level: String,
    pub language: String,
    pub duration_s: u64,
    pub licence: Option<String>,
    pub lectures: Vec<Lecture>,
    /// What it has: `transcripts`, `lecture_notes`.
    pub features: Vec<String>,
    /// The line that has to stand with every copy.
    pub attribution: Option<String>,
    pub resources: Resources,
    /// Why it can't be imported, where its importer says so.
    pub fault: Option<String>,
    /// Its file or folder in the operator's folder.
    pub(super) name: String,
    /// Does its importer know its parts, rather than this folder?
    pub(super) is_package: bool,
}

/// How many of each a course has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    pub assignments: u32,
    pub exams: u32,
    pub reading_materials: u32,
}

/// A part that an import can take alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lecture {
    pub id: String,
    pub title: String,
    pub duration_s: u64,
    pub has_transcript: bool,
    pub has_video: bool,
    pub has_notes: bool,
}

/// Is the source one that is read here, without an importer?
#[must_use]
pub fn is_own(source: &str) -> bool {
    matches!(source, UMCF | MARKDOWN)
}

/// The courses of a source, by id.
pub(super) async fn courses(folder: &Path, source: &str) -> Result<Vec<Course>, FolderError> {
    let (folder, source) = (folder.to_owned(), source.to_owned());
    tokio::task::spawn_blocking(move || match source.as_str() {
        UMCF => umcf_courses(&folder),
        MARKDOWN => markdown_courses(&folder),
        // The folders of packages are their importers' to read.
        _ => Ok(Vec::new()),
    })
    .await
    .map_err(FolderError::Thread)?
}

/// The files of a course, by their paths in the operator's folder.
pub(super) async fn files(folder: &Path, course: &Course) -> Result<Vec<File>, FolderError> {
    let path = folder.join(&course.name);
    // Its importer sees a package by its own name.
    let name = course.name.rsplit('/').next().unwrap_or(&course.name).to_owned();
    tokio::task::spawn_blocking(move || {
        let metadata = fs::symlink_metadata(&path).map_err(|_| FolderError::Gone)?;
        let mut files = Vec::new();
        if metadata.is_file() {
            let mut room = MAX_BYTES;
            files.push(File { path: name, bytes: read(&path, &mut room)? });
        } else {
            let mut room = MAX_BYTES;
            gather(&path, &format!("{name}/"), 0, &mut room, &mut files)?;
        }
        Ok(files)
    })
    .await
    .map_err(FolderError::Thread)?
}

pub(super) fn list(folder: &Path) -> Result<Vec<(String, fs::FileType)>, FolderError> {
    let failed = |source| FolderError::Read { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // An operator who names no courses has none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut listed = Vec::new();
    for entry in entries.take(MAX_COURSES) {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        // A name that is no text can't stand in an address.
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            listed.push((name, kind));
        }
    }
    listed.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(listed)
}

fn umcf_courses(folder: &Path) -> Result<Vec<Course>, FolderError> {
    let names: Vec<String> = list(folder)?
        .into_iter()
        .filter(|(name, kind)| kind.is_file() && ending(name, &["umcf", "umcfz", "json"]))
        .map(|(name, _)| name)
        .collect();
    let mut taken = HashSet::new();
    let mut courses = Vec::new();
    for name in names {
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
        let id = if taken.insert(stem.clone()) { stem } else { name.clone() };
        courses.push(umcf_course(folder, id, name));
    }
    Ok(courses)
}

fn umcf_course(folder: &Path, id: String, name: String) -> Course {
    let bare = Course {
        title: id.clone(),
        description: String::new(),
        instructor: String::new(),
        subject: String::new(),
        level: "medium".into(),
        language: "en".into(),
        duration_s: 0,
        licence: None,
        lectures: Vec::new(),
        features: Vec::new(),
        attribution: None,
        resources: Resources::default(),
        fault: None,
        is_package: false,
        id,
        name,
    };
    // A file that can't be read as a document is listed all the same; importing it says why.
    let Some(document) = peek(&folder.join(&bare.name)) else { return bare };
    let summary = Summary::of(&bare.id, &document);
    let licence = document.licence().map(str::to_owned);
    let subject = document.value()["metadata"]["subject"].clone();
    let topics =
        Curriculum { summary: summary.clone(), source: None, document: document.value().clone() }
            .topics();
    Course {
        title: summary.title,
        description: summary.description,
        instructor: summary.author,
        subject: subject.as_str().or_else(|| subject[0].as_str()).unwrap_or_default().into(),
        level: summary.difficulty,
        language: summary.language,
        duration_s: topics.iter().map(|topic| topic.duration_s).sum(),
        licence,
        lectures: topics
            .into_iter()
            .map(|topic| Lecture {
                id: topic.id,
                title: topic.title,
                duration_s: topic.duration_s,
                has_transcript: topic.has_transcript,
                has_video: false,
                has_notes: false,
            })
            .collect(),
        ..bare
    }
}

fn peek(path: &Path) -> Option<Document> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > MAX_PEEK_BYTES {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    Document::parse(text, MAX_PEEK_BYTES as usize).ok()
}

fn markdown_courses(folder: &Path) -> Result<Vec<Course>, FolderError> {
    let mut courses = Vec::new();
    for (name, kind) in list(folder)? {
        if !kind.is_dir() {
            continue;
        }
        let mut paths = Vec::new();
        markdown_files(&folder.join(&name), "", 0, &mut paths)?;
        if paths.is_empty() {
            continue;
        }
        let lectures = paths.into_iter().map(|path| Lecture {
            title: title_of(&folder.join(&name).join(&path)).unwrap_or_else(|| path.clone()),
            id: path,
            duration_s: 0,
            has_transcript: true,
            has_video: false,
            has_notes: false,
        });
        courses.push(Course {
            title: name.replace(['-', '_'], " "),
            id: name.clone(),
            description: String::new(),
            instructor: String::new(),
            subject: String::new(),
            level: "medium".into(),
            language: "en".into(),
            duration_s: 0,
            licence: None,
            lectures: lectures.collect(),
            features: Vec::new(),
            attribution: None,
            resources: Resources::default(),
            fault: None,
            is_package: false,
            name,
        });
    }
    Ok(courses)
}

fn markdown_files(
    folder: &Path,
    prefix: &str,
    depth: usize,
    paths: &mut Vec<String>,
) -> Result<(), FolderError> {
    for (name, kind) in list(folder)? {
        let path = format!("{prefix}{name}");
        if kind.is_dir() && depth < MAX_DEPTH {
            markdown_files(&folder.join(&name), &format!("{path}/"), depth + 1, paths)?;
        } else if kind.is_file() && ending(&name, &MARKDOWN_ENDINGS) && paths.len() < MAX_FILES {
            paths.push(path);
        }
    }
    Ok(())
}

/// The first heading of a Markdown file.
fn title_of(path: &Path) -> Option<String> {
    use std::io::{BufRead, Read};
    let start = fs::File::open(path).ok()?.take(4096);
    let lines = io::BufReader::new(start).lines().map_while(Result::ok);
    let mut headings =
        lines.filter_map(|line| line.strip_prefix("# ").map(|title| title.trim().to_owned()));
    headings.next().filter(|title| !title.is_empty())
}

fn gather(
    folder: &Path,
    prefix: &str,
    depth: usize,
    room: &mut u64,
    files: &mut Vec<File>,
) -> Result<(), FolderError> {
    for (name, kind) in list(folder)? {
        let path = format!("{prefix}{name}");
        if kind.is_dir() && depth < MAX_DEPTH {
            gather(&folder.join(&name), &format!("{path}/"), depth + 1, room, files)?;
        } else if kind.is_file() {
            if files.len() >= MAX_FILES {
                return Err(FolderError::Files);
            }
            files.push(File { bytes: read(&folder.join(&name), room)?, path });
        }
    }
    Ok(())
}

/// The file, within what is left of the course's bytes.
fn read(path: &Path, room: &mut u64) -> Result<Vec<u8>, FolderError> {
    use std::io::Read;
    let failed = |source| FolderError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(*room + 1).read_to_end(&mut bytes).map_err(failed)?;
    *room = room.checked_sub(bytes.len() as u64).ok_or(FolderError::Bytes)?;
    Ok(bytes)
}

fn ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| endings.iter().any(|own| ending.eq_ignore_ascii_case(own)))
}

impl Course {
    /// What an importer is to be given for a selection of lectures: a lecture of a Markdown
    /// folder is a file, so its choice is one of files; in a document the importer chooses.
    ///
    /// # Errors
    /// The first name that is no lecture of the folder.
    pub(super) fn choose(
        &self,
        files: Vec<File>,
        selection: &[String],
    ) -> Result<(Vec<File>, Vec<String>), String> {
        let is_folder = files.iter().all(|file| file.path.starts_with(&format!("{}/", self.name)));
        if selection.is_empty() || !is_folder || self.is_package {
            return Ok((files, selection.to_vec()));
        }
        let known = |id: &String| self.lectures.iter().any(|lecture| lecture.id == *id);
        if let Some(unknown) = selection.iter().find(|id| !known(id)) {
            return Err(unknown.clone());
        }
        let own = |file: &File| file.path[self.name.len() + 1..].to_owned();
        let wanted =
            |file: &File| !ending(&file.path, &MARKDOWN_ENDINGS) || selection.contains(&own(file));
        Ok((files.into_iter().filter(wanted).collect(), Vec::new()))
    }

    /// What stands against importing it.
    #[must_use]
    pub fn licence_warnings(&self) -> Vec<String> {
        if let Some(fault) = &self.fault {
            return vec![fault.clone()];
        }
        match &self.licence {
            Some(licence) if !umcf::allows_derivatives(licence) => {
                vec![format!("the licence {licence} allows no derivatives")]
            }
            Some(_) => Vec::new(),
            None => vec!["the course names no licence".into()],
        }
    }

    #[must_use]
    pub fn may_import(&self) -> bool {
        self.fault.is_none() && self.licence.as_deref().is_none_or(umcf::allows_derivatives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"umcf":"1.0.0","title":"Colours","content":[{"title":"One"}],
        "rights":{"license":{"type":"CC-BY-ND-4.0"}}}"#;

    #[tokio::test]
    async fn files_and_folders_are_courses_of_their_sources() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("colours.umcf"), DOCUMENT).unwrap();
        fs::write(at("broken.json"), "{").unwrap();
        fs::write(at("notes.txt"), "no course").unwrap();
        fs::create_dir_all(at("algebra/one")).unwrap();
        fs::write(at("algebra/one/intro.md"), "# Introduction\n\ntext").unwrap();
        fs::create_dir(at("empty")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", at("passwd.json")).unwrap();

        let found = courses(folder.path(), UMCF).await.unwrap();
        let titles: Vec<_> = found.iter().map(|c| (c.id.as_str(), c.title.as_str())).collect();
        assert_eq!(titles, [("broken", "broken"), ("colours", "Colours")]);
        assert!(!found[1].may_import());

        let found = courses(folder.path(), MARKDOWN).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].lectures[0].id, "one/intro.md");
        assert_eq!(found[0].lectures[0].title, "Introduction");
        let files = files(folder.path(), &found[0]).await.unwrap();
        assert_eq!(files[0].path, "algebra/one/intro.md");
        let all = found[0].choose(files.clone(), &[]).unwrap();
        assert_eq!(all, (files.clone(), Vec::new()));
        let one = found[0].choose(files.clone(), &["one/intro.md".to_owned()]).unwrap();
        assert_eq!(one.0, files);
        assert_eq!(found[0].choose(files, &["two.md".to_owned()]), Err("two.md".to_owned()));
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_has_no_courses() {
        assert_eq!(courses(Path::new("/nonexistent/imports"), UMCF).await.unwrap(), []);
    }
}
