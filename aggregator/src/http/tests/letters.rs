use super::rig::{ADMIN, Answer, PASSWORD, Rig};
use crate::accounts::letters::RESET_TTL_MS;
use crate::mail::Mail;
use serde_json::{Value, json};
use std::time::Duration;

/// The last letter, once `count` of them were written.
async fn letter(rig: &Rig, count: usize) -> Mail {
    for _ in 0..500 {
        let mut written = rig.app.accounts.written();
        if written.len() >= count {
            return written.pop().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no letter was written");
}

fn token(mail: &Mail) -> String {
    mail.text.lines().find(|line| line.starts_with("fbl1.")).unwrap().to_owned()
}

async fn post(rig: &Rig, path: &str, body: &Value) -> Answer {
    rig.clock.advance(Duration::from_secs(61));
    rig.post(&format!("/api/v1/auth/{path}")).json(body).await
}

#[tokio::test]
async fn an_address_is_verified_by_the_letter_that_was_sent_to_it() {
    let rig = Rig::start().await;
    let device = json!({ "fingerprint": "f" });
    let body = json!({ "email": "new@example.org", "password": PASSWORD, "device": device });
    let made = rig.post("/api/auth/register").json(&body).await.json();
    let access = made["tokens"]["access_token"].as_str().unwrap();
    let first = letter(&rig, 1).await;
    assert_eq!(first.to, "new@example.org");
    let asked = rig.post("/api/v1/auth/verify-email/request").by(access).send().await;
    assert_eq!(asked.status, 200);
    let second = letter(&rig, 2).await;
    // A new letter takes the place of the one before.
    let verify = async |token: &str| post(&rig, "verify-email", &json!({ "token": token })).await;
    assert_eq!(verify(&token(&first)).await.refusal(), (401, "invalid_token".into()));
    assert_eq!(verify(&token(&second)).await.status, 200);
    assert_eq!(verify(&token(&second)).await.refusal(), (401, "invalid_token".into()));
    let me = rig.get("/api/auth/me").by(access).send().await.json();
    assert_eq!(me["user"]["email_verified"], true);
    let asked = rig.post("/api/v1/auth/verify-email/request").by(access).send().await;
    assert_eq!(asked.refusal(), (409, "conflict".into()));
}

#[tokio::test]
async fn a_lost_password_is_set_anew_and_everything_else_is_signed_out() {
    let rig = Rig::start().await;
    let access = rig.admin().await;
    let nobody = json!({ "email": "nobody@example.org" });
    let unknown = post(&rig, "password-reset/request", &nobody).await;
    let known = post(&rig, "password-reset/request", &json!({ "email": ADMIN })).await;
    assert_eq!((unknown.status, &unknown.json()["data"]), (known.status, &known.json()["data"]));
    let sent = letter(&rig, 1).await;
    assert_eq!(sent.to, ADMIN);
    let reset = async |token: &str, new: &str| {
        let body = json!({ "token": token, "new_password": new });
        post(&rig, "password-reset/confirm", &body).await
    };
    assert_eq!(reset(&token(&sent), "short").await.refusal(), (422, "weak_password".into()));
    assert_eq!(reset("fbl1.guessed", "another horse").await.refusal().1, "invalid_token");
    assert_eq!(reset(&token(&sent), "another horse").await.status, 200);
    assert_eq!(reset(&token(&sent), "third horse 3").await.refusal().1, "invalid_token");
    assert_eq!(rig.get("/api/auth/me").by(&access).send().await.refusal().1, "invalid_token");
    assert_eq!(rig.sign_in("/api/auth/login", ADMIN, PASSWORD).await.status, 401);
    assert_eq!(rig.sign_in("/api/auth/login", ADMIN, "another horse").await.status, 200);

    post(&rig, "password-reset/request", &json!({ "email": ADMIN })).await;
    let sent = letter(&rig, 2).await;
    rig.clock.advance(Duration::from_millis(RESET_TTL_MS));
    assert_eq!(reset(&token(&sent), "fourth horse").await.refusal().1, "invalid_token");
}
