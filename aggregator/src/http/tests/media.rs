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
        job => panic!("{job:?}"),
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
        (Job::Render(render), "told") => {
            let told = format!("{:?} {:?} {:?}", render.format, render.options, render.theme);
            let told = told.replace(['<', '&'], "");
            vec![image("image/svg+xml", &format!("<svg><text>{told}</text></svg>")), JobEvent::Done]
        }
        (Job::Render(render), source) if render.format == "map" => {
            let told = source.replace(['<', '&'], "");
            vec![image("image/svg+xml", &format!("<svg><text>{told}</text></svg>")), JobEvent::Done]
        }
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

/// What the picture of an answer says.
fn said(answer: &super::rig::Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.json()["data"].as_str().unwrap().to_owned();
    String::from_utf8(STANDARD.decode(data).unwrap()).unwrap().replace("&quot;", "\"")
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
            json!({ "format": "graphviz", "code": "x", "outputFormat": "bmp" }),
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
    assert_eq!(plugins["first_run"], true);
}

#[tokio::test]
async fn a_picture_comes_as_itself_where_the_client_prefers_it() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    connect(&rig, renderer(), Verdict::Accepted, draw).await;
    let ask = rig.post(RENDER).by(&token).header("accept", "image/svg+xml, */*;q=0.1");
    let answer = ask.json(&source("digraph {}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "image/svg+xml"));
    assert_eq!(answer.text, "<svg><g/></svg>");
    assert!(answer.header("content-security-policy").contains("sandbox"));
    let ask = rig.post(RENDER).by(&token).header("accept", "application/pdf");
    assert_eq!(ask.json(&source("digraph {}")).await.refusal(), (406, "not_acceptable".into()));
}

#[tokio::test]
async fn a_link_that_holds_its_source_is_a_picture_with_a_tag() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    connect(&rig, renderer(), Verdict::Accepted, draw).await;
    let link = |source: &str| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, source.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let packed = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(packed);
        format!("/api/v1/media/diagrams/graphviz/svg/{packed}")
    };
    let answer = rig.get(&link("digraph {}")).by(&token).send().await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "<svg><g/></svg>"));
    let tag = answer.header("etag").to_owned();
    let known = rig.get(&link("digraph {}")).by(&token).header("if-none-match", &tag).send().await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
    let wide = rig.get(&format!("{}?width=90", link("digraph {}"))).by(&token).send().await;
    assert_ne!(wide.header("etag"), tag);
    let fault = rig.get(&link("fault")).by(&token).send().await;
    assert_eq!((fault.status.as_u16(), fault.header("content-type")), (400, "image/svg+xml"));
    assert!(fault.text.contains("line 3, column 5: unexpected token"), "{}", fault.text);
    let broken = "/api/v1/media/diagrams/graphviz/svg/%25";
    assert_eq!(rig.get(broken).by(&token).send().await.refusal(), (400, "bad_request".into()));
}

#[tokio::test]
async fn a_formula_is_drawn_with_its_options_and_judged_by_its_place() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let plugins = vec![plugin("ratex", PluginKind::Renderer, &["latex", "katex"])];
    connect(&rig, plugins, Verdict::Accepted, draw).await;
    let path = "/api/media/formulas/render";
    let body = json!({ "latex": "told", "displayMode": false, "fontSize": 24, "color": "#123456" });
    let drawn = said(&rig.post(path).by(&token).json(&body).await);
    for wanted in ["latex", "displayMode", "false", "fontSize", "24", "#123456"] {
        assert!(drawn.contains(wanted), "{wanted}: {drawn}");
    }
    for (body, slug) in [
        (json!({}), "missing_field"),
        (json!({ "latex": "x", "fontSize": 1 }), "validation_error"),
        (json!({ "latex": "x", "outputFormat": "gif" }), "unsupported_format"),
        (json!({ "latex": "fault" }), "validation_error"),
    ] {
        let answer = rig.post(path).by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (400, slug.to_owned()), "{body}");
    }
    let judged = rig.post("/api/media/formulas/validate").by(&token);
    let judged = judged.json(&json!({ "latex": "fault" })).await.json();
    assert_eq!((&judged["valid"], &judged["errors"][0]["column"]), (&json!(false), &json!(5)));
    let capabilities = rig.get("/api/media/capabilities").by(&token).send().await.json();
    assert_eq!(capabilities["capabilities"]["formulas"]["renderers"]["katex"], true);
}

#[tokio::test]
async fn a_map_reaches_its_plugin_whole_and_its_faults_name_their_place() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    connect(&rig, vec![plugin("maps", PluginKind::Renderer, &["map"])], Verdict::Accepted, draw)
        .await;
    let path = "/api/media/maps/render";
    let map = json!({
        "title": "Italian City-States", "center": { "lat": 43.0, "lng": 12.0 }, "zoom": 6,
        "style": "educational", "outputFormat": "svg",
        "markers": [{ "latitude": 41.9, "longitude": 12.5, "label": "Rome", "color": "#E74C3C" }],
        "routes": [{ "points": [[41.9, 12.5], [43.7, 11.2]], "width": 2.0 }],
        "regions": [{ "points": [[42.0, 11.0], [42.5, 13.0], [41.5, 13.0]], "fillOpacity": 0.3 }],
    });
    let drawn: Value = {
        let text = said(&rig.post(path).by(&token).json(&map).await);
        let text = text.trim_start_matches("<svg><text>").trim_end_matches("</text></svg>");
        serde_json::from_str(text).unwrap()
    };
    assert_eq!(drawn["center"], json!({ "latitude": 43.0, "longitude": 12.0 }));
    assert_eq!((&drawn["markers"], &drawn["regions"]), (&map["markers"], &map["regions"]));
    for (change, field) in [
        (json!({ "center": { "latitude": 99, "longitude": 0 } }), "center.latitude"),
        (json!({ "style": "cubist" }), "style"),
        (json!({ "width": 9 }), "width"),
        (json!({ "zoom": 0 }), "zoom"),
        (json!({ "markers": [{ "latitude": 0, "longitude": 999 }] }), "markers.0.longitude"),
        (json!({ "routes": [{ "points": [[0, 0]] }] }), "routes.0.points"),
        (json!({ "regions": [{ "points": [[0, 0], [1, 1]] }] }), "regions.0.points"),
    ] {
        let mut body = map.clone();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = rig.post(path).by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()), "{change}");
        assert!(answer.text.contains(field), "{field}: {}", answer.text);
    }
    let styles = rig.get("/api/media/maps/styles").by(&token).send().await.json();
    assert_eq!(styles["styles"][2]["id"], "physical");
    let capabilities = rig.get("/api/media/capabilities").by(&token).send().await.json();
    assert_eq!(capabilities["capabilities"]["maps"]["styles"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn another_machine_takes_over_from_one_that_has_gone() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let gone = connect(&rig, renderer(), Verdict::Accepted, |_| {
        let failure = JobFailure {
            kind: JobFailureKind::Unavailable,
            message: "the runner is away".into(),
            diagnostics: Vec::new(),
        };
        vec![JobEvent::Failed(failure)]
    })
    .await;
    let there = connect(&rig, renderer(), Verdict::Accepted, draw).await;
    for turn in 0..4 {
        let answer = rig.post(RENDER).by(&token).json(&source(&format!("digraph {turn}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(there.jobs.load(Ordering::SeqCst), 4);
    assert_eq!(gone.jobs.load(Ordering::SeqCst), 2);
}
