//! Webhooks: what happens, posted to receivers as Standard Webhooks describes it.
//!
//! A message is a row per receiver before it is sent, so a restart loses none; it may come twice,
//! under the same `webhook-id`. A receiver that fails is tried for a day with growing pauses, and
//! is disabled once it has failed all that time. No request leaves for an address that the guard
//! does not admit.

mod delivery;
mod guard;
mod posting;
mod sender;
mod signature;
mod url;
mod webhook;

use crate::access::Caller;
use crate::clock::Clock;
use crate::listing::Listing;
use crate::mail::Outbox;
use crate::page::{Page, PageRequest};
use crate::record::Record;
use crate::resilience::Circuits;
use crate::sealing::Sealing;
use crate::store::{Store, StoreError};
pub(crate) use delivery::Attempted;
pub use delivery::{Delivery, DeliveryState};
pub(crate) use guard::GuardedResolver;
pub use guard::{Forbidden, Guard};
use ipnet::IpNet;
use sender::Sender;
use serde_json::json;
pub use url::{UrlError, WebhookUrl};
use uuid::Uuid;
pub use webhook::{NewWebhook, Webhook, WebhookError, WebhookTopic};
use zeroize::Zeroizing;

pub const MAX_WEBHOOKS: u64 = 200;
pub const MAX_URL: usize = 2_048;
/// How long a message is tried, and how long a receiver may fail before it is disabled.
const TRIED_MS: u64 = 24 * 60 * 60 * 1_000;
/// Both secrets sign so long after a rotation, unless another time is asked for.
pub const OVERLAP_MS: u64 = 24 * 60 * 60 * 1_000;
pub const MAX_OVERLAP_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Messages that wait for one receiver; further ones are failed at once and say so.
pub(crate) const MAX_WAITING: i64 = 1_000;
/// Deliveries that have ended are kept so long, and no more of one receiver than these.
const LOG_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
const LOG: u32 = 500;
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
        WebhookUrl::read(text, &self.guard)
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
            url: new.url.into_text(),
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
            url: new.url.into_text(),
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
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Delivery>, StoreError> {
        self.store.deliveries(webhook, listing, page).await
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

    /// Removes what is old from the log.
    pub(crate) async fn prune(&self) -> Result<(), StoreError> {
        let before_ms = self.clock.now_ms().saturating_sub(LOG_MS);
        self.store.prune_deliveries(before_ms, LOG).await
    }
}

fn secret_context(id: Uuid) -> String {
    format!("webhooks.secret:{id}")
}

fn previous_context(id: Uuid) -> String {
    format!("webhooks.previous_secret:{id}")
}
