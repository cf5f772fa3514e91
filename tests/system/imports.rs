//! Packages of courses, from the operator's folder through the sandbox to curricula.

use crate::until::until;
use flyball_harness::fleet::{Api, Fleet, FleetOptions};
use serde_json::{Value, json};
use std::path::PathBuf;

const SOURCES: [&str; 3] = ["mit_ocw", "ck12_flexbook", "common_cartridge"];

fn fleet() -> Fleet {
    let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR").unwrap());
    let folder = built.join("packages-for-tests");
    let settings = format!("[imports]\nfolder = {:?}\n", folder.display().to_string());
    let options = FleetOptions {
        plugins: Some(built.join("plugins")),
        settings: Some(settings),
        ..FleetOptions::default()
    };
    let fleet = Fleet::with(1, options).unwrap();
    let api = fleet.api().unwrap();
    until("every importer is ready", 300, || {
        let body = api.get("/api/import/sources").unwrap().body;
        let ready = |id: &&str| {
            let mut sources = body["sources"].as_array().into_iter().flatten();
            sources.any(|one| one["id"] == **id && one["ready"] == Value::Bool(true))
        };
        if SOURCES.iter().all(ready) { Ok(()) } else { Err(body.to_string()) }
    });
    fleet
}

fn start(api: &Api, order: &Value) -> String {
    let answer = api.post("/api/import/jobs", order).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["jobId"].as_str().unwrap().to_owned()
}

/// The job's end; its progress never goes back.
fn ended(api: &Api, job: &str) -> Value {
    let mut before = 0;
    until("the import ends", 120, || {
        let body = api.get(&format!("/api/import/jobs/{job}")).unwrap().body;
        let progress = &body["progress"];
        let percent = progress["percent_complete"].as_u64().unwrap();
        assert!(percent >= before, "{before} % before, {percent} % now");
        before = percent;
        match progress["status"].as_str().unwrap() {
            "queued" | "in_progress" => Err(body.to_string()),
            _ => Ok(progress.clone()),
        }
    })
}

fn curriculum(api: &Api, progress: &Value) -> Value {
    assert_eq!(progress["status"], "complete", "{progress}");
    let id = progress["curriculum_ids"][0].as_str().unwrap();
    api.get(&format!("/api/curricula/{id}")).unwrap().body["curriculum"].clone()
}

#[test]
fn packages_of_each_kind_become_curricula_whole_or_in_part() {
    let fleet = fleet();
    let api = fleet.api().unwrap();
    let course = api.get("/api/import/sources/mit_ocw/courses/ten").unwrap().body;
    assert_eq!(course["canImport"], true, "{course}");
    let lectures = course["course"]["lectures"].as_array().unwrap();
    assert_eq!(lectures.len(), 10, "{course}");
    let all = json!({ "sourceId": "mit_ocw", "courseId": "ten", "includeTranscripts": true,
        "generateObjectives": true, "createCheckpoints": true });
    let whole = curriculum(&api, &ended(&api, &start(&api, &all)));
    assert_eq!(whole["topics"].as_array().unwrap().len(), 10, "{whole}");
    let id = whole["id"].as_str().unwrap();
    let topic = whole["topics"][0]["id"].as_str().unwrap();
    let said = api.get(&format!("/api/curricula/{id}/topics/{topic}/transcript")).unwrap();
    assert!(said.body["transcript"]["segments"].as_array().unwrap().len() > 1, "{}", said.body);

    let mut some = all;
    some["selectedLectures"] = json!([lectures[2]["id"], lectures[5]["id"]]);
    some["outputName"] = json!("two-lectures");
    let part = curriculum(&api, &ended(&api, &start(&api, &some)));
    assert_eq!(part["id"], "two-lectures");
    assert_eq!(part["topics"].as_array().unwrap().len(), 2, "{part}");

    for (source, course) in [("ck12_flexbook", "book"), ("common_cartridge", "units")] {
        let order = json!({ "sourceId": source, "courseId": course });
        let made = curriculum(&api, &ended(&api, &start(&api, &order)));
        let topics = made["topics"].as_array().unwrap();
        assert!(!topics.is_empty(), "{source}: {made}");
        println!("{source}: {} topics", topics.len());
    }
}

#[test]
fn hostile_packages_are_listed_with_their_reason_and_a_job_is_cancelled_at_once() {
    let fleet = fleet();
    let api = fleet.api().unwrap();
    let list = api.get("/api/import/sources/mit_ocw/courses?pageSize=100").unwrap();
    assert_eq!(list.status, 200, "{}", list.body);
    let mut refused = 0;
    for course in list.body["courses"].as_array().unwrap() {
        let id = course["id"].as_str().unwrap();
        if matches!(id, "ten" | "hundred") {
            continue;
        }
        let path = format!("/api/import/sources/mit_ocw/courses/{id}");
        let detail = api.get(&path).unwrap().body;
        assert_eq!(detail["canImport"], false, "{id}: {detail}");
        println!("{id}: {}", detail["licenseWarnings"][0]);
        refused += 1;
    }
    assert!(refused >= 15, "{refused} hostile packages were listed");
    assert_eq!(api.get("/health").unwrap().status, 200);

    let job = start(&api, &json!({ "sourceId": "mit_ocw", "courseId": "hundred" }));
    let cancelled = api.delete(&format!("/api/import/jobs/{job}")).unwrap();
    assert_eq!(cancelled.body["cancelled"], true, "{}", cancelled.body);
    assert_eq!(ended(&api, &job)["status"], "cancelled");
}
