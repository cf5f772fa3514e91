//! Signing in with a small identity provider, and everything that must not let anybody in.

mod accounts;
mod id_tokens;
mod keys;
mod provider;
mod roles;
mod visit;

use super::rig::{ADMIN, NOW_MS, Rig};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::oidc::{FLOW_TTL_MS, NewFlow};
use provider::IdentityProvider;
use serde_json::json;
use std::time::Duration;
use visit::{House, START, Visit, code};

#[tokio::test]
async fn a_browser_signs_in_with_a_provider_and_gets_what_any_sign_in_gives() {
    let house = House::start().await;
    let listed = house.rig.get("/api/v1/auth/providers").send().await.json();
    assert_eq!(
        listed["data"],
        json!([{ "id": "staff", "title": "Staff", "start": START, "logout": null }])
    );
    let started = house.rig.get(&format!("{START}?return_to=/devices?page%3D2")).send().await;
    assert_eq!(started.status, 302, "{}", started.text);
    let cookie = started.header("set-cookie");
    assert!(
        cookie.ends_with("; Path=/api/v1/auth/oidc; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
    );
    let url = started.header("location");
    assert!(url.starts_with(&format!("{}/authorize?theme=dark&", house.provider.issuer)));
    let visit = Visit::of(url, &started);
    assert_eq!(visit.query["scope"], "openid email profile");
    let address = "https://fleet.example.org/api/v1/auth/oidc/staff/callback";
    assert_eq!(visit.query["redirect_uri"], address);
    let back = house.back(&visit).await;
    assert_eq!(back.status, 302, "{}", back.text);
    assert!(back.header("location").starts_with("/devices?page=2#oidc_code=fbo1."));
    let code = code(&back);
    let answer = house.exchange(&visit.cookie, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.json()["data"].clone();
    assert_eq!(data["user"]["email"], "ann@example.org");
    assert_eq!(data["user"]["display_name"], "Ann");
    let token = data["tokens"]["access_token"].as_str().unwrap();
    let me = house.me(token).await;
    assert_eq!((&me["email_verified"], &me["role"]), (&json!(true), &json!("user")));
    let refresh = json!({ "refresh_token": data["tokens"]["refresh_token"] });
    assert_eq!(house.rig.post("/api/v1/auth/refresh").json(&refresh).await.status, 200);
    // A code is good for one use.
    let again = house.exchange(&visit.cookie, &code).await;
    assert_eq!(again.refusal(), (401, "invalid_token".into()));
    let trail = house.trail().await;
    assert_eq!(trail[0], ("auth.login".into(), "allowed"));
    assert_eq!(trail[1], ("auth.register".into(), "allowed"));
}

#[tokio::test]
async fn a_second_sign_in_opens_the_same_account() {
    let house = House::start().await;
    let first = house.me(&house.token().await).await;
    // The provider calls the same subject by another address now.
    house.provider.turn().claims["email"] = json!("ann.b@example.org");
    house.provider.turn().claims["email_verified"] = json!(false);
    let second = house.me(&house.token().await).await;
    assert_eq!((&first["id"], &first["email"]), (&second["id"], &second["email"]));
}

#[tokio::test]
async fn a_public_client_and_one_that_posts_its_secret_sign_in_too() {
    let house = House::start().await;
    let methods = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] });
    house.provider.turn().metadata = methods;
    assert_eq!(house.sign_in().await.status, 200);
    let open = json!({
        "create": "anyone", "domains": ["example.org"], "client_secret_file": null,
    });
    let house = House::with(open).await;
    house.provider.turn().is_public = true;
    assert_eq!(house.sign_in().await.status, 200);
}

#[tokio::test]
async fn a_code_of_another_browser_fails_by_its_verifier() {
    let house = House::start().await;
    let (own, other) = (house.begin().await, house.begin().await);
    let stolen = house.provider.authorize(&other.query);
    let query = [("state", own.query["state"].as_str()), ("code", &stolen)];
    let back = house.back_with(&own.cookie, &query).await;
    assert_eq!(back.refusal(), (401, "provider_refused".into()));
    assert_eq!(back.json()["details"]["provider_error"], "invalid_grant");
    assert_eq!(house.trail().await[0], ("auth.login".into(), "refused"));
}

#[tokio::test]
async fn a_state_is_good_once_in_its_own_browser_and_for_ten_minutes() {
    let house = House::start().await;
    let invalid = (400, "invalid_state".to_owned());
    let (visit, other) = (house.begin().await, house.begin().await);
    let answer = house.back(&Visit { cookie: other.cookie.clone(), ..visit.clone() }).await;
    assert_eq!(answer.refusal(), invalid, "another browser");
    let (name, _) = visit.cookie.split_once('=').unwrap();
    let guessed = Visit { cookie: format!("{name}=guessed"), ..visit.clone() };
    assert_eq!(house.back(&guessed).await.refusal(), invalid, "a guessed cookie");
    assert_eq!(house.back_with("", &[]).await.refusal(), invalid, "nothing at all");
    // Who tries in vain spoils nothing, also with several sign-ins in one browser.
    let both = Visit { cookie: format!("a=b; {}; {}", other.cookie, visit.cookie), ..visit };
    assert_eq!(house.back(&both).await.status, 302);
    assert_eq!(house.back(&both).await.refusal(), invalid, "replayed");
    house.rig.clock.advance(Duration::from_millis(FLOW_TTL_MS));
    assert_eq!(house.back(&other).await.refusal(), invalid, "too late");
}

#[tokio::test]
async fn a_flood_of_sign_ins_leaves_the_newest() {
    let house = House::start().await;
    let visits = [house.begin().await, house.begin().await];
    house.rig.clock.advance(Duration::from_secs(1));
    let newest = house.begin().await;
    let flow = NewFlow {
        state_hash: [1; 32],
        browser_hash: [2; 32],
        provider: "staff".into(),
        return_to: "/".into(),
        linker: None,
        expires_at_ms: house.rig.clock.now_ms() + FLOW_TTL_MS,
    };
    house.rig.app.store.begin_flow(&flow, 2, house.rig.clock.now_ms()).await.unwrap();
    for visit in visits {
        assert_eq!(house.back(&visit).await.refusal(), (400, "invalid_state".into()));
    }
    assert_eq!(house.back(&newest).await.status, 302);
}

#[tokio::test]
async fn a_code_is_exchanged_by_its_own_browser_within_a_minute() {
    let house = House::start().await;
    let visit = house.begin().await;
    let code = code(&house.back(&visit).await);
    let refused = (401, "invalid_token".to_owned());
    let other = house.begin().await;
    assert_eq!(house.exchange(&other.cookie, &code).await.refusal(), refused);
    assert_eq!(house.exchange("", &code).await.refusal(), refused);
    house.rig.clock.advance(Duration::from_secs(60));
    assert_eq!(house.exchange(&visit.cookie, &code).await.refusal(), refused);
}

#[tokio::test]
async fn what_the_provider_says_is_told_and_a_page_is_led_back_to_where_it_was() {
    let house = House::start().await;
    let visit = house.begin().await;
    let said = [
        ("state", visit.query["state"].as_str()),
        ("error", "access_denied"),
        ("error_description", "You\r\nsaid no\u{202e}"),
    ];
    let answer = house.back_with(&visit.cookie, &said).await;
    assert_eq!(answer.refusal(), (401, "provider_refused".into()));
    let details = answer.json()["details"].clone();
    assert_eq!(details["provider_error"], "access_denied");
    assert_eq!(details["provider_error_description"], "Yousaid no");
    let started = house.rig.get(&format!("{START}?return_to=/x")).send().await;
    let visit = Visit::of(started.header("location"), &started);
    let path = format!(
        "/api/v1/auth/oidc/staff/callback?state={}&error=access_denied",
        visit.query["state"]
    );
    let page = |path: &str| house.rig.get(path).header("accept", "text/html,*/*;q=0.8");
    let answer = page(&path).header("cookie", &visit.cookie).send().await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (302, "/x#oidc_error=provider_refused")
    );
    let lost = page("/api/v1/auth/oidc/staff/callback").send().await;
    assert_eq!(lost.header("location"), "/#oidc_error=invalid_state");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_not_taken() {
    let house = House::start().await;
    let named = json!({ "authorization_response_iss_parameter_supported": true });
    house.provider.turn().metadata = named;
    let issuer = house.provider.issuer.clone();
    for (iss, taken) in
        [(None, false), (Some("https://evil.example.org"), false), (Some(issuer.as_str()), true)]
    {
        let visit = house.begin().await;
        let code = house.provider.authorize(&visit.query);
        let mut query = vec![("state", visit.query["state"].as_str()), ("code", &code)];
        query.extend(iss.map(|iss| ("iss", iss)));
        let answer = house.back_with(&visit.cookie, &query).await;
        assert_eq!(answer.status == 302, taken, "{iss:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_named_and_spared_and_comes_back() {
    let house = House::start().await;
    house.provider.turn().is_down = true;
    for _ in 0..7 {
        let answer = house.rig.get(START).send().await;
        assert_eq!(answer.refusal(), (503, "provider_unavailable".into()));
        assert_eq!(answer.json()["details"]["provider"], "staff");
        assert!(!answer.header("retry-after").is_empty());
    }
    assert_eq!(house.provider.asked("metadata"), 5, "the breaker spares the others");
    let metrics = house.rig.get("/metrics").send().await.text;
    assert!(metrics.contains("flyball_outbound_circuit_state{kind=\"identity\""), "{metrics}");
    house.provider.turn().is_down = false;
    house.rig.clock.advance(Duration::from_secs(31));
    assert_eq!(house.sign_in().await.status, 200);
    // Known already, it is taken at its last word, and fails where its tokens are needed.
    house.rig.clock.advance(Duration::from_secs(3_601));
    let visit = house.begin().await;
    house.provider.turn().is_down = true;
    assert_eq!(house.back(&visit).await.refusal(), (503, "provider_unavailable".into()));
}

#[tokio::test]
async fn a_provider_with_a_company_s_own_authority_is_asked_over_tls() {
    let clock = Clock::manual(NOW_MS);
    let (provider, pem) = IdentityProvider::start_with_tls(clock.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let anyone = json!({ "create": "anyone", "domains": ["example.org"] });
    let house = House::at(clock.clone(), provider.clone(), anyone.clone()).await;
    assert_eq!(house.rig.get(START).send().await.refusal().1, "provider_unavailable");
    let mut trusting = anyone;
    trusting["ca_file"] = file.to_str().unwrap().into();
    let house = House::at(clock, provider, trusting).await;
    assert_eq!(house.sign_in().await.status, 200);
}

#[tokio::test]
async fn a_secret_or_an_authority_that_is_not_there_is_named_at_the_start() {
    let section = |more: serde_json::Value| {
        let mut section = json!({
            "id": "staff", "title": "Staff", "issuer": "https://id.example.org",
            "client_id": "c",
        });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        vec![serde_json::from_value(section).unwrap()]
    };
    for (more, said) in [
        (json!({ "client_secret_file": "nowhere" }), "nowhere cannot be read"),
        (json!({ "client_secret_file": "empty" }), "client_secret_file is empty"),
        (json!({ "ca_file": "empty" }), "ca_file holds no certificates"),
    ] {
        let state = crate::store::fresh::Fresh::new();
        std::fs::write(state.path().join("empty"), "").unwrap();
        let (folder, database) = (state.path().to_owned(), state.database());
        let oidc = section(more);
        let config = Config { state: folder, database, oidc, ..Config::default() };
        let error = App::open(config, Clock::manual(NOW_MS)).await.unwrap_err();
        let error = crate::resilience::chain(&error);
        assert!(error.contains("oidc `staff`") && error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_provider_that_describes_another_one_is_not_used() {
    for (name, value) in [
        ("issuer", json!("https://evil.example.org")),
        ("token_endpoint", json!("http://evil.example.org/token")),
        ("jwks_uri", json!(null)),
    ] {
        let house = House::start().await;
        house.provider.turn().metadata = json!({ name: value });
        let answer = house.rig.get(START).send().await;
        assert_eq!(answer.refusal(), (503, "provider_unavailable".into()), "{name}");
    }
}

#[tokio::test]
async fn a_browser_signs_out_at_the_provider_where_that_is_offered() {
    let house = House::with(json!({ "logout": true })).await;
    let answer = house.rig.get("/api/v1/auth/oidc/staff/logout").send().await;
    let home =
        "client_id=flyball+console&post_logout_redirect_uri=https%3A%2F%2Ffleet.example.org%2F";
    let wanted = format!("{}/logout?{home}", house.provider.issuer);
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, wanted.as_str()));
    let closed = House::start().await;
    let answer = closed.rig.get("/api/v1/auth/oidc/staff/logout").send().await;
    assert_eq!(answer.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn nobody_is_sent_to_a_provider_that_is_not_configured_or_back_to_another_server() {
    let house = House::start().await;
    let answer = house.rig.get("/api/v1/auth/oidc/other/start").send().await;
    assert_eq!(answer.refusal(), (404, "not_found".into()));
    for to in ["//evil.example.org", "https://evil.example.org", "/%5Cevil.example.org", "/a%23b"] {
        let answer = house.rig.get(&format!("{START}?return_to={to}")).send().await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{to}");
    }
    let rig = Rig::start().await;
    rig.token(ADMIN, crate::access::Role::User).await;
    assert_eq!(rig.get("/api/v1/auth/providers").send().await.json()["data"], json!([]));
}
