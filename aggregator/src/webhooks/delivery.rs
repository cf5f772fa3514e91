//! One message to one receiver, and what became of it.

use uuid::Uuid;

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
