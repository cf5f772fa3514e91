//! Mail: a queue in the store, sent by SMTP with retries up to a bound.
//!
//! What is queued while no server is configured is kept and shown as that, and sent once there is
//! one. Texts lie sealed, because some hold links that open an account. Addresses and subjects
//! can't bring headers of their own.

mod smtp;

use crate::app::shutdown::Stop;
use crate::clock::Clock;
use crate::config::Smtp as Settings;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::resilience::{Backoff, Circuits, Outside};
use crate::sealing::Sealing;
use crate::store::{Store, StoreError};
pub use smtp::SmtpError;
use smtp::{Sent, Smtp};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a mail is tried.
const TRIED_MS: u64 = 3 * 24 * 60 * 60 * 1_000;
const LEASE_MS: u64 = 120_000;
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(30), longest: Duration::from_secs(60 * 60) };
/// Of one turn, so that a flood does not hold the task.
const AT_ONCE: usize = 20;
/// Mails that are kept, sent ones among them; of more, the oldest go.
const KEPT: u32 = 10_000;
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
pub const MAX_SUBJECT: usize = 200;
pub const MAX_TEXT: usize = 64 * 1024;
const EVERY: Duration = Duration::from_secs(1);

/// One mail to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    /// Plain text.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailState {
    /// To be sent; nowhere as long as no server is configured.
    Queued,
    /// A server has taken it.
    Sent,
    /// No server takes it any more.
    Dead,
}

impl MailState {
    pub const ALL: [Self; 3] = [Self::Queued, Self::Sent, Self::Dead];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A mail as the queue holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub id: Uuid,
    pub to: String,
    pub subject: String,
    /// Sealed.
    pub(crate) text: Vec<u8>,
    pub state: MailState,
    pub attempts: u32,
    pub due_at_ms: u64,
    pub give_up_at_ms: u64,
    pub last_error: Option<String>,
    pub created_at_ms: u64,
    pub finished_at_ms: Option<u64>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Sent,
    Again {
        due_at_ms: u64,
        why: String,
    },
    /// Nothing was tried.
    Postponed {
        due_at_ms: u64,
    },
    Dead(String),
}

#[derive(Clone, Debug)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    sealing: Sealing,
    circuits: Circuits,
    smtp: Option<Arc<Smtp>>,
    holder: String,
}

impl Outbox {
    pub(crate) fn open(
        store: Store,
        clock: Clock,
        sealing: Sealing,
        circuits: Circuits,
        settings: &Settings,
    ) -> Result<Self, SmtpError> {
        let smtp = Smtp::open(settings)?.map(Arc::new);
        let holder = Uuid::new_v4().to_string();
        Ok(Self { store, clock, sealing, circuits, smtp, holder })
    }

    /// Is there a server that takes mail?
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.smtp.is_some()
    }

    /// Puts a mail into the queue; it is durable when this comes back.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn queue(&self, mail: Mail) -> Result<(), StoreError> {
        self.store.queue_mail(&[self.drawn_up(mail)?]).await
    }

    /// The mail as the queue holds it. One to no address is dead at once, and says so.
    pub(crate) fn drawn_up(&self, mail: Mail) -> Result<Queued, StoreError> {
        let (id, now_ms) = (self.clock.new_id(), self.clock.now_ms());
        let fault = smtp::address_fault(&mail.to);
        let to: String = mail.to.chars().filter(|c| !c.is_control()).take(320).collect();
        let subject: String = mail
            .subject
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_SUBJECT)
            .collect();
        let mut text = mail.text;
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        Ok(Queued {
            id,
            to,
            subject,
            text: self.sealing.seal(&context(id), text.as_bytes())?,
            state: if fault.is_some() { MailState::Dead } else { MailState::Queued },
            attempts: 0,
            due_at_ms: now_ms,
            give_up_at_ms: now_ms + TRIED_MS,
            last_error: fault,
            created_at_ms: now_ms,
            finished_at_ms: None,
        })
    }

    /// Newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(
        &self,
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Queued>, StoreError> {
        self.store.mail(listing, page).await
    }

    /// Sends what is due until shutdown.
    pub async fn run(self, mut stop: Stop) {
        loop {
            tokio::select! {
                () = stop.wait() => return,
                turn = self.turn() => {
                    if let Err(error) = turn {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "mail waits for the store");
                    }
                }
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Sends what is due, some at a time.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn turn(&self) -> Result<(), StoreError> {
        for _ in 0..AT_ONCE {
            let now_ms = self.clock.now_ms();
            let Some(smtp) = &self.smtp else {
                // Nobody takes what has waited for its whole time.
                return self.store.expire_mail(now_ms).await;
            };
            let Some(mail) = self.store.claim_mail(&self.holder, now_ms, now_ms + LEASE_MS).await?
            else {
                return Ok(());
            };
            let fate = self.attempt(smtp, &mail).await;
            if let Fate::Again { why, .. } | Fate::Dead(why) = &fate {
                tracing::warn!(mail = %mail.id, why, "a mail was not sent");
            }
            self.store.settle_mail(mail.id, &self.holder, &fate, self.clock.now_ms()).await?;
        }
        Ok(())
    }

    async fn attempt(&self, smtp: &Smtp, mail: &Queued) -> Fate {
        let now_ms = self.clock.now_ms();
        if now_ms >= mail.give_up_at_ms {
            let last = mail.last_error.as_deref().unwrap_or("no server took it in time");
            return Fate::Dead(last.to_owned());
        }
        if let Err(shut) = self.circuits.ask(Outside::Mail, smtp.host(), now_ms) {
            return Fate::Postponed { due_at_ms: shut.until_ms };
        }
        let text = match self.sealing.open_sealed(&context(mail.id), &mail.text) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => return Fate::Dead(error.to_string()),
        };
        match smtp.send(mail, text, now_ms).await {
            Sent::Taken => {
                self.circuits.succeeded(Outside::Mail, smtp.host(), now_ms);
                Fate::Sent
            }
            // The server is well: it is this mail that it does not want.
            Sent::Refused(why) => {
                self.circuits.succeeded(Outside::Mail, smtp.host(), now_ms);
                Fate::Dead(why)
            }
            Sent::Failed(why) => {
                self.circuits.failed(Outside::Mail, smtp.host(), now_ms);
                let due_at_ms = now_ms + BACKOFF.pause_ms(mail.attempts + 1);
                Fate::Again { due_at_ms, why }
            }
        }
    }

    /// Removes what is old.
    pub(crate) async fn prune(&self) -> Result<(), StoreError> {
        self.store.prune_mail(self.clock.now_ms().saturating_sub(KEPT_MS), KEPT).await
    }
}

pub(crate) fn context(id: Uuid) -> String {
    format!("mail.text:{id}")
}
