use super::rig::Rig;
use crate::access::Role;
use crate::audit::AuditQuery;
use crate::http::routes;
use std::time::Duration;
use uuid::Uuid;

/// An address of the route, with ids that name nothing.
fn address(path: &str) -> String {
    let id = Uuid::from_u128(7).to_string();
    path.split('/')
        .map(|part| if part.starts_with('{') { id.as_str() } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn every_route_asks_who_is_there_unless_it_is_public() {
    let rig = Rig::start().await;
    let (_, documents) = routes::build();
    let mut public = Vec::new();
    for (_, route) in &documents.listed {
        rig.clock.advance(Duration::from_secs(60));
        let Some(_) = route.right else {
            public.push(route.path.clone());
            continue;
        };
        let answer = rig.ask(route.method.clone(), &address(&route.path)).send().await;
        assert_eq!(
            answer.refusal(),
            (401, "unauthorized".into()),
            "{} {}",
            route.method,
            route.path
        );
    }
    public.sort();
    public.dedup();
    let is_elsewhere = |path: &String| path.contains("/auth/oidc/") || path.ends_with("/providers");
    let elsewhere: Vec<String> = public.extract_if(.., |path| is_elsewhere(path)).collect();
    let ways = [
        "/api/v1/auth/oidc/exchange",
        "/api/v1/auth/oidc/{provider}/callback",
        "/api/v1/auth/oidc/{provider}/logout",
        "/api/v1/auth/oidc/{provider}/start",
        "/api/v1/auth/providers",
    ];
    assert_eq!(elsewhere, if cfg!(feature = "oidc") { ways.to_vec() } else { Vec::new() });
    assert_eq!(
        public,
        [
            "/api/auth/login",
            "/api/auth/logout",
            "/api/auth/mfa/verify",
            "/api/auth/refresh",
            "/api/auth/register",
            "/api/auth/token",
            "/api/health",
            "/api/v1/auth/login",
            "/api/v1/auth/logout",
            "/api/v1/auth/mfa/verify",
            "/api/v1/auth/password-reset/confirm",
            "/api/v1/auth/password-reset/request",
            "/api/v1/auth/refresh",
            "/api/v1/auth/register",
            "/api/v1/auth/token",
            "/api/v1/auth/verify-email",
            "/api/v1/health",
            "/health",
        ]
    );
}

#[tokio::test]
async fn every_role_is_let_in_at_every_route_that_its_right_opens_and_nowhere_else() {
    let rig = Rig::start().await;
    let (_, documents) = routes::build();
    for role in Role::ALL {
        let token = rig.token(&format!("{}@example.org", role.name()), role).await;
        for (_, route) in &documents.listed {
            let Some(right) = route.right else { continue };
            rig.clock.advance(Duration::from_millis(100));
            let ask = rig.ask(route.method.clone(), &address(&route.path)).by(&token);
            let answer = ask.send().await;
            let (method, path, role) = (&route.method, &route.path, role.name());
            assert_ne!(answer.status, 401, "{role}: {method} {path}");
            let forbidden = answer.status == 403 && answer.refusal().1 == "forbidden";
            let may = Role::from_name(role).unwrap().may(right);
            assert_eq!(forbidden, !may, "{role}: {method} {path}: {}", answer.text);
        }
    }
    let query =
        AuditQuery { action: Some("access.refuse".into()), limit: 200, ..AuditQuery::default() };
    let refusals = rig.app.store.audit(&query).await.unwrap();
    assert!(refusals.iter().any(|row| row.entry.target.starts_with("POST /api/")));
}

#[tokio::test]
async fn requests_without_a_token_have_a_role_only_in_flat_and_only_from_here() {
    let rig = Rig::with(|config| config.flat.anonymous_role = Some("viewer".into())).await;
    let host = "127.0.0.1:8766";
    assert_eq!(rig.get("/api/stats").header("host", host).send().await.status, 200);
    assert_eq!(rig.get("/api/v1/devices").header("host", host).send().await.status, 401);
    assert_eq!(rig.get("/api/stats").header("host", "evil.example.org").send().await.status, 401);
    let ask = rig.get("/api/stats").header("host", host);
    assert_eq!(ask.header("origin", "https://evil.example.org").send().await.status, 401);
    let open = Rig::with(|config| {
        config.flat.anonymous_role = Some("viewer".into());
        config.api = "0.0.0.0:8766".parse().unwrap();
    })
    .await;
    assert_eq!(open.get("/api/stats").header("host", host).send().await.status, 401);
}
