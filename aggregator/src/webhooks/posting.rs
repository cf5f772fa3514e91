//! Queued messages on their way.

use super::delivery::{Attempted, Delivery, DeliveryState};
use super::sender::{Answer, Post};
use super::webhook::Webhook;
use super::{TRIED_MS, Webhooks, previous_context, secret_context, signature};
use crate::app::shutdown::Stop;
use crate::audit::{AuditEntry, Decision};
use crate::mail::Mail;
use crate::resilience::{Backoff, Outside};
use crate::sealing::SealingError;
use crate::store::StoreError;
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(10), longest: Duration::from_secs(2 * 60 * 60) };
/// Deliveries at the same time.
const AT_ONCE: u32 = 16;
const LEASE_MS: u64 = 60_000;
const EVERY: Duration = Duration::from_secs(1);

impl Webhooks {
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
}

/// Host and port: what has a breaker of its own.
fn target(url: &str) -> String {
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    let authority = uri.and_then(|uri| uri.authority().map(ToString::to_string));
    authority.unwrap_or_default()
}
