//! A small identity provider: real HTTP on loopback. It checks what an honest one checks (client,
//! code, address, PKCE) and says what a test wants it to say.

use super::keys::{Key, encoded};
use crate::clock::Clock;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::serve::Listener;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls_pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(super) const CLIENT: &str = "flyball console";
pub(super) const SECRET: &str = "s3cret+/:%";

type Query = HashMap<String, String>;
type Refusal = (StatusCode, Json<Value>);

/// What it does to the next tokens.
pub(super) type Change = Box<dyn Fn(&mut Value) + Send>;
pub(super) type Forge = Box<dyn Fn(&Value, &Key) -> String + Send>;

#[derive(Clone)]
pub(super) struct IdentityProvider {
    pub(super) issuer: String,
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

pub(super) struct Inner {
    pub(super) key: Key,
    /// Does the JWKS still lack the key?
    pub(super) hides_key: bool,
    /// What each token says besides the protocol's claims.
    pub(super) claims: Value,
    pub(super) userinfo: Option<Value>,
    pub(super) change: Option<Change>,
    pub(super) forge: Option<Forge>,
    pub(super) is_down: bool,
    pub(super) is_public: bool,
    pub(super) metadata: Value,
    /// How often each address was asked.
    pub(super) asked: HashMap<&'static str, usize>,
    codes: HashMap<String, Query>,
}

impl IdentityProvider {
    pub(super) async fn start(clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/realm", listener.local_addr().unwrap());
        Self::on(listener, issuer, clock)
    }

    /// By HTTPS, and the certificate that it shows.
    pub(super) async fn start_with_tls(clock: Clock) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let inner = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = inner.local_addr().unwrap().port();
        let listener = Secured { inner, acceptor: TlsAcceptor::from(Arc::new(config)) };
        let issuer = format!("https://localhost:{port}/realm");
        (Self::on(listener, issuer, clock), made.cert.pem())
    }

    fn on<L: Listener<Addr = SocketAddr>>(listener: L, issuer: String, clock: Clock) -> Self {
        let inner = Inner {
            key: Key::ed("k1"),
            hides_key: false,
            claims: json!({
                "sub": "42", "email": "Ann@Example.org", "email_verified": true, "name": "Ann",
            }),
            userinfo: None,
            change: None,
            forge: None,
            is_down: false,
            is_public: false,
            metadata: json!({}),
            asked: HashMap::new(),
            codes: HashMap::new(),
        };
        let provider = Self { issuer, clock, inner: Arc::new(Mutex::new(inner)) };
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(metadata))
            .route("/realm/jwks", get(jwks))
            .route("/realm/token", post(token))
            .route("/realm/userinfo", get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn asked(&self, what: &str) -> usize {
        self.turn().asked.get(what).copied().unwrap_or_default()
    }

    /// Somebody signs in at the address that the browser was sent to: its code.
    pub(super) fn authorize(&self, query: &Query) -> String {
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["code_challenge_method"], "S256");
        let mut inner = self.turn();
        let code = format!("code-{}", inner.codes.len() + 1);
        inner.codes.insert(code.clone(), query.clone());
        code
    }

    fn come(&self, what: &'static str) -> Result<MutexGuard<'_, Inner>, Refusal> {
        let mut inner = self.turn();
        *inner.asked.entry(what).or_default() += 1;
        if inner.is_down {
            return Err((StatusCode::SERVICE_UNAVAILABLE, Json(json!({}))));
        }
        Ok(inner)
    }
}

/// Connections over TLS; those that break off at their greeting are none.
struct Secured {
    inner: tokio::net::TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.inner.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

async fn metadata(State(provider): State<IdentityProvider>) -> Result<Json<Value>, Refusal> {
    let inner = provider.come("metadata")?;
    let issuer = &provider.issuer;
    let mut said = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?theme=dark"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/logout"),
    });
    if inner.userinfo.is_some() {
        said["userinfo_endpoint"] = format!("{issuer}/userinfo").into();
    }
    for (name, value) in inner.metadata.as_object().unwrap() {
        said[name] = value.clone();
    }
    Ok(Json(said))
}

async fn jwks(State(provider): State<IdentityProvider>) -> Result<Json<Value>, Refusal> {
    let inner = provider.come("jwks")?;
    // Some of what there is nobody here knows.
    let mut keys = vec![json!({ "kty": "AKP", "alg": "ML-DSA-44" }), json!({ "kty": "oct" })];
    if !inner.hides_key {
        keys.push(inner.key.jwk());
    }
    Ok(Json(json!({ "keys": keys })))
}

async fn token(
    State(provider): State<IdentityProvider>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Result<Json<Value>, Refusal> {
    let mut inner = provider.come("token")?;
    let refuse = |status: u16, error: &str| {
        let body = json!({ "error": error, "error_description": "no" });
        Err((StatusCode::from_u16(status).unwrap(), Json(body)))
    };
    let form: Query = form_urlencoded::parse(&form).into_owned().collect();
    if !is_client(&inner, &headers, &form) {
        return refuse(401, "invalid_client");
    }
    let Some(asked) = inner.codes.remove(&form["code"]) else {
        return refuse(400, "invalid_grant");
    };
    let challenge = encoded(Sha256::digest(form["code_verifier"].as_bytes()));
    let same = asked["redirect_uri"] == form["redirect_uri"];
    if form["grant_type"] != "authorization_code" || challenge != asked["code_challenge"] || !same {
        return refuse(400, "invalid_grant");
    }
    let now_s = provider.clock.now_ms() / 1_000;
    let mut claims = json!({
        "iss": provider.issuer, "aud": CLIENT, "iat": now_s, "exp": now_s + 300,
        "nonce": asked["nonce"],
    });
    for (name, value) in inner.claims.as_object().unwrap() {
        claims[name] = value.clone();
    }
    if let Some(change) = &inner.change {
        change(&mut claims);
    }
    let id_token = match &inner.forge {
        Some(forge) => forge(&claims, &inner.key),
        None => inner.key.token(&claims),
    };
    let body = json!({ "access_token": "at", "token_type": "Bearer", "id_token": id_token });
    Ok(Json(body))
}

fn is_client(inner: &Inner, headers: &HeaderMap, form: &Query) -> bool {
    let shown = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    if inner.is_public {
        return shown.is_none() && form["client_id"] == CLIENT;
    }
    if inner.metadata.get("token_endpoint_auth_methods_supported").is_some() {
        return shown.is_none() && form["client_id"] == CLIENT && form["client_secret"] == SECRET;
    }
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(CLIENT), encode(SECRET));
    shown == Some(format!("Basic {}", STANDARD.encode(pair)))
}

async fn userinfo(
    State(provider): State<IdentityProvider>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let inner = provider.come("userinfo")?;
    assert_eq!(headers["authorization"], "Bearer at");
    Ok(Json(inner.userinfo.clone().unwrap_or_default()))
}
