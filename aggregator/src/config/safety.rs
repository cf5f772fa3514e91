//! What the aggregator itself refuses.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the aggregator itself refuses, and how dangerous commands are confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Safety {
    /// Somebody else than the one who asks has to confirm a dangerous command.
    pub second_person: bool,
    /// Energising commands within a minute, of a rack that says nothing else, and of a machine
    /// that stands in none.
    pub energising_per_minute: u32,
    /// Devices that feed or are the machine that this aggregator runs on, beside the machine that
    /// is recognised by its names.
    pub own_machines: Vec<Uuid>,
    pub racks: Vec<Rack>,
}

/// Machines that draw from one feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rack {
    pub name: String,
    pub devices: Vec<Uuid>,
    pub energising_per_minute: Option<u32>,
    /// What its feed takes; no start may bring it above.
    pub power_watts: Option<f64>,
    /// What its cooling carries away.
    pub cooling_watts: Option<f64>,
    /// What a device is reckoned with that is started, or of which nobody knows what it draws.
    #[serde(default = "start_watts")]
    pub start_watts: f64,
}

fn start_watts() -> f64 {
    500.0
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            second_person: false,
            energising_per_minute: 10,
            own_machines: Vec::new(),
            racks: Vec::new(),
        }
    }
}
