use super::machine::{connect, plugin};
use super::rig::Rig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flyball_protocol::command::Verdict;
use flyball_protocol::message::{
    Diagnostic, DiagnosticSeverity, Job, JobEvent, JobFailure, JobFailureKind, PluginKind,
};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const RENDER: &str = "/api/media/diagrams/render";

/// A renderer that draws everything but sources with `fault` in their third line.
fn draw(job: Job) -> Vec<JobEvent> {
    let source = match &job {
        Job::Render(render) => render.source.clone(),
        Job::Validate { source, .. } => source.clone(),
        Job::Catalog { .. } | Job::Import { .. } => panic!("{job:?}"),
    };
    let fault = Diagnostic {
        severity: DiagnosticSeverity::Error,
        code: "syntax".into(),
        message: "unexpected token".into(),
        line: 3,
        column: 5,
    };
    let failure = |kind, message: &str| {
        let diagnostics = vec![fault.clone()];
        JobEvent::Failed(JobFailure { kind, message: message.into(), diagnostics })
    };
    match (job, source.as_str()) {
        (Job::Validate { .. }, "fault") => vec![JobEvent::Diagnostics(vec![fault]), JobEvent::Done],
        (Job::Validate { .. }, _) => vec![JobEvent::Diagnostics(Vec::new()), JobEvent::Done],
        (_, "fault") => vec![failure(JobFailureKind::InvalidInput, "does not parse")],
        (_, "spin") => vec![failure(JobFailureKind::Limit, "it ran longer than 5 s")],
        (_, "html") => vec![image("text/html", "<p>"), JobEvent::Done],
        (_, "nothing") => vec![JobEvent::Done],
        _ => vec![image("image/svg+xml", "<svg><script>x</script><g/></svg>"), JobEvent::Done],
    }
}

fn image(mime_type: &str, text: &str) -> JobEvent {
    let bytes = text.as_bytes().to_vec();
    JobEvent::Image { mime_type: mime_type.into(), width: 80, height: 60, bytes }
}

fn renderer() -> Vec<flyball_protocol::message::PluginStatus> {
    vec![plugin("graphviz-pure", PluginKind::Renderer, &["graphviz", "dot"])]
}

fn source(code: &str) -> Value {
    json!({ "format": "graphviz", "code": code, "outputFormat": "svg" })
}

#[tokio::test]
async fn a_picture_comes_in_the_flat_shape_sanitised_and_from_the_cache_next_time() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = connect(&rig, renderer(), Verdict::Accepted, draw).await;
    let answer = rig.post(RENDER).by(&token).json(&source("digraph {}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "success": true,
            "data": STANDARD.encode("<svg><g/></svg>"),
            "mimeType": "image/svg+xml",
            "width": 80,
            "height": 60,
            "renderMethod": "graphviz-pure",
        })
    );
    let alias = json!({ "format": "dot", "code": "digraph {}" });
    assert_eq!(rig.post(RENDER).by(&token).json(&alias).await.text, answer.text);
    assert_eq!(machine.jobs.load(Ordering::SeqCst), 1);
    let v1 = rig.post("/api/v1/media/diagrams/render").by(&token).json(&alias).await.json();
    assert_eq!(v1["data"]["mime_type"], "image/svg+xml");
}

#[tokio::test]
async fn a_source_with_a_fault_is_400_and_names_its_line() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    connect(&rig, renderer(), Verdict::Accepted, draw).await;
    for prefix in ["/api", "/api/v1"] {
        let path = format!("{prefix}/media/diagrams/render");
        let answer = rig.post(&path).by(&token).json(&source("fault")).await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()));
        let body = answer.json();
        assert_eq!(body["code"], "VALIDATION_ERROR");
        assert_eq!(body["message"], "line 3, column 5: unexpected token");
        assert_eq!(
            body["validationErrors"],
            json!([{
                "line": 3, "column": 5, "message": "unexpected token",
                "code": "syntax", "severity": "error",
            }])
        );
    }
    let path = "/api/media/diagrams/validate";
    let judged = rig.post(path).by(&token).json(&source("fault")).await.json();
    assert_eq!((&judged["valid"], &judged["errors"][0]["line"]), (&json!(false), &json!(3)));
    let sound = rig.post(path).by(&token).json(&source("digraph {}")).await.json();
    assert_eq!(sound, json!({ "success": true, "valid": true, "errors": [], "warnings": [] }));
}

#[tokio::test]
async fn what_a_plugin_does_wrong_is_its_failure_and_no_picture() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    connect(&rig, renderer(), Verdict::Accepted, draw).await;
    for (code, kind) in [("spin", json!("limit")), ("html", Value::Null), ("nothing", Value::Null)]
    {
        let answer = rig.post(RENDER).by(&token).json(&source(code)).await;
        assert_eq!(answer.refusal(), (502, "plugin_failed".into()), "{code}");
        let body = answer.json();
        assert_eq!(body["details"]["plugin"], "graphviz-pure");
        assert_eq!(body["details"]["kind"], kind, "{code}");
    }
}

#[tokio::test]
async fn requests_out_of_bounds_are_refused_before_any_machine_hears_of_them() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let machine = connect(&rig, renderer(), Verdict::Accepted, draw).await;
    for (body, status, slug) in [
        (json!({ "format": "graphviz" }), 400, "missing_field"),
        (json!({ "format": "", "code": "" }), 400, "missing_field"),
        (json!({ "format": "graphviz", "code": " " }), 400, "validation_error"),
        (json!({ "format": "graphviz", "code": "x", "width": 0 }), 400, "validation_error"),
        (json!({ "format": "graphviz", "code": "x", "height": 9000 }), 400, "validation_error"),
        (json!({ "format": "graphviz", "code": "x", "width": -1 }), 400, "validation_error"),
        (json!({ "format": "graphviz", "code": "x".repeat(300_000) }), 400, "validation_error"),
        (
            json!({ "format": "graphviz", "code": "x", "outputFormat": "png" }),
            400,
            "unsupported_format",
        ),
        (json!({ "format": "mermaid", "code": "x" }), 503, "plugin_unavailable"),
    ] {
        let answer = rig.post(RENDER).by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (status, slug.to_owned()), "{}", &body.to_string()[..40]);
    }
    assert_eq!(machine.jobs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn capabilities_say_what_can_be_drawn_now() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let path = "/api/media/capabilities";
    let before = rig.get(path).by(&token).send().await.json();
    assert_eq!(before["capabilities"]["diagrams"]["renderers"]["graphviz"], false);
    connect(&rig, renderer(), Verdict::Accepted, draw).await;
    let body = rig.get(path).by(&token).send().await.json();
    let capabilities = &body["capabilities"];
    assert_eq!(capabilities["diagrams"]["renderers"]["graphviz"], true);
    assert_eq!(capabilities["diagrams"]["renderers"]["mermaid"], false);
    assert_eq!(capabilities["formulas"]["clientSideSupported"], true);
    assert_eq!(capabilities["maps"]["renderers"]["staticTiles"], false);
    let plugins = rig.get("/api/plugins").by(&token).send().await.json();
    assert_eq!(plugins["plugins"][0]["plugin_id"], "graphviz-pure");
    assert_eq!(plugins["first_run"], false);
}
