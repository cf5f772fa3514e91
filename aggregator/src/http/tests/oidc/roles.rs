use super::visit::House;
use crate::access::Role;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Roles by groups: over an organization by its name, over one that is not there, and the
/// account's own.
async fn mapped() -> (House, String) {
    let rule = |value: &str, role: &str, organization: Option<&str>| json!({ "claim": "groups", "value": value, "role": role, "organization": organization });
    let house = House::with(json!({
        "create": "anyone", "domains": ["example.org"],
        "roles": [
            rule("racks", "operator", Some("Acme")),
            rule("leads", "org_admin", Some("Acme")),
            rule("racks", "viewer", Some("Nowhere")),
            rule("watch", "viewer", None),
            rule("root", "superuser", None),
        ],
    }))
    .await;
    let admin = house.rig.admin().await;
    let acme = json!({ "name": "Acme" });
    let made = house.rig.post("/api/v1/organizations").by(&admin).json(&acme).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (house, made.json()["data"]["id"].as_str().unwrap().to_owned())
}

/// The own role after a sign-in with these groups, and the one over Acme.
async fn roles(house: &House, acme: &str, groups: Value) -> (String, Option<String>) {
    house.provider.turn().claims["groups"] = groups;
    let token = house.token().await;
    house.rig.clock.advance(Duration::from_secs(4));
    let me = house.me(&token).await;
    let admin = house.rig.sign_in("/api/v1/auth/login", super::ADMIN, super::super::rig::PASSWORD);
    let admin = admin.await.json();
    let admin = admin["data"]["tokens"]["access_token"].as_str().unwrap();
    let path = format!("/api/v1/organizations/{acme}/members");
    let members = house.rig.get(&path).by(admin).send().await;
    assert_eq!(members.status, 200, "{}", members.text);
    let members = members.json()["data"].as_array().unwrap().clone();
    let own = members.iter().find(|member| member["user"]["email"] == "ann@example.org");
    let over = own.map(|member| member["role"].as_str().unwrap().to_owned());
    (me["role"].as_str().unwrap().to_owned(), over)
}

#[tokio::test]
async fn claims_give_roles_and_take_them_away_at_the_next_sign_in() {
    let (house, acme) = mapped().await;
    let some = |role: &str| Some(role.to_owned());
    assert_eq!(roles(&house, &acme, json!(["racks"])).await, ("user".into(), some("operator")));
    let both = json!(["racks", "leads", "watch"]);
    assert_eq!(roles(&house, &acme, both).await, ("viewer".into(), some("org_admin")));
    assert_eq!(roles(&house, &acme, json!("racks")).await, ("user".into(), some("operator")));
    assert_eq!(roles(&house, &acme, json!([])).await, ("user".into(), None));
    let trail = house.trail().await;
    assert!(trail.contains(&("role.give".into(), "allowed")), "{trail:?}");
    assert!(trail.contains(&("role.take".into(), "allowed")), "{trail:?}");
}

#[tokio::test]
async fn a_role_that_was_given_by_hand_stays() {
    let (house, acme) = mapped().await;
    roles(&house, &acme, json!(["racks"])).await;
    let by_hand = format!(
        "UPDATE role_bindings SET role = 'viewer' WHERE scope = '{acme}' AND role = 'operator'"
    );
    assert_eq!(house.rig.app.store.tamper(by_hand).await.unwrap(), 1);
    let viewer = ("user".to_owned(), Some("viewer".to_owned()));
    assert_eq!(roles(&house, &acme, json!(["leads"])).await, viewer);
    assert_eq!(roles(&house, &acme, json!([])).await, viewer);
}

#[tokio::test]
async fn the_last_superuser_stays_one_whatever_the_claims_say() {
    let (house, acme) = mapped().await;
    assert_eq!(roles(&house, &acme, json!(["root"])).await.0, "superuser");
    let demote = format!("UPDATE users SET role = 'user' WHERE email = '{}'", super::ADMIN);
    house.rig.app.store.tamper(demote).await.unwrap();
    house.provider.turn().claims["groups"] = json!([]);
    let token = house.token().await;
    assert_eq!(house.me(&token).await["role"], "superuser");
    // Once there is another one, the claims count.
    house.rig.token("other@example.org", Role::Superuser).await;
    let token = house.token().await;
    assert_eq!(house.me(&token).await["role"], "user");
}

#[tokio::test]
async fn what_the_claims_gave_goes_with_the_identity() {
    let (house, acme) = mapped().await;
    assert_eq!(roles(&house, &acme, json!(["watch"])).await.0, "viewer");
    // A letter has set a password.
    let sql = "UPDATE users SET password_hash = 'x' WHERE email = 'ann@example.org'";
    house.rig.app.store.tamper(sql.into()).await.unwrap();
    let token = house.token().await;
    let listed = house.rig.get("/api/v1/auth/identities").by(&token).send().await.json();
    let id = listed["data"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/auth/identities/{id}");
    assert_eq!(house.rig.ask(Method::DELETE, &path).by(&token).send().await.status, 200);
    house.rig.clock.advance(Duration::from_secs(4));
    assert_eq!(house.me(&token).await["role"], "user");
}
