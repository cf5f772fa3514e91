use super::conformance;
use super::rig::Rig;
use crate::http::{dialects, document, files};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Set it to write the files anew.
const BLESS: &str = "FLYBALL_BLESS";

#[test]
#[cfg_attr(not(feature = "oidc"), ignore = "the documents are the shipped program's")]
fn the_committed_documents_are_those_of_the_code() {
    let folder = Path::new("../docs/openapi");
    for name in dialects() {
        let path = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&document(name).unwrap()).unwrap() + "\n";
        if std::env::var_os(BLESS).is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "docs/openapi/{name}.json is not what the code says; \
             run the tests with {BLESS}=1 and commit it"
        );
    }
}

#[test]
#[cfg_attr(not(feature = "oidc"), ignore = "the documents are the shipped program's")]
fn the_other_committed_files_are_those_of_the_code() {
    for (name, text) in files() {
        let path = Path::new("../docs").join(name);
        if std::env::var_os(BLESS).is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "docs/{name} is not what the code says; run the tests with {BLESS}=1 and commit it"
        );
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_examples_that_hold() {
    for name in dialects() {
        let document = document(name).unwrap();
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let at = format!("{name}: {method} {path}");
                let id = operation["operationId"].as_str().unwrap();
                assert!(names.insert(id.to_owned()), "{at}: {id} is taken");
                assert!(operation["security"].is_array(), "{at}");
                let parameters = operation.get("parameters");
                assert!(parameters.is_none_or(Value::is_array), "{at}");
                let responses = operation["responses"].as_object().unwrap().values();
                for shown in responses.chain(operation.get("requestBody")) {
                    let json = &shown["content"]["application/json"];
                    if let Some(example) = json.get("example") {
                        let faults = conformance::faults(&document, &json["schema"], example);
                        assert!(faults.is_empty(), "{at}: {faults:?} {example:#}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn the_reference_pages_need_no_other_host_and_their_script_is_served() {
    let rig = Rig::start().await;
    for prefix in ["/api/v1", "/api"] {
        let page = rig.get(&format!("{prefix}/docs")).send().await;
        assert_eq!(page.status, 200);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && policy.contains("default-src 'none'"));
        let script = format!("{prefix}/docs/search.js");
        assert!(page.text.contains(&format!("src=\"{script}\"")));
        assert_eq!(page.text.matches("<script").count(), 1);
        let script = rig.get(&script).send().await;
        assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    }
}

#[test]
fn no_reference_dangles_and_every_route_says_what_it_needs() {
    for name in dialects() {
        let document = document(name).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut references = Vec::new();
        gather(&document, &mut references);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{name}: {reference}");
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let at = format!("{name}: {method} {path}");
                assert!(operation["summary"].is_string(), "{at}");
                assert!(operation["responses"]["default"].is_object(), "{at}");
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                let parameters = parameters.iter().map(|parameter| {
                    let pointer = parameter["$ref"].as_str().and_then(|at| at.strip_prefix('#'));
                    pointer.and_then(|at| document.pointer(at)).unwrap_or(parameter)
                });
                let named = parameters.filter(|p| p["in"] == "path").count();
                assert_eq!(named, path.matches('{').count(), "{at}");
            }
        }
    }
}

fn gather(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                references.push(reference.to_owned());
            }
            fields.values().for_each(|value| gather(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| gather(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let rig = Rig::start().await;
    for (path, name) in [("/api/v1/openapi.json", "v1"), ("/api/openapi.json", "flat")] {
        assert_eq!(rig.get(path).send().await.json(), document(name).unwrap());
    }
}

#[test]
fn what_was_made_leads_to_what_may_be_done_with_it() {
    let v1 = document("v1").unwrap();
    let made = &v1["paths"]["/api/v1/sites"]["post"]["responses"]["201"]["links"];
    assert_eq!(made["sites_get"]["parameters"]["id"], "$response.body#/data/id");
    assert_eq!(made["sites_delete"]["parameters"]["header.If-Match"], "*");
    let read = &v1["paths"]["/api/v1/sites/{id}"]["get"]["responses"]["200"]["links"];
    let change = &read["sites_update"]["parameters"];
    assert_eq!(change["header.If-Match"], "$response.header.ETag");
    assert_eq!(change["id"], "$request.path.id");
    let asked = &v1["paths"]["/api/v1/devices/{id}/power"]["post"]["responses"]["202"]["links"];
    assert_eq!(asked["operations_get"]["parameters"]["id"], "$response.body#/data/id");
    let flat = document("flat").unwrap();
    let queued = &flat["paths"]["/api/import/jobs"]["post"]["responses"]["200"]["links"];
    assert_eq!(queued["import_jobs_get"]["parameters"]["id"], "$response.body#/jobId");
}

#[test]
fn a_validated_command_takes_its_word_beside_its_fields() {
    let v1 = document("v1").unwrap();
    let choices = v1["components"]["schemas"]["ActionRequest"]["oneOf"].as_array().unwrap();
    for choice in choices {
        let parts = choice["allOf"].as_array().unwrap();
        assert!(parts.iter().all(|part| part.get("additionalProperties").is_none()), "{choice}");
        assert_eq!(choice["unevaluatedProperties"], false);
    }
}
