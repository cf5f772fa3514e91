//! A receiver, and what it is told of.

use super::MAX_WEBHOOKS;
use super::url::WebhookUrl;
use crate::access::OrganizationId;
use crate::fleet::DeviceId;
use crate::record::Record;
use crate::sealing::SealingError;
use crate::store::StoreError;
use uuid::Uuid;

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
