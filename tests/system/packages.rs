//! A plugin's life through the API, on real machines.

use crate::until::until;
use flyball_harness::fleet::{Api, Fleet};
use minisign::KeyPair;
use serde_json::{Value, json};
use std::io::Cursor;
use std::path::{Path, PathBuf};

pub(crate) const ITEMS: &str = "/api/v1/plugins";

/// The same component as another version would be: other bytes, of the same meaning.
fn republished(component: &[u8], version: u8) -> Vec<u8> {
    // A custom section: its id, its length, the length of its name, its name, its contents.
    [component, &[0, 9, 7], b"version", &[version]].concat()
}

fn draw(api: &Api) -> (u16, Value) {
    let order = json!({
        "format": "svg", "outputFormat": "svg",
        "code": "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><path d='M0 0h9'/></svg>",
    });
    let answer = api.post("/api/media/diagrams/render", &order).unwrap();
    (answer.status, answer.body)
}

/// Installs a signed component; its hash, once a machine has said what it is.
pub(crate) fn install(api: &Api, component: &[u8], signature: &str) -> String {
    let made = api.post_form(ITEMS, component, &[("signature", signature)]).unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let hash = made.body["data"]["hash"].as_str().unwrap().to_owned();
    until("a machine has described the component", 300, || {
        let package = api.get(&format!("{ITEMS}/packages/{hash}")).unwrap().body;
        assert_ne!(package["data"]["state"], "rejected", "{package}");
        if package["data"]["state"] == "described" { Ok(()) } else { Err(package) }
    });
    hash
}

pub(crate) fn signed(pair: &KeyPair, component: &[u8]) -> String {
    let signature = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(component), None, None);
    signature.unwrap().to_string()
}

pub(crate) fn runs(api: &Api, plugin: &str, hash: &str) {
    until("the version runs", 300, || {
        let rollout = api.get(&format!("{ITEMS}/{plugin}/rollout")).unwrap().body["data"].clone();
        let ready = rollout["devices"][0]["state"] == "ready" && rollout["hash"] == hash;
        if ready { Ok(()) } else { Err(rollout) }
    });
}

/// What `plugins/README.md` led strangers to, a folder for each language, made by the tests of the
/// author's tool.
fn strangers(built: &Path) -> Vec<(String, PathBuf)> {
    let folders = std::fs::read_dir(built.join("plugins-of-strangers")).into_iter().flatten();
    let mut found: Vec<(String, PathBuf)> = folders
        .flatten()
        .map(|folder| (folder.file_name().to_string_lossy().into_owned(), folder.path()))
        .collect();
    found.sort();
    found
}

#[test]
fn what_strangers_made_in_four_languages_is_trusted_installed_granted_and_drawn_with() {
    let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR").unwrap());
    let strangers = strangers(&built);
    if std::env::var_os("CI").is_some() {
        assert_eq!(strangers.len(), 4, "{strangers:?}");
    }
    let none = tempfile::tempdir().unwrap();
    let fleet = Fleet::with_plugins(1, Some(none.path().to_owned())).unwrap();
    let api = fleet.api().unwrap();
    for (id, folder) in strangers {
        let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let key = json!({ "name": format!("The author of {id}"), "public_key": file("me.pub") });
        let trusted = api.post(&format!("{ITEMS}/publishers"), &key).unwrap();
        assert_eq!(trusted.status, 201, "{id}: {}", trusted.body);
        let component = std::fs::read(folder.join(format!("{id}-0.1.0.wasm"))).unwrap();
        let signature = file(&format!("{id}-0.1.0.wasm.minisig"));
        let hash = install(&api, &component, &signature);
        let package = api.get(&format!("{ITEMS}/packages/{hash}")).unwrap().body["data"].clone();
        assert_eq!((&package["plugin_id"], &package["wants"]), (&json!(id), &json!([])));
        let granted = json!({ "hash": hash, "grants": [] });
        let put = api.put(&format!("{ITEMS}/{id}/rollout"), "*", &granted).unwrap();
        assert_eq!(put.status, 200, "{id}: {}", put.body);
        runs(&api, &id, &hash);
        let order = json!({ "format": id, "code": "3\n1\n2", "outputFormat": "svg" });
        let drawn = api.post("/api/media/diagrams/render", &order).unwrap();
        assert_eq!(
            (drawn.status, &drawn.body["renderMethod"]),
            (200, &json!(id)),
            "{id}: {}",
            drawn.body
        );
        let order = json!({ "format": id, "code": "3\nx", "outputFormat": "svg" });
        let refused = api.post("/api/media/diagrams/render", &order).unwrap();
        assert_eq!(
            (refused.status, &refused.body["validationErrors"][0]["line"]),
            (400, &json!(2)),
            "{id}: {}",
            refused.body
        );
    }
}

#[test]
fn a_signed_plugin_is_installed_rolled_out_used_updated_taken_back_and_removed() {
    let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR").unwrap());
    let component = std::fs::read(built.join("plugins/svg.wasm")).unwrap();
    let none = tempfile::tempdir().unwrap();
    let fleet = Fleet::with_plugins(1, Some(none.path().to_owned())).unwrap();
    let api = fleet.api().unwrap();
    assert_eq!(draw(&api).0, 503);

    let unsigned = api.post_form(ITEMS, &component, &[]).unwrap();
    assert_eq!(unsigned.status, 422, "{}", unsigned.body);
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = json!({ "name": "Example", "public_key": pair.pk.to_box().unwrap().to_string() });
    let trusted = api.post(&format!("{ITEMS}/publishers"), &key).unwrap();
    assert_eq!(trusted.status, 201, "{}", trusted.body);
    let first = install(&api, &component, &signed(&pair, &component));
    assert_eq!(draw(&api).0, 503, "nothing runs before it is rolled out");
    let rollout = format!("{ITEMS}/svg/rollout");
    let put = api.put(&rollout, "*", &json!({ "hash": first })).unwrap();
    assert_eq!(put.status, 200, "{}", put.body);
    runs(&api, "svg", &first);
    let (status, drawn) = draw(&api);
    assert_eq!((status, &drawn["renderMethod"]), (200, &json!("svg")), "{drawn}");

    let next = republished(&component, 2);
    let second = install(&api, &next, &signed(&pair, &next));
    assert_ne!(first, second);
    let put = api.put(&rollout, "*", &json!({ "hash": second })).unwrap();
    assert_eq!(put.body["data"]["previous_hash"], json!(first), "{}", put.body);
    runs(&api, "svg", &second);
    assert_eq!(draw(&api).0, 200);
    let back = api.post(&format!("{ITEMS}/svg/rollback"), &json!({})).unwrap();
    assert_eq!((back.status, &back.body["data"]["hash"]), (200, &json!(first)));
    runs(&api, "svg", &first);

    fleet.down().unwrap();
    fleet.start().unwrap();
    let api = fleet.api().unwrap();
    runs(&api, "svg", &first);
    until("it draws again", 60, || match draw(&api) {
        (200, _) => Ok(()),
        other => Err(other),
    });
    let removed = api.delete(&format!("{ITEMS}/svg")).unwrap();
    assert_eq!(removed.status, 200, "{}", removed.body);
    until("the machine has let it go", 60, || match draw(&api) {
        (503, _) => Ok(()),
        other => Err(other),
    });
}
