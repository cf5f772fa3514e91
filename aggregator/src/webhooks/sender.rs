//! One request to a receiver, and what its answer means.

use super::guard::{Guard, GuardedResolver};
use crate::resilience::chain;
use std::io::Read as _;
use std::time::Duration;
use ureq::unversioned::transport::DefaultConnector;

/// One request, from the name to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// Of an answer, so much is read and thrown away; its headers are bounded too.
const MAX_ANSWER: u64 = 16 * 1024;
const MAX_HEADERS: usize = 16 * 1024;
const MAX_WHY: usize = 500;

/// What is posted.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) url: String,
    pub(super) id: String,
    pub(super) at_s: u64,
    pub(super) signature: String,
    pub(super) body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Taken(u16),
    Failed {
        status: Option<u16>,
        why: String,
    },
    /// The receiver wants no more of these: Standard Webhooks' 410.
    Gone,
}

#[derive(Clone, Debug)]
pub(super) struct Sender(ureq::Agent);

impl Sender {
    pub(super) fn new(guard: Guard) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            // A redirect would lead past the guard, and a proxy would resolve the name itself.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(MAX_HEADERS)
            .user_agent(concat!("flyball/", env!("CARGO_PKG_VERSION")))
            .build();
        let connector = DefaultConnector::default();
        Self(ureq::Agent::with_parts(config, connector, GuardedResolver::new(guard)))
    }

    /// Sends and waits; the thread is blocked meanwhile.
    pub(super) fn send(&self, post: &Post) -> Answer {
        let sent = self
            .0
            .post(&post.url)
            .header("content-type", "application/json")
            .header("webhook-id", &post.id)
            .header("webhook-timestamp", post.at_s.to_string())
            .header("webhook-signature", &post.signature)
            .send(post.body.as_bytes());
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(error) => return Answer::Failed { status: None, why: bounded(&chain(&error)) },
        };
        let status = answer.status().as_u16();
        let mut bin = Vec::new();
        // What a receiver says besides its status is nobody's business.
        let _ = answer.body_mut().as_reader().take(MAX_ANSWER).read_to_end(&mut bin);
        match status {
            200..=299 => Answer::Taken(status),
            410 => Answer::Gone,
            300..=399 => Answer::Failed {
                status: Some(status),
                why: "it answered with a redirect, which is not followed".into(),
            },
            _ => Answer::Failed { status: Some(status), why: format!("it answered {status}") },
        }
    }
}

fn bounded(why: &str) -> String {
    why.chars().filter(|c| !c.is_control()).take(MAX_WHY).collect()
}
