//! Webhooks: what happens, posted to receivers as Standard Webhooks describes it.
//!
//! A message is a row per receiver before it is sent, so a restart loses none; it may come twice,
//! under the same `webhook-id`. A receiver that fails is tried for a day with growing pauses, and
//! is disabled once it has failed all that time. No request leaves for an address that the guard
//! does not admit.

mod guard;
mod sender;
mod signature;

use crate::access::{Caller, OrganizationId};
use crate::app::shutdown::Stop;
use crate::audit::{AuditEntry, Decision};
use crate::clock::Clock;
use crate::fleet::DeviceId;
use crate::mail::{Mail, Outbox};
use crate::page::{Page, PageRequest};
use crate::record::Record;
use crate::resilience::{Backoff, Circuits, Outside};
use crate::sealing::{Sealing, SealingError};
use crate::store::{Store, StoreError};
pub use guard::{Forbidden, Guard};
use ipnet::IpNet;
use sender::{Answer, Post, Sender};
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;
use zeroize::Zeroizing;

pub const MAX_WEBHOOKS: u64 = 200;
pub const MAX_URL: usize = 2_048;
/// How long a message is tried, and how long a receiver may fail before it is disabled.
const TRIED_MS: u64 = 24 * 60 * 60 * 1_000;
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(10), longest: Duration::from_secs(2 * 60 * 60) };
/// Both secrets sign so long after a rotation, unless another time is asked for.
pub const OVERLAP_MS: u64 = 24 * 60 * 60 * 1_000;
pub const MAX_OVERLAP_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Deliveries at the same time.
const AT_ONCE: u32 = 16;
const LEASE_MS: u64 = 60_000;
/// Messages that wait for one receiver; further ones are failed at once and say so.
pub(crate) const MAX_WAITING: i64 = 1_000;
/// Deliveries that have ended are kept so long, and no more of one receiver than these.
const LOG_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
const LOG: u32 = 500;
const EVERY: Duration = Duration::from_secs(1);

/// What a receiver is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WebhookTopic {
    Events,
    Operations,
    Devices,
}

impl WebhookTopic {
    pub const ALL: [Self; 3] = [Self::Events, Self::Operations, Self::Devices];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Operations => "operations",
            Self::Devices => "devices",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    pub id: Uuid,
    pub organization: Option<OrganizationId>,
    pub name: String,
    pub url: String,
    pub topics: Vec<WebhookTopic>,
    pub device: Option<DeviceId>,
    /// The e-mail of who set it up: told when it is disabled.
    pub owner: String,
    pub(crate) secret: Vec<u8>,
    pub(crate) previous_secret: Option<Vec<u8>>,
    pub previous_until_ms: Option<u64>,
    pub enabled: bool,
    pub failing_since_ms: Option<u64>,
    pub disabled_why: Option<String>,
    pub record: Record,
}

/// What a webhook is made of, or becomes.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub organization: Option<OrganizationId>,
    pub name: String,
    pub url: WebhookUrl,
    pub topics: Vec<WebhookTopic>,
    pub device: Option<DeviceId>,
    pub enabled: bool,
}

/// An address of HTTP or HTTPS with a host, without a user and without a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl(String);

#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    #[error("has to be an address such as https://example.org/hook, of at most {MAX_URL} bytes")]
    Form,
    #[error("may hold no user and no password: sign in by the signature")]
    User,
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// One message to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    pub webhook: Uuid,
    /// Its `webhook-id`, the same at every attempt.
    pub message: String,
    pub topic: String,
    pub body: String,
    pub state: DeliveryState,
    pub attempts: u32,
    pub due_at_ms: u64,
    pub give_up_at_ms: u64,
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
    pub created_at_ms: u64,
    pub finished_at_ms: Option<u64>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempted {
    pub(crate) state: DeliveryState,
    /// Was anything sent?
    pub(crate) tried: bool,
    pub(crate) due_at_ms: Option<u64>,
    pub(crate) status: Option<u16>,
    pub(crate) why: Option<String>,
    /// Why nothing goes to the receiver any more.
    pub(crate) disable: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("there are {MAX_WEBHOOKS} webhooks already")]
    Full,
    #[error("the system has no randomness")]
    Random(#[from] getrandom::Error),
    #[error("sealing the secret")]
    Sealing(#[from] SealingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Debug)]
pub struct Webhooks {
    store: Store,
    clock: Clock,
    sealing: Sealing,
    circuits: Circuits,
    mail: Outbox,
    guard: Guard,
    sender: Sender,
    holder: String,
}

impl Webhooks {
    pub(crate) fn new(
        store: Store,
        clock: Clock,
        sealing: Sealing,
        circuits: Circuits,
        mail: Outbox,
        allowed: &[IpNet],
    ) -> Self {
        let guard = Guard::new(allowed);
        let sender = Sender::new(guard.clone());
        let holder = Uuid::new_v4().to_string();
        Self { store, clock, sealing, circuits, mail, guard, sender, holder }
    }

    /// Reads an address. One that is a forbidden number is refused at once; names are judged at
    /// every delivery, when they are resolved.
    ///
    /// # Errors
    /// Where nothing may be sent to it.
    pub fn url(&self, text: &str) -> Result<WebhookUrl, UrlError> {
        let strange = |c: char| c.is_control() || c.is_whitespace() || c == '\\' || c == '#';
        if text.len() > MAX_URL || text.chars().any(strange) {
            return Err(UrlError::Form);
        }
        let uri: ureq::http::Uri = text.parse().map_err(|_| UrlError::Form)?;
        let authority = uri.authority().ok_or(UrlError::Form)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::User);
        }
        let host = authority.host();
        if !matches!(uri.scheme_str(), Some("http" | "https")) || host.is_empty() {
            return Err(UrlError::Form);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            self.guard.admit(address)?;
        }
        Ok(WebhookUrl(text.to_owned()))
    }

    /// Makes a webhook; its secret is shown this once.
    ///
    /// # Errors
    /// Where there are too many, or the store fails.
    pub async fn create(
        &self,
        new: NewWebhook,
        by: &Caller,
    ) -> Result<(Webhook, Zeroizing<String>), WebhookError> {
        if self.store.count_webhooks().await? >= MAX_WEBHOOKS {
            return Err(WebhookError::Full);
        }
        let id = self.clock.new_id();
        let text = signature::new_secret()?;
        let webhook = Webhook {
            id,
            organization: new.organization,
            name: new.name,
            url: new.url.0,
            topics: new.topics,
            device: new.device,
            owner: by.email.clone(),
            secret: self.sealing.seal(&secret_context(id), text.as_bytes())?,
            previous_secret: None,
            previous_until_ms: None,
            enabled: new.enabled,
            failing_since_ms: None,
            disabled_why: None,
            record: Record::new(Some(by.user), self.clock.now_ms()),
        };
        self.store.add_webhook(&webhook).await?;
        Ok((webhook, text))
    }

    /// # Errors
    /// Where the store fails.
    pub async fn webhook(&self, id: Uuid) -> Result<Option<Webhook>, StoreError> {
        self.store.webhook(id).await
    }

    /// All of them, newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self) -> Result<Vec<Webhook>, StoreError> {
        self.store.webhooks().await
    }

    /// Replaces the webhook of this version; `None` where it is another by now.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn replace(
        &self,
        old: &Webhook,
        new: NewWebhook,
        by: &Caller,
    ) -> Result<Option<Webhook>, WebhookError> {
        let webhook = Webhook {
            organization: new.organization,
            name: new.name,
            url: new.url.0,
            topics: new.topics,
            device: new.device,
            enabled: new.enabled,
            failing_since_ms: None,
            disabled_why: None,
            ..self.changed(old, by)
        };
        let replaced = self.store.replace_webhook(&webhook, old.record.version).await?;
        Ok(replaced.then_some(webhook))
    }

    /// Gives it a new secret; the one before signs beside it for `overlap_ms`. `None` where it is
    /// another by now.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn rotate_secret(
        &self,
        old: &Webhook,
        overlap_ms: u64,
        by: &Caller,
    ) -> Result<Option<(Webhook, Zeroizing<String>)>, WebhookError> {
        let text = signature::new_secret()?;
        let before = self.sealing.open_sealed(&secret_context(old.id), &old.secret)?;
        let webhook = Webhook {
            secret: self.sealing.seal(&secret_context(old.id), text.as_bytes())?,
            previous_secret: Some(self.sealing.seal(&previous_context(old.id), &before)?),
            previous_until_ms: Some(self.clock.now_ms() + overlap_ms),
            ..self.changed(old, by)
        };
        let replaced = self.store.replace_webhook(&webhook, old.record.version).await?;
        Ok(replaced.then_some((webhook, text)))
    }

    fn changed(&self, old: &Webhook, by: &Caller) -> Webhook {
        let record = Record {
            updated_at_ms: self.clock.now_ms(),
            updated_by: Some(by.user),
            version: old.record.version + 1,
            ..old.record
        };
        Webhook { record, ..old.clone() }
    }

    /// # Errors
    /// Where the store fails.
    pub async fn remove(&self, old: &Webhook, by: &Caller) -> Result<bool, StoreError> {
        self.store.remove_webhook(old.id, old.record.version, by.user, self.clock.now_ms()).await
    }

    /// Queues a message that says nothing but that it is a test.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn test(&self, webhook: &Webhook) -> Result<Delivery, StoreError> {
        let id = self.clock.new_id();
        let data = json!({ "webhook_id": webhook.id, "name": webhook.name });
        let delivery = self.message(
            webhook,
            &format!("msg_test_{}", id.simple()),
            "webhook.test",
            self.clock.now_ms(),
            &data,
        );
        self.store.add_deliveries(std::slice::from_ref(&delivery)).await?;
        Ok(delivery)
    }

    /// A message for `webhook`, as it is queued.
    pub(crate) fn message(
        &self,
        webhook: &Webhook,
        message: &str,
        topic: &str,
        at_ms: u64,
        data: &serde_json::Value,
    ) -> Delivery {
        let now_ms = self.clock.now_ms();
        let timestamp = crate::clock::rfc3339(at_ms);
        Delivery {
            id: self.clock.new_id(),
            webhook: webhook.id,
            message: message.to_owned(),
            topic: topic.to_owned(),
            body: json!({ "type": topic, "timestamp": timestamp, "data": data }).to_string(),
            state: DeliveryState::Pending,
            attempts: 0,
            due_at_ms: now_ms,
            give_up_at_ms: now_ms + TRIED_MS,
            last_status: None,
            last_error: None,
            created_at_ms: now_ms,
            finished_at_ms: None,
        }
    }

    /// Newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn deliveries(
        &self,
        webhook: Uuid,
        state: Option<DeliveryState>,
        page: PageRequest,
    ) -> Result<Page<Delivery>, StoreError> {
        self.store.deliveries(webhook, state, page).await
    }

    /// Sends a message again, for another day; `None` where there is none, or it waits anyway.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn redeliver(
        &self,
        webhook: Uuid,
        delivery: Uuid,
    ) -> Result<Option<Delivery>, StoreError> {
        let now_ms = self.clock.now_ms();
        self.store.redeliver(webhook, delivery, now_ms, now_ms + TRIED_MS).await
    }

    /// Sends what is due until shutdown.
    pub async fn run(self, mut stop: Stop) {
        loop {
            tokio::select! {
                () = stop.wait() => return,
                turn = self.turn() => {
                    if let Err(error) = turn {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "webhooks wait for the store");
                    }
                }
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Sends what is due, some at the same time.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn turn(&self) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let claimed =
            self.store.claim_deliveries(&self.holder, now_ms, now_ms + LEASE_MS, AT_ONCE).await?;
        let mut sending = JoinSet::new();
        for delivery in claimed {
            let webhooks = self.clone();
            sending.spawn(async move { webhooks.deliver(delivery).await });
        }
        let mut first = Ok(());
        while let Some(done) = sending.join_next().await {
            // A delivery whose task failed is taken again once its lease is over.
            if let Ok(Err(error)) = done {
                first = first.and(Err(error));
            }
        }
        first
    }

    async fn deliver(&self, delivery: Delivery) -> Result<(), StoreError> {
        let Some(webhook) = self.store.webhook(delivery.webhook).await? else { return Ok(()) };
        let attempted = self.attempt(&webhook, &delivery).await;
        let now_ms = self.clock.now_ms();
        let entry = attempted.disable.as_ref().map(|why| AuditEntry {
            at_ms: now_ms,
            actor: "system".into(),
            action: "webhook.disable".into(),
            target: format!("webhook:{}", webhook.id),
            decision: Decision::Failed,
            details: json!({ "name": webhook.name, "url": webhook.url, "why": why }),
            organization: webhook.organization,
            ..AuditEntry::default()
        });
        let disabled = self
            .store
            .settle_delivery(&delivery, &self.holder, &attempted, entry.as_ref(), now_ms)
            .await?;
        if let (true, Some(why)) = (disabled, attempted.disable) {
            tracing::warn!(webhook = %webhook.id, why, "a webhook was disabled");
            let Webhook { name, url, owner, .. } = webhook;
            let text = format!(
                "The webhook {name} was disabled: {why}.\n\nAddress: {url}\n\nOnce its receiver \
                 answers again, enable it and send the failed deliveries anew.\n"
            );
            let subject = format!("Webhook {name} was disabled");
            self.mail.queue(Mail { to: owner, subject, text }).await?;
        }
        Ok(())
    }

    async fn attempt(&self, webhook: &Webhook, delivery: &Delivery) -> Attempted {
        let now_ms = self.clock.now_ms();
        let failing_ms = webhook.failing_since_ms.map_or(0, |since| now_ms.saturating_sub(since));
        let ended = |why: String| Attempted {
            state: DeliveryState::Failed,
            tried: false,
            due_at_ms: None,
            status: None,
            why: Some(why),
            disable: None,
        };
        if !webhook.enabled {
            return ended("the webhook is disabled".into());
        }
        if now_ms >= delivery.give_up_at_ms {
            let given_up = "nobody took it for a day".to_owned();
            let disable = (failing_ms >= TRIED_MS).then(|| "it has failed for a day".to_owned());
            return Attempted { disable, ..ended(given_up) };
        }
        let target = target(&webhook.url);
        if let Err(shut) = self.circuits.ask(Outside::Webhook, &target, now_ms) {
            return Attempted {
                state: DeliveryState::Pending,
                due_at_ms: Some(shut.until_ms.min(delivery.give_up_at_ms)),
                why: None,
                ..ended(String::new())
            };
        }
        let secrets = match self.secrets(webhook, now_ms) {
            Ok(secrets) => secrets,
            Err(error) => return ended(crate::resilience::chain(&error)),
        };
        let at_s = now_ms / 1_000;
        let post = Post {
            url: webhook.url.clone(),
            signature: signature::sign(&secrets, &delivery.message, at_s, &delivery.body),
            id: delivery.message.clone(),
            at_s,
            body: delivery.body.clone(),
        };
        let sender = self.sender.clone();
        let sent = tokio::task::spawn_blocking(move || sender.send(&post)).await;
        let answer = sent.unwrap_or_else(|_| Answer::Failed {
            status: None,
            why: "the sending thread failed".into(),
        });
        let tried = Attempted { tried: true, why: None, ..ended(String::new()) };
        match answer {
            Answer::Taken(status) => {
                self.circuits.succeeded(Outside::Webhook, &target, now_ms);
                Attempted { state: DeliveryState::Delivered, status: Some(status), ..tried }
            }
            Answer::Gone => {
                self.circuits.succeeded(Outside::Webhook, &target, now_ms);
                let why = "its receiver answered 410 Gone".to_owned();
                Attempted { status: Some(410), why: Some(why.clone()), disable: Some(why), ..tried }
            }
            Answer::Failed { status, why } => {
                self.circuits.failed(Outside::Webhook, &target, now_ms);
                let due_at_ms = now_ms + BACKOFF.pause_ms(delivery.attempts + 1);
                Attempted {
                    state: DeliveryState::Pending,
                    due_at_ms: Some(due_at_ms.min(delivery.give_up_at_ms)),
                    status,
                    why: Some(why),
                    ..tried
                }
            }
        }
    }

    fn secrets(
        &self,
        webhook: &Webhook,
        now_ms: u64,
    ) -> Result<Vec<Zeroizing<String>>, SealingError> {
        let open = |context: &str, sealed: &[u8]| -> Result<_, SealingError> {
            let plain = self.sealing.open_sealed(context, sealed)?;
            Ok(Zeroizing::new(String::from_utf8_lossy(&plain).into_owned()))
        };
        let mut secrets = vec![open(&secret_context(webhook.id), &webhook.secret)?];
        if let Some(previous) = &webhook.previous_secret
            && webhook.previous_until_ms.is_some_and(|until| now_ms < until)
        {
            secrets.push(open(&previous_context(webhook.id), previous)?);
        }
        Ok(secrets)
    }

    /// Removes what is old from the log.
    pub(crate) async fn prune(&self) -> Result<(), StoreError> {
        let before_ms = self.clock.now_ms().saturating_sub(LOG_MS);
        self.store.prune_deliveries(before_ms, LOG).await
    }
}

/// Host and port: what has a breaker of its own.
fn target(url: &str) -> String {
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    let authority = uri.and_then(|uri| uri.authority().map(ToString::to_string));
    authority.unwrap_or_default()
}

fn secret_context(id: Uuid) -> String {
    format!("webhooks.secret:{id}")
}

fn previous_context(id: Uuid) -> String {
    format!("webhooks.previous_secret:{id}")
}
