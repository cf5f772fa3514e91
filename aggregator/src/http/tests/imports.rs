use super::machine::{connect, plugin};
use super::rig::Rig;
use axum::http::Method;
use flyball_protocol::command::Verdict;
use flyball_protocol::message::{CatalogEntry, Job, JobEvent, Part, PluginKind, PluginStatus};
use serde_json::{Value, json};
use std::time::Duration;

const DOCUMENT: &str = r#"{"umcf":"1.0.0","id":{"value":"colours"},"title":"Colours",
    "x-own":1.50,"content":[{"title":"One","description":"first"}]}"#;

fn importer() -> Vec<PluginStatus> {
    vec![plugin("umcf-importer", PluginKind::Importer, &["umcf", "markdown", "mit_ocw"])]
}

fn entry(path: &str, licence: &str) -> CatalogEntry {
    let attributes = [
        ("subject", "mathematics"),
        ("instructor", "A"),
        ("features", "transcripts lecture_notes"),
        ("attribution", "MIT OpenCourseWare"),
        ("resources.assignments", "12"),
        ("licence", licence),
        ("can_import", if licence.contains("ND") { "false" } else { "true" }),
    ];
    CatalogEntry {
        id: path.trim_end_matches(".zip").into(),
        title: "Linear Algebra".into(),
        description: String::new(),
        attributes: attributes.map(|(key, value)| (key.into(), value.into())).to_vec(),
    }
}

/// An importer that gives UMCF files back, and nothing for an empty one.
fn import(job: Job) -> Vec<JobEvent> {
    match job {
        Job::Import { files, .. } => {
            let progress =
                JobEvent::Progress { done: 1, total: Some(2), note: "one of two".into() };
            let mut events = vec![progress];
            for file in files.into_iter().filter(|file| !file.bytes.is_empty()) {
                events.push(JobEvent::Item {
                    id: file.path,
                    title: "Colours".into(),
                    media_type: "application/umcf+json".into(),
                    bytes: file.bytes,
                });
            }
            events.push(JobEvent::Done);
            events
        }
        Job::Catalog { files, .. } => {
            let package = &files[0];
            let text = String::from_utf8_lossy(&package.bytes).into_owned();
            let entries = match text.as_str() {
                "nothing" => Vec::new(),
                text => vec![entry(&package.path, text)],
            };
            vec![JobEvent::Entries { total: 1, entries }, JobEvent::Done]
        }
        Job::Describe { files, item } => {
            assert_eq!(item, "algebra");
            let part = |number: u32| Part {
                id: format!("lecture-{number}"),
                title: format!("Lecture {number}"),
                attributes: vec![("has_transcript".into(), "true".into())],
            };
            let entry = entry(&files[0].path, "");
            vec![JobEvent::Detail { entry, parts: vec![part(1), part(2)] }, JobEvent::Done]
        }
        job => panic!("{job:?}"),
    }
}

async fn with_course(name: &str, text: &str) -> (Rig, String) {
    let rig = Rig::start().await;
    let folder = rig.state.path().join("imports");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
    let token = rig.admin().await;
    connect(&rig, importer(), Verdict::Accepted, import).await;
    (rig, token)
}

async fn start(rig: &Rig, token: &str, course: &str) -> Value {
    let body = json!({ "sourceId": "umcf", "courseId": course, "includeTranscripts": true });
    let answer = rig.post("/api/import/jobs").by(token).json(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn ended(rig: &Rig, token: &str, id: &Value) -> Value {
    let path = format!("/api/import/jobs/{}", id.as_str().unwrap());
    for _ in 0..200 {
        let body = rig.get(&path).by(token).send().await.json();
        let status = body["progress"]["status"].as_str().unwrap();
        if !matches!(status, "queued" | "in_progress") {
            return body["progress"].clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        rig.clock.advance(Duration::from_secs(1));
    }
    panic!("the job did not end");
}

#[tokio::test]
async fn a_course_is_found_imported_and_given_back_byte_for_byte() {
    let (rig, token) = with_course("colours.umcf", DOCUMENT).await;
    tokio::spawn(rig.app.imports.clone().run(rig.app.shutdown.clone()));
    let sources = rig.get("/api/import/sources").by(&token).send().await.json();
    assert_eq!(sources["sources"][2]["id"], "umcf");
    let path = "/api/import/sources/umcf/courses";
    let courses = rig.get(path).by(&token).send().await.json();
    assert_eq!(courses["courses"][0]["title"], "Colours");
    assert_eq!(courses["pagination"]["total"], 1);
    let course = rig.get(&format!("{path}/colours")).by(&token).send().await.json();
    assert_eq!(
        (&course["canImport"], &course["course"]["lectures"][0]["title"]),
        (&json!(true), &json!("One"))
    );

    let job = start(&rig, &token, "colours").await;
    assert_eq!((&job["success"], &job["status"]), (&json!(true), &json!("queued")));
    let progress = ended(&rig, &token, &job["jobId"]).await;
    assert_eq!(progress["status"], "complete", "{progress}");
    assert_eq!(progress["percent_complete"], 100);
    assert_eq!(progress["curriculum_ids"], json!(["colours"]));

    let list = rig.get("/api/curricula").by(&token).send().await.json();
    assert_eq!(list["curricula"][0]["topics_count"], 1);
    let detail = rig.get("/api/curricula/colours").by(&token).send().await.json();
    assert_eq!(detail["curriculum"]["topics"][0]["duration"], 1800);
    let full = rig.get("/api/curricula/colours/full").by(&token).send().await;
    assert_eq!(full.text, DOCUMENT);
}

#[tokio::test]
async fn an_import_that_brings_nothing_has_failed() {
    let (rig, token) = with_course("empty.umcf", "").await;
    tokio::spawn(rig.app.imports.clone().run(rig.app.shutdown.clone()));
    let job = start(&rig, &token, "empty").await;
    let progress = ended(&rig, &token, &job["jobId"]).await;
    assert_eq!(progress["status"], "failed");
    assert_eq!(progress["errors"], json!(["the import brought nothing"]));
}

#[tokio::test]
async fn a_licence_without_derivatives_is_refused_with_its_reason() {
    let text =
        DOCUMENT.replace("\"x-own\"", r#""rights":{"license":{"type":"CC-BY-ND-4.0"}},"x-own""#);
    let (rig, token) = with_course("colours.umcf", &text).await;
    tokio::spawn(rig.app.imports.clone().run(rig.app.shutdown.clone()));
    let job = start(&rig, &token, "colours").await;
    let progress = ended(&rig, &token, &job["jobId"]).await;
    assert_eq!(progress["status"], "failed");
    assert!(progress["errors"][0].as_str().unwrap().contains("CC-BY-ND-4.0"));
}

#[tokio::test]
async fn a_job_is_cancelled_once_and_waits_over_a_restart() {
    let (rig, token) = with_course("colours.umcf", DOCUMENT).await;
    // Nobody runs jobs yet, as after a crash.
    let job = start(&rig, &token, "colours").await;
    let other = start(&rig, &token, "colours").await;
    let path = format!("/api/import/jobs/{}", other["jobId"].as_str().unwrap());
    let cancelled = rig.ask(Method::DELETE, &path).by(&token).send().await.json();
    assert_eq!(cancelled, json!({ "success": true, "cancelled": true }));
    let again = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(again.refusal(), (409, "conflict".into()));
    tokio::spawn(rig.app.imports.clone().run(rig.app.shutdown.clone()));
    assert_eq!(ended(&rig, &token, &job["jobId"]).await["status"], "complete");
    assert_eq!(ended(&rig, &token, &other["jobId"]).await["status"], "cancelled");
    let list = rig.get("/api/import/jobs?status=cancelled").by(&token).send().await.json();
    assert_eq!(list["total"], 1);
    let wrong = rig.get("/api/import/jobs?status=lost").by(&token).send().await;
    assert_eq!(wrong.refusal(), (400, "validation_error".into()));
}

#[tokio::test]
async fn a_job_that_comes_back_before_its_machine_waits_for_it() {
    let rig = Rig::start().await;
    let folder = rig.state.path().join("imports");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("colours.umcf"), DOCUMENT).unwrap();
    let token = rig.admin().await;
    let machine = connect(&rig, importer(), Verdict::Accepted, import).await;
    let job = start(&rig, &token, "colours").await;
    let has = |plugins: Vec<PluginStatus>| {
        rig.app.sessions.update(machine.device, |inventory| inventory.plugins = plugins);
    };
    has(Vec::new());
    tokio::spawn(rig.app.imports.clone().run(rig.app.shutdown.clone()));
    let path = format!("/api/import/jobs/{}", job["jobId"].as_str().unwrap());
    loop {
        let progress = rig.get(&path).by(&token).send().await.json()["progress"].clone();
        assert_ne!(progress["status"], "failed", "{progress}");
        if progress["current_step"] == "waiting for a machine with the importer" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    has(importer());
    assert_eq!(ended(&rig, &token, &job["jobId"]).await["status"], "complete");
}

#[tokio::test]
async fn jobs_for_what_is_not_there_are_refused() {
    let (rig, token) = with_course("colours.umcf", DOCUMENT).await;
    for (body, status, slug) in [
        (json!({ "courseId": "colours" }), 400, "validation_error"),
        (json!({ "sourceId": "mit_ocw", "courseId": "x" }), 404, "not_found"),
        (json!({ "sourceId": "nothing", "courseId": "x" }), 404, "not_found"),
        (json!({ "sourceId": "umcf", "courseId": "../secret" }), 404, "not_found"),
    ] {
        let answer = rig.post("/api/import/jobs").by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (status, slug.to_owned()), "{body}");
    }
    let body = json!({ "source_id": "umcf", "course_id": "colours" });
    let v1 = rig.post("/api/v1/import/jobs").by(&token).json(&body).await;
    assert_eq!(v1.status, 202);
    assert!(v1.header("location").starts_with("/api/v1/import/jobs/"));
}

#[tokio::test]
async fn packages_are_what_their_importer_says_and_are_asked_about_once() {
    let (rig, token) = with_course("colours.umcf", DOCUMENT).await;
    tokio::spawn(rig.app.imports.clone().run(rig.app.shutdown.clone()));
    let folder = rig.state.path().join("imports/mit_ocw");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in
        [("algebra.zip", DOCUMENT), ("closed.zip", "CC BY-NC-ND 4.0"), ("other.zip", "nothing")]
    {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let path = "/api/import/sources/mit_ocw/courses";
    let courses = rig.get(path).by(&token).send().await.json();
    assert_eq!(courses["courses"][0]["title"], "Linear Algebra");
    assert_eq!(
        courses["courses"][0]["available_features"],
        json!(["transcripts", "lecture_notes"])
    );
    assert_eq!(courses["pagination"]["total"], 3);
    let found = rig.get(&format!("{path}?subject=Mathematics")).by(&token).send().await.json();
    assert_eq!(found["pagination"]["total"], 2);
    let course = rig.get(&format!("{path}/algebra")).by(&token).send().await.json();
    assert_eq!(course["course"]["lectures"][1]["id"], "lecture-2");
    assert_eq!(course["course"]["resources"]["assignments"], 12);
    assert_eq!(
        (&course["canImport"], &course["attribution"]),
        (&json!(true), &json!("MIT OpenCourseWare"))
    );
    for (id, reason) in [("closed", "ND"), ("other", "is no package")] {
        let course = rig.get(&format!("{path}/{id}")).by(&token).send().await.json();
        assert_eq!(course["canImport"], false, "{id}");
        assert!(course["licenseWarnings"][0].as_str().unwrap().contains(reason), "{course}");
    }
    for (id, status) in [("algebra", "complete"), ("closed", "failed")] {
        let body = json!({ "sourceId": "mit_ocw", "courseId": id });
        let job = rig.post("/api/import/jobs").by(&token).json(&body).await.json();
        let progress = ended(&rig, &token, &job["jobId"]).await;
        assert_eq!(progress["status"], status, "{progress}");
    }
}
