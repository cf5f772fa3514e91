//! A plugin's life through the API, on real machines.

use crate::until::until;
use flyball_harness::fleet::{Api, Fleet};
use minisign::KeyPair;
use serde_json::{Value, json};
use std::io::Cursor;
use std::path::PathBuf;

const ITEMS: &str = "/api/v1/plugins";

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
fn install(api: &Api, pair: &KeyPair, component: &[u8]) -> String {
    let signature =
        minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(component), None, None).unwrap();
    let words = [("signature", signature.to_string())];
    let words: Vec<(&str, &str)> = words.iter().map(|(name, v)| (*name, v.as_str())).collect();
    let made = api.post_form(ITEMS, component, &words).unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let hash = made.body["data"]["hash"].as_str().unwrap().to_owned();
    until("a machine has described the component", 120, || {
        let package = api.get(&format!("{ITEMS}/packages/{hash}")).unwrap().body;
        if package["data"]["state"] == "described" { Ok(()) } else { Err(package) }
    });
    hash
}

fn runs(api: &Api, hash: &str) {
    until("the version runs", 120, || {
        let rollout = api.get(&format!("{ITEMS}/svg/rollout")).unwrap().body["data"].clone();
        let ready = rollout["devices"][0]["state"] == "ready" && rollout["hash"] == hash;
        if ready { Ok(()) } else { Err(rollout) }
    });
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
    let first = install(&api, &pair, &component);
    assert_eq!(draw(&api).0, 503, "nothing runs before it is rolled out");
    let rollout = format!("{ITEMS}/svg/rollout");
    let put = api.put(&rollout, "*", &json!({ "hash": first })).unwrap();
    assert_eq!(put.status, 200, "{}", put.body);
    runs(&api, &first);
    let (status, drawn) = draw(&api);
    assert_eq!((status, &drawn["renderMethod"]), (200, &json!("svg")), "{drawn}");

    let second = install(&api, &pair, &republished(&component, 2));
    assert_ne!(first, second);
    let put = api.put(&rollout, "*", &json!({ "hash": second })).unwrap();
    assert_eq!(put.body["data"]["previous_hash"], json!(first), "{}", put.body);
    runs(&api, &second);
    assert_eq!(draw(&api).0, 200);
    let back = api.post(&format!("{ITEMS}/svg/rollback"), &json!({})).unwrap();
    assert_eq!((back.status, &back.body["data"]["hash"]), (200, &json!(first)));
    runs(&api, &first);

    fleet.down().unwrap();
    fleet.start().unwrap();
    let api = fleet.api().unwrap();
    runs(&api, &first);
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
