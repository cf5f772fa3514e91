//! Which courses lie in a list of files.

use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// The file's stem or the folder's name; the whole path where two would be called the same.
    pub(crate) id: String,
    pub(crate) source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Document(String),
    /// In reading order.
    Markdown(Vec<String>),
}

impl Source {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Document(_) => "umcf",
            Self::Markdown(_) => "markdown",
        }
    }
}

/// Files at the top without a folder are a course of this name.
const ROOT: &str = "course";

pub(crate) fn courses(mut paths: Vec<String>) -> Vec<Course> {
    paths.sort();
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut found: Vec<Course> = Vec::new();
    for path in paths {
        match extension(&path).as_str() {
            "umcf" | "umcfz" | "json" => {
                let stem = stem(&path).to_owned();
                let taken = found.iter().any(|course| course.id == stem);
                let id = if taken { path.clone() } else { stem };
                found.push(Course { id, source: Source::Document(path) });
            }
            "md" | "markdown" => {
                let folder = path.split_once('/').map_or(ROOT, |(folder, _)| folder).to_owned();
                folders.entry(folder).or_default().push(path);
            }
            _ => {}
        }
    }
    for (folder, mut paths) in folders {
        // An opening page comes first, whatever the alphabet says.
        paths.sort_by_key(|path| (!is_opening(path), path.clone()));
        let taken = found.iter().any(|course| course.id == folder);
        let id = if taken { format!("{folder}/") } else { folder };
        found.push(Course { id, source: Source::Markdown(paths) });
    }
    found
}

/// The course of that id. Where the files hold only one course it is meant, whatever the
/// caller calls it.
pub(crate) fn find(mut known: Vec<Course>, id: &str) -> Option<Course> {
    match known.iter().position(|course| course.id == id) {
        Some(place) => Some(known.swap_remove(place)),
        None if known.len() == 1 => known.pop(),
        None => None,
    }
}

pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

pub(crate) fn is_opening(path: &str) -> bool {
    matches!(stem(path).to_lowercase().as_str(), "readme" | "index" | "_index")
}

fn extension(path: &str) -> String {
    path.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(paths: &[&str]) -> Vec<String> {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        courses(paths).into_iter().map(|course| course.id).collect()
    }

    #[test]
    fn documents_and_folders_are_courses_and_other_files_are_not() {
        let paths = ["heat.umcf", "flow.UMCFZ", "x.png", "loops/2.md", "loops/README.md"];
        assert_eq!(ids(&paths), ["flow", "heat", "loops"]);
    }

    #[test]
    fn two_files_of_one_name_stay_apart() {
        assert_eq!(ids(&["a/x.umcf", "b/x.umcf", "x/1.md"]), ["x", "b/x.umcf", "x/"]);
    }

    #[test]
    fn the_opening_page_comes_first() {
        let found = courses(vec!["c/1.md".into(), "c/index.md".into()]);
        assert_eq!(found[0].source, Source::Markdown(vec!["c/index.md".into(), "c/1.md".into()]));
    }

    #[test]
    fn an_only_course_is_found_under_any_name() {
        let one = courses(vec!["heat.umcf".into()]);
        assert_eq!(find(one.clone(), "whatever"), one.into_iter().next());
        let two = courses(vec!["heat.umcf".into(), "flow.umcf".into()]);
        assert_eq!(find(two, "whatever"), None);
    }
}
