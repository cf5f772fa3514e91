use super::keys::{Key, encoded};
use super::visit::House;
use ring::hmac;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_token_is_taken_by_each_kind_of_key() {
    for key in [Key::ed("k1"), Key::ec("k1"), Key::rsa("k1")] {
        let house = House::start().await;
        let algorithm = key.algorithm();
        house.provider.turn().key = key;
        let answer = house.sign_in().await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_token_that_is_not_of_this_sign_in_lets_nobody_in() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 13] = [
        ("nonce", |claims| claims["nonce"] = json!("another")),
        ("nonce", |claims| claims["nonce"] = Value::Null),
        ("expired", |claims| claims["exp"] = json!(claims["iat"].as_u64().unwrap() - 61)),
        ("expired", |claims| claims["exp"] = Value::Null),
        ("not_yet", |claims| claims["iat"] = json!(claims["iat"].as_u64().unwrap() + 3_600)),
        ("not_yet", |claims| claims["nbf"] = json!(claims["iat"].as_u64().unwrap() + 3_600)),
        ("audience", |claims| claims["aud"] = json!("another")),
        ("audience", |claims| claims["aud"] = json!([claims["aud"], "another"])),
        ("audience", |claims| claims["azp"] = json!("another")),
        ("audience", |claims| claims["aud"] = Value::Null),
        ("issuer", |claims| claims["iss"] = json!("https://evil.example.org")),
        ("subject", |claims| claims["sub"] = Value::Null),
        ("subject", |claims| claims["sub"] = json!("x".repeat(256))),
    ];
    let house = House::start().await;
    for (reason, change) in changes {
        house.provider.turn().change = Some(Box::new(change));
        let answer = house.sign_in().await;
        assert_eq!(answer.refusal(), (401, "id_token_refused".into()), "{reason}");
        assert_eq!(answer.json()["details"]["reason"], reason, "{}", answer.text);
        // Nothing of the token itself is told.
        assert!(!answer.text.contains("eyJ") && !answer.text.contains("evil"), "{}", answer.text);
    }
    let fits: [Change; 3] = [
        |claims| claims["exp"] = json!(claims["iat"].as_u64().unwrap() - 59),
        |claims| {
            claims["azp"] = claims["aud"].clone();
            claims["aud"] = json!([claims["aud"], "another"]);
        },
        |claims| claims["aud"] = json!([claims["aud"]]),
    ];
    for change in fits {
        house.provider.turn().change = Some(Box::new(change));
        let answer = house.sign_in().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

fn signed_by_secret(claims: &Value, key: &Key, secret: &[u8]) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": key.kid });
    let body = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body.as_bytes());
    format!("{body}.{}", encoded(tag.as_ref()))
}

fn unsigned(claims: &Value, algorithm: &str) -> String {
    let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "k1" });
    format!("{}.{}.", encoded(header.to_string()), encoded(claims.to_string()))
}

#[tokio::test]
async fn a_token_that_nobody_signed_or_another_key_lets_nobody_in() {
    type Forge = fn(&Value, &Key) -> String;
    let forged: [(&str, Forge); 9] = [
        ("algorithm", |claims, _| unsigned(claims, "none")),
        ("algorithm", |claims, _| unsigned(claims, "None")),
        ("algorithm", |claims, key| signed_by_secret(claims, key, &key.public())),
        ("algorithm", |claims, key| signed_by_secret(claims, key, b"")),
        ("signature", |claims, _| unsigned(claims, "EdDSA")),
        ("signature", |claims, _| Key::ed("k1").token(claims)),
        ("unknown_key", |claims, _| Key::ec("k1").token(claims)),
        ("signature", |claims, key| {
            let token = key.token(claims);
            let mut other = claims.clone();
            other["sub"] = json!("1");
            let parts: Vec<&str> = token.split('.').collect();
            format!("{}.{}.{}", parts[0], encoded(other.to_string()), parts[2])
        }),
        ("malformed", |_, _| "x".repeat(70_000)),
    ];
    for key in [|| Key::ed("k1"), || Key::rsa("k1")] {
        for (reason, forge) in forged {
            let house = House::start().await;
            house.provider.turn().key = key();
            house.provider.turn().forge = Some(Box::new(forge));
            let answer = house.sign_in().await;
            assert_eq!(answer.refusal(), (401, "id_token_refused".into()), "{reason}");
            let said = answer.json()["details"]["reason"].clone();
            // Which key there is decides whether its kind or its signature is wrong.
            let fits = said == reason || (reason == "signature" && said == "unknown_key");
            assert!(fits, "{reason}: {}", answer.text);
            assert_eq!(house.trail().await[0], ("auth.login".into(), "refused"));
        }
    }
}

#[tokio::test]
async fn a_new_key_is_taken_up_and_an_unknown_one_asked_for_once_a_minute() {
    let house = House::start().await;
    assert_eq!(house.sign_in().await.status, 200);
    assert_eq!(house.sign_in().await.status, 200);
    assert_eq!(house.provider.asked("jwks"), 1, "the keys are kept");
    house.rig.clock.advance(Duration::from_secs(61));
    house.provider.turn().key = Key::ec("k2");
    assert_eq!(house.sign_in().await.status, 200, "a key that was rotated in");
    assert_eq!(house.provider.asked("jwks"), 2);
    {
        let mut turn = house.provider.turn();
        (turn.key, turn.hides_key) = (Key::ed("k3"), true);
    }
    house.rig.clock.advance(Duration::from_secs(61));
    for _ in 0..5 {
        let answer = house.sign_in().await;
        assert_eq!(answer.json()["details"]["reason"], "unknown_key", "{}", answer.text);
    }
    assert_eq!(house.provider.asked("jwks"), 3, "not once for each token");
    house.provider.turn().hides_key = false;
    assert_eq!(house.sign_in().await.status, 401, "it is not asked for again yet");
    house.rig.clock.advance(Duration::from_secs(61));
    assert_eq!(house.sign_in().await.status, 200);
}

#[tokio::test]
async fn what_the_token_lacks_comes_from_userinfo_if_it_is_about_the_same_subject() {
    let house = House::start().await;
    {
        let mut turn = house.provider.turn();
        turn.claims = json!({ "sub": "42" });
        let told = json!({ "sub": "42", "email": "ann@example.org", "email_verified": true });
        turn.userinfo = Some(told);
    }
    assert_eq!(house.sign_in().await.status, 200);
    assert_eq!(house.provider.asked("userinfo"), 1);
    house.provider.turn().userinfo = Some(json!({ "sub": "1", "email": "b@example.org" }));
    let answer = house.sign_in().await;
    assert_eq!(answer.refusal(), (401, "id_token_refused".into()));
    assert_eq!(answer.json()["details"]["reason"], "subject");
}
