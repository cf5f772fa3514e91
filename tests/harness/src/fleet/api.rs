//! A signed-in client of the aggregator's API.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::Duration;

/// Between the parts of a form; no file of the scenarios holds it.
const BOUNDARY: &str = "flyball-form-3f9a61c2";

/// What came back: status, the headers that scenarios ask for, and the body as JSON.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub body: Value,
}

/// A session of one user.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    client: ureq::Agent,
    pub token: String,
    pub refresh_token: String,
}

impl Api {
    /// Signs in over the flat dialect.
    ///
    /// # Errors
    /// Where the server refuses, with its words.
    pub fn sign_in(base: &str, email: &str, password: &str) -> Result<Self> {
        let client = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build()
            .into();
        let mut api = Self {
            base: base.to_owned(),
            client,
            token: String::new(),
            refresh_token: String::new(),
        };
        let answer = api.post(
            "/api/auth/login",
            &json!({
                "email": email,
                "password": password,
                "device": {"fingerprint": "flyball-harness", "name": "harness", "type": "cli"},
            }),
        )?;
        if answer.status != 200 {
            bail!("sign-in answered {}: {}", answer.status, answer.body);
        }
        let tokens = &answer.body["tokens"];
        api.token = tokens["access_token"].as_str().context("no access token")?.to_owned();
        api.refresh_token =
            tokens["refresh_token"].as_str().context("no refresh token")?.to_owned();
        Ok(api)
    }

    /// # Errors
    /// Where no answer comes.
    pub fn get(&self, path: &str) -> Result<Answer> {
        let mut request = self.client.get(format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        answer(request.call().with_context(|| format!("GET {path}"))?)
    }

    /// # Errors
    /// Where no answer comes.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let mut request = self.client.post(format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        answer(request.send_json(body).with_context(|| format!("POST {path}"))?)
    }

    /// Replaces what was read with this ETag.
    ///
    /// # Errors
    /// Where no answer comes.
    pub fn put(&self, path: &str, etag: &str, body: &Value) -> Result<Answer> {
        let request = self
            .client
            .put(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("If-Match", etag);
        answer(request.send_json(body).with_context(|| format!("PUT {path}"))?)
    }

    /// # Errors
    /// Where no answer comes.
    pub fn delete(&self, path: &str) -> Result<Answer> {
        let request = self
            .client
            .delete(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token));
        answer(request.call().with_context(|| format!("DELETE {path}"))?)
    }

    /// Sends `body` as it is, for bodies that are no JSON.
    ///
    /// # Errors
    /// Where no answer comes.
    pub fn post_raw(&self, path: &str, body: &[u8]) -> Result<Answer> {
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json");
        answer(request.send(body).with_context(|| format!("POST {path}"))?)
    }

    /// Sends a form with a file and some words.
    ///
    /// # Errors
    /// Where no answer comes.
    pub fn post_form(&self, path: &str, file: &[u8], words: &[(&str, &str)]) -> Result<Answer> {
        let mut body = Vec::new();
        for (name, value) in words {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"");
            body.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n").as_bytes());
        }
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"file\"";
        body.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", format!("multipart/form-data; boundary={BOUNDARY}"));
        answer(request.send(&body).with_context(|| format!("POST {path}"))?)
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer> {
    let status = response.status().as_u16();
    let header = |name: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let (location, etag) = (header("location"), header("etag"));
    let text = response.body_mut().with_config().limit(256 << 20).read_to_string()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, location, etag, body })
}
