use super::*;
use course::files::Memory;
use course::{Work, catalog};
use flyball_plugin::{Attribute, Error, ErrorKind, Item, Job, Step};
use packages::ocw::{Course, has_captions_only, package, transcript};
use serde_json::Value;
use std::rc::Rc;

fn files(name: &str, bytes: Vec<u8>) -> Rc<dyn course::files::Files> {
    let mut memory = Memory::default();
    memory.0.insert(name.to_owned(), bytes);
    Rc::new(memory)
}

fn generated(lectures: usize) -> Rc<dyn course::files::Files> {
    files("governors.zip", package(&Course { lectures, ..Course::default() }))
}

struct Imported {
    document: Value,
    assets: Vec<Item>,
    notes: Vec<(u64, String)>,
}

fn import(
    files: &Rc<dyn course::files::Files>,
    selection: &[&str],
    switches: &[(&str, &str)],
) -> Result<Imported, Error> {
    let selection: Vec<String> = selection.iter().map(|part| (*part).to_owned()).collect();
    let switches: Vec<Attribute> =
        switches.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
    let mut work = Work::<OpenCourse>::start(Rc::clone(files), "governors", &selection, &switches)?;
    let (mut document, mut assets, mut notes) = (Value::Null, Vec::new(), Vec::new());
    loop {
        match work.next()? {
            Step::Item(item) if item.media_type == "application/umcf+json" => {
                document = serde_json::from_slice(&item.data).unwrap();
            }
            Step::Item(item) => assets.push(item),
            Step::Progress(progress) => {
                assert!(Some(progress.done) <= progress.total);
                notes.push((progress.done, progress.note));
            }
            Step::Done => return Ok(Imported { document, assets, notes }),
        }
    }
}

fn topics(document: &Value) -> &Vec<Value> {
    document["content"][0]["children"].as_array().unwrap()
}

fn words(topic: &Value) -> Vec<String> {
    let segments = topic["transcript"]["segments"].as_array().unwrap().iter();
    let spoken = segments.filter(|segment| segment["type"] != "checkpoint");
    let texts: Vec<&str> = spoken.map(|segment| segment["content"].as_str().unwrap()).collect();
    texts.join(" ").split_whitespace().map(str::to_owned).collect()
}

/// Both ways of writing a ligature are the same word.
fn plain(words: &[String]) -> Vec<String> {
    words.iter().map(|word| word.replace('ﬁ', "fi").replace('ﬂ', "fl")).collect()
}

#[test]
fn every_lecture_becomes_a_topic_that_says_what_was_spoken() {
    let course = Course::default();
    let imported = import(&generated(10), &[], &[]).unwrap();
    let topics = topics(&imported.document);
    assert_eq!(topics.len(), 10);
    for (index, topic) in topics.iter().enumerate() {
        let spoken = transcript(&course, index).words;
        assert_eq!(plain(&words(topic)), spoken, "lecture {}", index + 1);
        assert_eq!(topic["id"]["value"], format!("lecture-{}", index + 1));
        assert_eq!(topic["transcript"]["segments"][0]["type"], "lecture");
        let has_times = topic["timeEstimates"].is_object();
        assert_eq!(has_times, has_captions_only(index));
    }
    assert_eq!(topics[9]["title"], "Lecture 10: Oscillation");
    assert_eq!(topics[0]["media"]["embedded"][0]["type"], "videoLecture");
    assert_eq!(topics[0]["glossaryTerms"][0]["term"], "governor");
}

#[test]
fn licence_attribution_and_authors_are_kept() {
    let document = import(&generated(2), &[], &[]).unwrap().document;
    assert_eq!(document["title"], "Governors");
    assert_eq!(document["rights"]["license"]["type"], "CC-BY-NC-SA-4.0");
    let attribution = document["rights"]["attributionRequirements"].as_str().unwrap();
    assert!(attribution.starts_with("James Watt. Governors."), "{attribution}");
    assert_eq!(document["lifecycle"]["contributors"][0]["name"], "James Watt");
    assert_eq!(document["metadata"]["subject"], "Mechanical Engineering");
    let stage = &document["educational"]["audienceProfile"]["educationLevel"];
    assert_eq!(stage, "undergraduate");
}

#[test]
fn assignments_and_exams_become_questions_of_the_course_with_their_files() {
    let imported = import(&generated(10), &[], &[]).unwrap();
    let curriculum = &imported.document["content"][0];
    let titles: Vec<&str> = curriculum["assessments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["final exam", "midterm", "pset1", "pset2", "quiz1"]);
    assert!(curriculum["assessments"][2]["prompt"].as_str().unwrap().starts_with("Problem Set 1"));
    assert_eq!(imported.assets.len(), 5);
    assert!(imported.assets.iter().all(|asset| asset.data.starts_with(b"%PDF")));
}

#[test]
fn a_selection_imports_those_lectures_only_and_an_unknown_one_is_refused() {
    let imported = import(&generated(5), &["lecture-4", "lecture-2"], &[]).unwrap();
    let ids: Vec<&str> =
        topics(&imported.document).iter().map(|t| t["id"]["value"].as_str().unwrap()).collect();
    assert_eq!(ids, ["lecture-2", "lecture-4"]);
    let refused = import(&generated(5), &["lecture-9"], &[]).err().unwrap();
    assert_eq!(refused.kind, ErrorKind::InvalidInput);
    assert!(refused.message.contains("lecture-9"), "{}", refused.message);
}

#[test]
fn switches_leave_out_what_they_name() {
    let off = [
        ("includeTranscripts", "false"),
        ("includeLectureNotes", "false"),
        ("includeAssignments", "false"),
    ];
    let document = import(&generated(4), &[], &off).unwrap().document;
    let text = document.to_string();
    assert!(!text.contains("transcript") && !text.contains("notes") && !text.contains("pset"));
    assert!(text.contains("midterm"));
    let exams = import(&generated(4), &[], &[("includeAssessments", "false")]).unwrap().document;
    assert!(!exams.to_string().contains("midterm") && exams.to_string().contains("pset"));
}

#[test]
fn enrichment_is_made_where_it_is_asked_for_and_says_how() {
    let plain_text = import(&generated(3), &[], &[]).unwrap().document.to_string();
    for trace in ["checkpoint", "learningObjectives", "spokenContent", "flyball.enrichment"] {
        assert!(!plain_text.contains(trace), "{trace}");
    }
    let on = [("createCheckpoints", "true"), ("generateObjectives", "true")];
    let document = import(&generated(3), &[], &on).unwrap().document;
    let segments = topics(&document)[0]["transcript"]["segments"].as_array().unwrap();
    assert_eq!(segments[3]["type"], "checkpoint");
    assert!(segments[3]["checkpoint"]["prompt"].is_string());
    assert_eq!(
        topics(&document)[0]["learningObjectives"][0]["statement"],
        "Describe the governors and feedback"
    );
    let course = &document["content"][0]["learningObjectives"][0]["statement"];
    assert_eq!(course, "Describe governors");
    let told = &document["extensions"]["flyball.enrichment"];
    assert!(told["derivation"].as_str().unwrap().contains("without a language model"));
    assert!(told["applied"]["createCheckpoints"]["count"].as_u64().unwrap() > 3);
}

#[test]
fn steps_have_their_stage_and_never_go_back() {
    let notes = import(&generated(3), &[], &[]).unwrap().notes;
    let stages = ["download", "validate", "extract", "enrich", "generate", "store"];
    let place = |note: &str| stages.iter().position(|stage| *stage == note).unwrap();
    let told: Vec<(u64, usize)> = notes.iter().map(|(done, note)| (*done, place(note))).collect();
    assert!(told.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1), "{told:?}");
    assert!(stages.iter().all(|stage| notes.iter().any(|(_, note)| note == stage)));
}

#[test]
fn a_licence_without_derivatives_is_refused_before_anything_is_copied() {
    let licence = "https://creativecommons.org/licenses/by-nc-nd/4.0/";
    let bytes = package(&Course { licence, lectures: 2, ..Course::default() });
    let files = files("governors.zip", bytes);
    let refused = import(&files, &[], &[]).err().unwrap();
    assert_eq!(refused.kind, ErrorKind::Denied);
    assert!(refused.message.contains("CC-BY-NC-ND-4.0"), "{}", refused.message);
    let listed = catalog::page::<OpenCourse>(&files, "", 0);
    let attributes = &listed.courses[0].attributes;
    assert_eq!(flyball_plugin::attribute(attributes, "can_import"), Some("false"));
}

#[test]
fn a_catalogue_tells_what_a_package_says_of_its_course() {
    let page = catalog::page::<OpenCourse>(&generated(4), "mechanical", 0);
    assert_eq!(page.total, 1);
    let told = |key: &str| flyball_plugin::attribute(&page.courses[0].attributes, key);
    assert_eq!(page.courses[0].id, "governors");
    assert_eq!(page.courses[0].title, "Governors");
    assert_eq!(told("instructor"), Some("James Watt"));
    assert_eq!(told("level"), Some("undergraduate"));
    assert_eq!(told("language"), Some("en"));
    assert_eq!(told("topic_count"), Some("4"));
    assert_eq!(told("features"), Some("transcripts lecture_notes assignments exams"));
    assert_eq!(told("resources.exams"), Some("3"));
    assert_eq!(catalog::page::<OpenCourse>(&generated(1), "botany", 0).total, 0);
}

#[test]
fn a_course_is_described_lecture_by_lecture() {
    let detail = catalog::detail::<OpenCourse>(&generated(2), "governors").unwrap();
    assert_eq!(detail.parts.len(), 2);
    assert_eq!(detail.parts[1].title, "Lecture 2: Heat and Work");
    let told = |index: usize, key: &str| {
        flyball_plugin::attribute(&detail.parts[index].attributes, key).map(str::to_owned)
    };
    assert_eq!(told(0, "has_transcript").as_deref(), Some("true"));
    assert_eq!(told(0, "has_notes").as_deref(), Some("true"));
    assert_eq!(told(1, "has_notes").as_deref(), Some("false"));
    assert_eq!(told(1, "has_video").as_deref(), Some("true"));
}

#[test]
fn an_unpacked_folder_is_the_same_course() {
    let zipped = generated(3);
    let place = course::package::Place {
        id: "governors".into(),
        kind: course::package::PlaceKind::File {
            path: "governors.zip".into(),
            size: zipped.list()[0].1,
        },
    };
    let opened = Package::open(&zipped, &place, "imsmanifest.xml").unwrap();
    let mut memory = Memory::default();
    for name in opened.names() {
        memory.0.insert(format!("governors/{name}"), opened.read(name).unwrap());
    }
    let unpacked: Rc<dyn course::files::Files> = Rc::new(memory);
    let from_folder = import(&unpacked, &[], &[]).unwrap().document;
    assert_eq!(from_folder, import(&zipped, &[], &[]).unwrap().document);
}

#[test]
fn a_package_with_nothing_in_it_is_an_error() {
    let mut zip = packages::zip::Zip::default();
    zip.file("imsmanifest.xml", "<manifest/>");
    zip.file("index.html", "<h1>Empty</h1>");
    let refused = import(&files("governors.zip", zip.finish()), &[], &[]).err().unwrap();
    assert!(refused.message.contains("nothing in it could be imported"), "{}", refused.message);
}

#[test]
fn a_package_without_an_organization_has_the_lectures_that_a_page_lists() {
    let mut zip = packages::zip::Zip::default();
    zip.file("imsmanifest.xml", "<manifest/>");
    zip.file("index.html", "<title>x</title>");
    zip.file(
        "data.json",
        r#"{"course_title":"Engines","level":["Graduate"],
        "instructors":[{"first_name":"James","last_name":"Watt"}]}"#,
    );
    let list = "<a href='../../resources/b/'>Second Law</a><a href='../../resources/a/index.html'>First</a>\
        <a href='../syllabus/index.html'>Syllabus</a><a href='https://example.org'>Elsewhere</a>";
    zip.file("pages/video-lectures/index.html", list);
    zip.file("pages/syllabus/index.html", "<p>Twice a week.</p>");
    for name in ["a", "b"] {
        zip.file(&format!("resources/{name}/index.html"), "<p>All of it stands here.</p>");
    }
    let document = import(&files("governors.zip", zip.finish()), &[], &[]).unwrap().document;
    let titles: Vec<&str> =
        topics(&document).iter().map(|topic| topic["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Second Law", "First"]);
    assert_eq!(words(&topics(&document)[0]), ["All", "of", "it", "stands", "here."]);
    assert_eq!(document["lifecycle"]["contributors"][0]["name"], "James Watt");
    assert_eq!(document["educational"]["audienceProfile"]["educationLevel"], "graduate");
    let warnings = document["extensions"]["flyball.import"]["warnings"].to_string();
    assert!(warnings.contains("`First` has no transcript"), "{warnings}");
}

#[test]
fn a_transcript_that_is_damaged_is_told_and_the_rest_is_imported() {
    let mut zip = packages::zip::Zip::default();
    zip.file("imsmanifest.xml", "<manifest/>");
    zip.file("index.html", "<h1>Broken</h1>");
    for number in 1..=2 {
        let page = format!(
            "<h1>Lecture {number}</h1><a href='../../static_resources/t{number}.pdf'>Transcript</a>"
        );
        zip.file(&format!("resources/lecture-{number}/index.html"), page);
    }
    zip.file("static_resources/t1.pdf", b"this is no PDF");
    let sound = packages::pdf::typeset("Sound", &["All is well.".to_owned()], 1);
    zip.file("static_resources/t2.pdf", sound.bytes);
    let document = import(&files("governors.zip", zip.finish()), &[], &[]).unwrap().document;
    assert_eq!(words(&topics(&document)[1]), ["Sound", "All", "is", "well."]);
    let warnings = document["extensions"]["flyball.import"]["warnings"].to_string();
    assert!(warnings.contains("static_resources/t1.pdf: it is damaged"), "{warnings}");
}

#[test]
#[ignore = "a thousand lectures take a while"]
fn a_thousand_lectures_are_imported_with_all_that_can_be_made_of_them() {
    let on = ["createCheckpoints", "generateObjectives", "generateSpokenText", "generateGlossary"];
    let imported = import(&generated(1_000), &[], &on.map(|switch| (switch, "true"))).unwrap();
    assert_eq!(topics(&imported.document).len(), 1_000);
    println!("{} bytes of document", imported.document.to_string().len());
}

#[test]
fn every_hostile_archive_is_stopped_with_its_reason() {
    for (name, bytes) in packages::hostile::archives("imsmanifest.xml") {
        let refused = import(&files("governors.zip", bytes), &[], &[]).err();
        let refused = refused.unwrap_or_else(|| panic!("{name} was imported"));
        assert!(refused.message.starts_with("governors.zip"), "{name}: {}", refused.message);
        assert_ne!(refused.kind, ErrorKind::Internal, "{name}");
    }
}
