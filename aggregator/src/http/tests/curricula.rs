use super::rig::Rig;
use super::sockets::{next_of, open};
use crate::access::Role;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};

const ITEMS: &str = "/api/curricula";
const CLEAN: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>"#;
const PICTURE: &str =
    "<svg xmlns='http://www.w3.org/2000/svg' onload='x()'><script>x</script><g/></svg>";

fn document(title: &str) -> Value {
    json!({
        "formatIdentifier": "umcf", "id": { "value": "biology" }, "title": title,
        "version": { "number": "1.0.0" }, "x-own": 1.50,
        "metadata": { "language": "en", "keywords": ["cells"] },
        "content": [{ "id": { "value": "root" }, "title": "Root", "type": "curriculum", "children": [
            { "id": { "value": "cells" }, "title": "Cells", "type": "topic",
              "transcript": { "segments": [{ "id": "s1", "type": "introduction",
                "content": "Welcome.", "speakingNotes": { "pace": "normal", "pauseAfter": true } }],
                "totalDuration": "PT45M",
                "pronunciationGuide": { "mitochondria": { "ipa": "/x/", "respelling": "my" } } } },
            { "id": { "value": "genes" }, "title": "Genes", "type": "topic" },
        ]}],
    })
}

async fn with_biology() -> (Rig, String) {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let made = rig.post(ITEMS).by(&token).json(&document("Biology 101")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["warnings"], json!([]));
    (rig, token)
}

async fn add(rig: &Rig, token: &str, name: &str, file: &[u8], words: &[(&str, &str)]) -> Value {
    let path = format!("{ITEMS}/biology/topics/cells/assets");
    let answer = rig.post(&path).by(token).form(name, file, words).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["asset"].clone()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_curriculum_comes_as_a_form_a_document_or_a_compressed_bundle() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let import = format!("{ITEMS}/import");
    let text = document("Biology").to_string();
    let answer = rig.post(&import).by(&token).form("biology.umcf", text.as_bytes(), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["curriculum_id"], "biology");
    assert_eq!(answer.json()["message"], "Curriculum imported");

    let nameless = json!({ "umcf": "1.0.0", "title": "Old", "content": [{ "title": "One" }] });
    let answer = rig
        .post(&import)
        .by(&token)
        .form("old course.json", nameless.to_string().as_bytes(), &[])
        .await;
    assert_eq!(answer.json()["curriculum_id"], "old-course");
    assert!(answer.json()["warnings"][0].as_str().unwrap().contains("formatIdentifier"));

    let bundle = json!({
        "manifest": document("Bundled"), "assets": { "cell": STANDARD.encode(PICTURE) },
    });
    let packed = gzip(bundle.to_string().as_bytes());
    let answer =
        rig.post(&import).by(&token).header("content-type", "application/gzip").body(packed).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let whole = rig.get(&format!("{ITEMS}/biology/full-with-assets")).by(&token).send().await;
    let picture = STANDARD.encode(CLEAN);
    assert_eq!(whole.json()["curriculum"], document("Bundled"));
    assert_eq!(whole.json()["assets"], json!({ "cell": picture }));
    assert_eq!(whole.json()["assetData"]["cell"]["mimeType"], "image/svg+xml");
    assert_eq!(whole.json()["assetData"]["cell"]["data"], picture);
    let list = rig.get(&format!("{ITEMS}?q=BUNDLED&sort=-title")).by(&token).send().await.json();
    assert_eq!((&list["total"], &list["curricula"][0]["id"]), (&json!(1), &json!("biology")));
}

#[tokio::test]
async fn what_is_no_curriculum_is_refused_by_what_it_is() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let import = format!("{ITEMS}/import");
    for (file, code) in [
        (&b"{"[..], "it is no JSON"),
        (b"{\"title\":\"a\"}", "formatIdentifier is not umcf"),
        (b"\x1f\x8bdamaged", "damaged"),
        (b"\xff\xfe", "UTF-8"),
    ] {
        let answer = rig.post(&import).by(&token).form("a.umcf", file, &[]).await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()), "{}", answer.text);
        assert!(answer.text.contains(code), "{code}: {}", answer.text);
    }
    let answer = rig.post(&import).by(&token).header("content-type", "text/plain").body("x").await;
    assert_eq!(answer.refusal(), (415, "unsupported_media_type".into()));
    let empty =
        rig.post(&import).by(&token).header("content-type", "multipart/form-data; boundary=b");
    assert_eq!(empty.body("--b--\r\n").await.refusal(), (400, "missing_field".into()));
    for url in ["http://127.0.0.1:9/a", "http://169.254.169.254/latest", "file:///etc/passwd"] {
        let answer = rig.post(&import).by(&token).json(&json!({ "url": url })).await;
        assert_eq!(answer.refusal(), (400, "validation_error".into()), "{}", answer.text);
    }
    let viewer = rig.token("viewer@example.org", Role::Viewer).await;
    let answer = rig.post(&import).by(&viewer).json(&document("Biology")).await;
    assert_eq!(answer.refusal(), (403, "forbidden".into()));
}

#[tokio::test]
async fn what_is_said_in_a_topic_is_given_back_as_it_stands() {
    let (rig, token) = with_biology().await;
    let path = |topic: &str| format!("{ITEMS}/biology/topics/{topic}/transcript");
    let said = rig.get(&path("cells")).by(&token).send().await.json()["transcript"].clone();
    assert_eq!(
        said["segments"],
        document("x")["content"][0]["children"][0]["transcript"]["segments"]
    );
    assert_eq!(said["totalDuration"], "PT45M");
    assert_eq!(said["pronunciationGuide"]["mitochondria"]["respelling"], "my");
    for topic in ["genes", "nothing"] {
        let answer = rig.get(&path(topic)).by(&token).send().await;
        assert_eq!(answer.refusal(), (404, "not_found".into()));
    }
}

#[tokio::test]
async fn a_replaced_document_becomes_a_version_that_can_be_put_back() {
    let (rig, token) = with_biology().await;
    let path = format!("{ITEMS}/biology");
    let before = rig.get(&path).by(&token).send().await;
    assert_eq!(before.header("etag"), "\"1\"");
    let changed = document("Biology 102").to_string();
    let put = |tag: &'static str| {
        let ask = rig.ask(Method::PUT, &path).by(&token).header("if-match", tag);
        ask.header("content-type", "application/json").body(changed.clone())
    };
    let answer = put("\"1\"").await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""), "{}", answer.text);
    assert_eq!(answer.json()["curriculum"]["title"], "Biology 102");
    assert_eq!(put("\"1\"").await.refusal(), (412, "precondition_failed".into()));
    let full = rig.get(&format!("{path}/full")).by(&token).send().await;
    assert_eq!(full.text, changed);

    let v1 = "/api/v1/curricula/biology/versions";
    let versions = rig.get(v1).by(&token).send().await.json();
    assert_eq!(versions["data"][0]["title"], "Biology 101");
    let old = rig.get(&format!("{v1}/1")).by(&token).send().await;
    assert_eq!(old.json()["title"], "Biology 101");
    let restored = rig.post(&format!("{v1}/1/restore")).by(&token).send().await.json();
    assert_eq!(
        (&restored["data"]["title"], &restored["data"]["revision"]),
        (&json!("Biology 101"), &json!(3))
    );
    assert_eq!(rig.get(&format!("{v1}/9")).by(&token).send().await.refusal().0, 404);
    let wrong = rig.ask(Method::PUT, &path).by(&token).json(&json!({ "title": "x" })).await;
    assert_eq!(wrong.refusal(), (400, "validation_error".into()));
}

#[tokio::test]
async fn a_curriculum_is_deleted_by_who_says_so_twice_and_comes_back() {
    let (rig, token) = with_biology().await;
    let path = format!("{ITEMS}/biology");
    let unsure = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(unsure.refusal(), (400, "confirmation_required".into()));
    let sure = rig.ask(Method::DELETE, &format!("{path}?confirm=true")).by(&token).send().await;
    assert_eq!(sure.json()["message"], "Curriculum deleted");
    assert_eq!(rig.get(&path).by(&token).send().await.refusal().0, 404);
    let list = rig.get(&format!("{ITEMS}?filter[deleted]=true")).by(&token).send().await.json();
    assert_eq!(list["curricula"][0]["id"], "biology");
    let restored = rig.post("/api/v1/curricula/biology/restore").by(&token).send().await;
    assert_eq!(restored.status, 200, "{}", restored.text);
    assert_eq!(rig.get(&path).by(&token).send().await.status, 200);
}

#[tokio::test]
async fn an_archive_is_a_tar_that_any_tool_opens_and_brings_everything_back() {
    let (rig, token) = with_biology().await;
    let asset = add(&rig, &token, "cell.svg", PICTURE.as_bytes(), &[("type", "diagram")]).await;
    let before = rig.get(&format!("{ITEMS}/biology")).by(&token).send().await.json();
    let put = rig.post(&format!("{ITEMS}/biology/archive")).by(&token).send().await;
    assert_eq!(put.status, 200, "{}", put.text);
    let file = put.json()["archive_file"].as_str().unwrap().to_owned();
    assert!(file.starts_with("biology-20") && file.ends_with(".tar.gz"), "{file}");
    assert_eq!(rig.get(&format!("{ITEMS}/biology")).by(&token).send().await.refusal().0, 404);
    let list = rig.get(&format!("{ITEMS}/archived")).by(&token).send().await.json();
    assert_eq!(list["archived"][0]["file_name"], json!(file));
    assert_eq!(list["archived"][0]["curriculum_title"], "Biology 101");
    assert_eq!(list["archived"][0]["checksum"], put.json()["checksum"]);

    let (_, bytes) = rig.app.store.curriculum_archive(&file).await.unwrap().unwrap();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
    let mut names = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        names.push(entry.path().unwrap().display().to_string());
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if names.len() == 2 {
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document("Biology 101"));
        }
    }
    assert_eq!(names, ["manifest.json", "curriculum.umcf", "assets/00000"]);

    let path = format!("{ITEMS}/archived/{file}/unarchive");
    let back = rig.post(&path).by(&token).send().await;
    assert_eq!(back.json()["curriculum_id"], "biology", "{}", back.text);
    let mut after = rig.get(&format!("{ITEMS}/biology")).by(&token).send().await.json();
    after["curriculum"]["revision"] = before["curriculum"]["revision"].clone();
    after["curriculum"]["updated_at"] = before["curriculum"]["updated_at"].clone();
    assert_eq!(after, before);
    let content = rig.get(asset["url"].as_str().unwrap()).by(&token).send().await;
    assert_eq!(content.text, CLEAN);
    assert_eq!(rig.post(&path).by(&token).send().await.refusal().0, 404);
}

#[tokio::test]
async fn an_archive_does_not_come_back_over_a_curriculum_of_its_id() {
    let (rig, token) = with_biology().await;
    let put = rig.post(&format!("{ITEMS}/biology/archive")).by(&token).send().await.json();
    let file = put["archive_file"].as_str().unwrap();
    rig.post(ITEMS).by(&token).json(&document("Newer")).await;
    let path = format!("{ITEMS}/archived/{file}");
    let back = rig.post(&format!("{path}/unarchive")).by(&token).send().await;
    assert_eq!(back.refusal(), (409, "conflict".into()));
    // A second archive of the same day has a name of its own.
    let again = rig.post(&format!("{ITEMS}/biology/archive")).by(&token).send().await.json();
    assert_ne!(again["archive_file"], put["archive_file"]);
    let unsure = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(unsure.refusal(), (400, "confirmation_required".into()));
    let sure = rig.ask(Method::DELETE, &format!("{path}?confirm=true")).by(&token).send().await;
    assert_eq!(sure.status, 200);
}

#[tokio::test]
async fn an_asset_is_what_its_bytes_say_and_its_words_can_be_changed() {
    let (rig, token) = with_biology().await;
    let words = [("type", "diagram"), ("description", "Cell diagram")];
    let asset = add(&rig, &token, "../cell.png", PICTURE.as_bytes(), &words).await;
    assert_eq!((&asset["type"], &asset["format"]), (&json!("diagram"), &json!("svg")));
    assert_eq!(asset["description"], "Cell diagram");
    assert!(asset["id"].as_str().unwrap().starts_with("cell-"), "{asset}");
    let detail = rig.get(&format!("{ITEMS}/biology")).by(&token).send().await.json();
    assert_eq!(detail["curriculum"]["topics"][0]["assets"][0]["url"], asset["url"]);

    let path = format!("{ITEMS}/biology/topics/cells/assets/{}", asset["id"].as_str().unwrap());
    let change = json!({ "description": "Updated", "alt_text": "A cell" });
    let changed = rig.ask(Method::PATCH, &path).by(&token).json(&change).await.json();
    assert_eq!(
        (&changed["asset"]["description"], &changed["asset"]["alt_text"]),
        (&json!("Updated"), &json!("A cell"))
    );
    let cleared = rig.ask(Method::PATCH, &path).by(&token).json(&json!({ "alt_text": null })).await;
    assert_eq!(cleared.json()["asset"]["alt_text"], Value::Null);
    let other = path.replace("cells", "genes");
    assert_eq!(rig.ask(Method::DELETE, &other).by(&token).send().await.refusal().0, 404);
    let gone = rig.ask(Method::DELETE, &path).by(&token).send().await.json();
    assert_eq!(gone["message"], "Asset deleted");
    assert_eq!(rig.ask(Method::DELETE, &path).by(&token).send().await.refusal().0, 404);

    let list = format!("{ITEMS}/biology/topics/cells/assets");
    let html = rig.post(&list).by(&token).form("a.png", b"<html><p>x</p></html>", &[]).await;
    assert_eq!(html.refusal(), (400, "validation_error".into()));
    let kind = rig.post(&list).by(&token).form("a.svg", b"<svg/>", &[("type", "virus")]).await;
    assert_eq!(kind.refusal(), (400, "validation_error".into()));
    let nowhere = format!("{ITEMS}/biology/topics/nothing/assets");
    let answer = rig.post(&nowhere).by(&token).form("a.svg", b"<svg/>", &[]).await;
    assert_eq!(answer.refusal().0, 404);
}

#[tokio::test]
async fn a_recording_is_streamed_whole_or_by_range() {
    let (rig, token) = with_biology().await;
    let path = format!("{ITEMS}/biology/topics/cells/stream-audio");
    assert_eq!(rig.get(&path).by(&token).send().await.refusal(), (404, "not_found".into()));
    let mut sound = b"ID3\x03\0\0\0\0\0\0".to_vec();
    sound.extend((0..700_000_u32).map(|n| (n % 251) as u8));
    add(&rig, &token, "lecture.mp3", &sound, &[]).await;
    let whole = rig.get(&path).by(&token).send().await;
    assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, "audio/mpeg"));
    assert!(whole.bytes == sound);
    let tag = whole.header("etag").to_owned();
    let part = rig.get(&path).by(&token).header("range", "bytes=300000-").send().await;
    assert_eq!(part.status, 206);
    assert_eq!(
        part.header("content-range"),
        format!("bytes 300000-{}/{}", sound.len() - 1, sound.len())
    );
    assert!(part.bytes == sound[300_000..]);
    let first = rig.get(&path).by(&token).header("range", "bytes=0-0").header("if-range", &tag);
    assert_eq!(first.send().await.bytes, sound[..1]);
    let outside = rig.get(&path).by(&token).header("range", "bytes=9999999-").send().await;
    assert_eq!((outside.status.as_u16(), outside.bytes.len()), (416, 0));
    assert_eq!(outside.header("content-range"), format!("bytes */{}", sound.len()));
    let known = rig.get(&path).by(&token).header("if-none-match", &tag).send().await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
}

#[tokio::test]
async fn what_a_document_has_elsewhere_is_fetched_once_and_what_fails_is_named() {
    let rig =
        Rig::with(|config| config.content.allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let token = rig.admin().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = axum::Router::new().route("/a.svg", axum::routing::get(|| async { PICTURE }));
    tokio::spawn(async move { axum::serve(listener, server).await });
    let mut document = document("Biology");
    document["content"][0]["children"][0]["media"] = json!({ "reference": [
        { "id": "cell", "type": "image", "url": format!("http://127.0.0.1:{port}/a.svg"), "title": "Cell" },
        { "id": "lost", "type": "image", "url": format!("http://127.0.0.1:{port}/lost.svg") },
        { "id": "inner", "type": "image", "url": "http://10.0.0.1/x.svg" },
    ]});
    assert_eq!(rig.post(ITEMS).by(&token).json(&document).await.status, 201);
    let path = format!("{ITEMS}/biology/preload-assets");
    let done = rig.post(&path).by(&token).send().await.json();
    assert_eq!((&done["fetched"], &done["total_assets"]), (&json!(1), &json!(1)), "{done}");
    let failed: Vec<&str> =
        done["failed"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(failed, ["lost", "inner"]);
    assert!(done["failed"][0]["reason"].as_str().unwrap().contains("404"));
    assert!(done["failed"][1]["reason"].as_str().unwrap().contains("10.0.0.1 may not be reached"));
    let again = rig.post(&path).by(&token).send().await.json();
    assert_eq!(again["fetched"], 0);
    let detail = rig.get(&format!("{ITEMS}/biology")).by(&token).send().await.json();
    let assets = &detail["curriculum"]["topics"][0]["assets"];
    assert_eq!(assets[0]["url"], "/api/v1/curricula/biology/assets/cell/content");
    assert_eq!(assets[2]["url"], "http://10.0.0.1/x.svg");
}

#[tokio::test]
async fn everybody_hears_what_becomes_of_a_curriculum() {
    let (rig, token) = with_biology().await;
    let user = rig.token("one@example.org", Role::User).await;
    let address = rig.listen().await;
    let mut socket = open(address, "/ws", Some(&user)).await.unwrap();
    next_of(&mut socket, "connected").await;
    rig.post(ITEMS).by(&token).json(&document("Newer")).await;
    let told = next_of(&mut socket, "curriculum_imported").await;
    assert_eq!(told["data"], json!({ "curriculum_id": "biology", "title": "Newer" }));
    let put = rig.post(&format!("{ITEMS}/biology/archive")).by(&token).send().await.json();
    next_of(&mut socket, "curriculum_archived").await;
    let file = put["archive_file"].as_str().unwrap();
    rig.post(&format!("{ITEMS}/archived/{file}/unarchive")).by(&token).send().await;
    next_of(&mut socket, "curriculum_unarchived").await;
    rig.ask(Method::DELETE, &format!("{ITEMS}/biology?confirm=true")).by(&token).send().await;
    next_of(&mut socket, "curriculum_deleted").await;
    let reloaded = rig.post(&format!("{ITEMS}/reload")).by(&token).send().await.json();
    assert_eq!(reloaded["curricula_count"], 0);
}
