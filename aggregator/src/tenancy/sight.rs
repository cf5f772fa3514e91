//! Which devices somebody sees.

use crate::fleet::DeviceId;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Cheap to clone: questions and streams carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    #[default]
    Everything,
    Only(Arc<HashSet<DeviceId>>),
}

/// Of equal sets the same, and made in no time: sets of one size are told apart by looking.
impl Hash for Sight {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.only().map(HashSet::len).hash(state);
    }
}

impl Sight {
    #[must_use]
    pub fn sees(&self, device: DeviceId) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(devices) => devices.contains(&device),
        }
    }

    /// What of it lies in `devices`.
    #[must_use]
    pub fn within(&self, mut devices: HashSet<DeviceId>) -> Self {
        devices.retain(|device| self.sees(*device));
        Self::Only(Arc::new(devices))
    }

    /// The ids, where they are fewer than all: what the store is asked with.
    #[must_use]
    pub fn only(&self) -> Option<&HashSet<DeviceId>> {
        match self {
            Self::Everything => None,
            Self::Only(devices) => Some(devices),
        }
    }
}
