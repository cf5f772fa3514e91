use super::machine::{connect, plugin};
use super::rig::Rig;
use super::sockets::{next_of, open};
use crate::access::Role;
use axum::http::Method;
use flyball_protocol::command::Verdict;
use flyball_protocol::message::{Job, JobEvent, PluginKind, PluginStatus};
use serde_json::{Value, json};

const ITEMS: &str = "/api/plugins";

/// A renderer that draws what it was told.
fn telling(job: Job) -> Vec<JobEvent> {
    match job {
        Job::Render(render) => {
            let told = format!("<svg><text>{:?}</text></svg>", render.options).replace('"', "'");
            let (mime_type, bytes) = ("image/svg+xml".to_owned(), told.into_bytes());
            vec![JobEvent::Image { mime_type, width: 1, height: 1, bytes }, JobEvent::Done]
        }
        Job::Validate { .. } => vec![JobEvent::Diagnostics(Vec::new()), JobEvent::Done],
        job => panic!("{job:?}"),
    }
}

fn plugins() -> Vec<PluginStatus> {
    vec![
        plugin("graphviz", PluginKind::Renderer, &["graphviz"]),
        plugin("mit_ocw", PluginKind::Importer, &["mit_ocw"]),
    ]
}

async fn with_plugins() -> (Rig, String) {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    connect(&rig, plugins(), Verdict::Accepted, telling).await;
    (rig, token)
}

async fn draw(rig: &Rig, token: &str) -> super::rig::Answer {
    let body = json!({ "format": "graphviz", "code": "x" });
    let ask = rig.post("/api/media/diagrams/render").by(token).header("accept", "image/svg+xml");
    ask.json(&body).await
}

async fn post(rig: &Rig, token: &str, what: &str, body: &Value) -> super::rig::Answer {
    rig.post(&format!("{ITEMS}/{what}")).by(token).json(body).await
}

#[tokio::test]
async fn the_first_choice_says_which_plugins_are_used() {
    let (rig, token) = with_plugins().await;
    let list = rig.get(ITEMS).by(&token).send().await.json();
    assert_eq!((&list["first_run"], &list["plugins"][0]["enabled"]), (&json!(true), &json!(true)));
    let strange = post(&rig, &token, "initialize", &json!({ "enabled_plugins": ["x"] })).await;
    assert_eq!(strange.refusal(), (400, "validation_error".into()));
    let body = json!({ "enabled_plugins": ["mit_ocw"] });
    let done = post(&rig, &token, "initialize", &body).await.json();
    assert_eq!(
        done,
        json!({ "success": true, "message": "Initialized 1 plugins", "enabled": ["mit_ocw"] })
    );
    let list = rig.get(ITEMS).by(&token).send().await.json();
    assert_eq!(
        (&list["first_run"], &list["plugins"][0]["enabled"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(list["plugins"][1]["enabled"], true);
    assert_eq!(draw(&rig, &token).await.refusal(), (503, "plugin_unavailable".into()));
    assert_eq!(post(&rig, &token, "initialize", &body).await.refusal(), (409, "conflict".into()));
    let first = rig.get(&format!("{ITEMS}/first-run")).by(&token).send().await.json();
    assert_eq!(first["first_run"], false);
}

#[tokio::test]
async fn a_disabled_plugin_draws_nothing_imports_nothing_and_comes_back() {
    let (rig, token) = with_plugins().await;
    assert_eq!(draw(&rig, &token).await.status, 200);
    for id in ["graphviz", "mit_ocw"] {
        let done = rig.post(&format!("{ITEMS}/{id}/disable")).by(&token).send().await.json();
        assert_eq!(done["message"], "Plugin disabled");
    }
    assert_eq!(draw(&rig, &token).await.refusal(), (503, "plugin_unavailable".into()));
    let capabilities = rig.get("/api/media/capabilities").by(&token).send().await.json();
    assert_eq!(capabilities["capabilities"]["diagrams"]["renderers"]["graphviz"], false);
    let sources = rig.get("/api/import/sources").by(&token).send().await.json();
    assert_eq!(sources["sources"], json!([]));
    rig.post(&format!("{ITEMS}/graphviz/enable")).by(&token).send().await;
    assert_eq!(draw(&rig, &token).await.status, 200);
    let nobody = rig.post(&format!("{ITEMS}/nobody/enable")).by(&token).send().await;
    assert_eq!(nobody.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn settings_reach_every_call_stay_secret_and_survive_a_restart() {
    let (rig, token) = with_plugins().await;
    let settings = json!({ "settings": { "api_key": "geheim", "timeout": 30 } });
    let done = post(&rig, &token, "graphviz/configure", &settings).await.json();
    assert_eq!(done, json!({ "success": true, "message": "Plugin configured" }));
    let drawn = draw(&rig, &token).await;
    let used = rig.get(&format!("{ITEMS}/graphviz")).by(&token).send().await.json();
    assert_eq!(
        (&used["plugin"]["usage"]["calls"], &used["plugin"]["usage"]["done"]),
        (&json!(1), &json!(1))
    );
    assert!(drawn.text.contains("geheim") && drawn.text.contains("30"), "{}", drawn.text);
    let shown = rig.get(&format!("{ITEMS}/graphviz")).by(&token).send().await;
    assert_eq!(shown.json()["plugin"]["settings"], json!({ "api_key": "***", "timeout": 30 }));
    assert_eq!(shown.json()["plugin"]["has_config"], true);
    // What is shown comes back as it was shown.
    let change = json!({ "settings": { "api_key": "***", "timeout": 60 }, "priority": 7 });
    let path = format!("{ITEMS}/graphviz");
    let changed = rig.ask(Method::PUT, &path).by(&token).json(&change).await.json();
    assert_eq!(changed["plugin"]["priority"], 7);
    for stored in rig.app.store.plugin_choices().await.unwrap() {
        let sealed = String::from_utf8_lossy(&stored.settings.unwrap()).into_owned();
        assert!(!sealed.contains("geheim"));
    }
    let rig = rig.restarted().await;
    let choices = rig.app.plugins.choices().await.unwrap();
    let kept = choices.of("graphviz");
    assert_eq!(
        (&kept.settings["api_key"], &kept.settings["timeout"]),
        (&json!("geheim"), &json!(60))
    );
}

#[tokio::test]
async fn settings_that_are_none_are_refused_and_only_administrators_decide() {
    let (rig, token) = with_plugins().await;
    for settings in [json!({ "a": "x".repeat(20_000) }), json!({ "a b": 1 }), json!({ "a": null })]
    {
        let answer =
            post(&rig, &token, "graphviz/configure", &json!({ "settings": settings })).await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()), "{settings}");
    }
    let operator = rig.token("operator@example.org", Role::Operator).await;
    for what in ["enable", "disable", "test"] {
        let path = format!("{ITEMS}/graphviz/{what}");
        assert_eq!(rig.post(&path).by(&operator).send().await.refusal().0, 403);
    }
    let schema = rig.get(&format!("{ITEMS}/graphviz/config-schema")).by(&operator).send().await;
    assert_eq!(schema.json()["schema"]["type"], "object");
}

#[tokio::test]
async fn a_plugin_is_tried_on_a_machine_and_everybody_hears_of_a_decision() {
    let (rig, token) = with_plugins().await;
    let tried = rig.post(&format!("{ITEMS}/graphviz/test")).by(&token).send().await.json();
    assert_eq!((&tried["answered"], &tried["success"]), (&json!(true), &json!(true)), "{tried}");
    let address = rig.listen().await;
    let mut socket = open(address, "/ws", Some(&token)).await.unwrap();
    next_of(&mut socket, "connected").await;
    rig.post(&format!("{ITEMS}/graphviz/disable")).by(&token).send().await;
    let told = next_of(&mut socket, "plugin_update").await;
    assert_eq!(told["data"], json!({ "plugin_id": "graphviz", "enabled": false }));
}
