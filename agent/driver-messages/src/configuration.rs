//! Which equipment a driver reaches, how, and as whom.

use crate::Secret;
use flyball_guard_messages::EquipmentKind;
use flyball_units::{Kind, Unit};
use serde::{Deserialize, Serialize};

/// The ways to reach equipment. Numbered on the wire: new ones go at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DriverKind {
    Redfish,
    Ipmi,
    Nut,
    Snmp,
    Modbus,
    Nvml,
    Smart,
    Wol,
}

impl DriverKind {
    pub const ALL: [Self; 8] = [
        Self::Redfish,
        Self::Ipmi,
        Self::Nut,
        Self::Snmp,
        Self::Modbus,
        Self::Nvml,
        Self::Smart,
        Self::Wol,
    ];

    /// The word of the equipment file and of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redfish => "redfish",
            Self::Ipmi => "ipmi",
            Self::Nut => "nut",
            Self::Snmp => "snmp",
            Self::Modbus => "modbus",
            Self::Nvml => "nvml",
            Self::Smart => "smart",
            Self::Wol => "wol",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What is usually behind it, where the file doesn't say.
    #[must_use]
    pub const fn equipment(self) -> EquipmentKind {
        match self {
            // What switches a machine from outside.
            Self::Redfish | Self::Ipmi | Self::Wol => EquipmentKind::Bmc,
            Self::Nut => EquipmentKind::Ups,
            Self::Snmp => EquipmentKind::Pdu,
            Self::Modbus => EquipmentKind::Cooling,
            Self::Nvml => EquipmentKind::Gpu,
            Self::Smart => EquipmentKind::Sensor,
        }
    }

    /// Whether it is reached at an address; the others are part of this machine.
    #[must_use]
    pub const fn is_networked(self) -> bool {
        match self {
            Self::Redfish | Self::Ipmi | Self::Nut | Self::Snmp | Self::Modbus | Self::Wol => true,
            Self::Nvml | Self::Smart => false,
        }
    }

    /// The keys that the equipment file may set for it in `options`.
    #[must_use]
    pub const fn options(self) -> &'static [&'static str] {
        match self {
            // Which system, where a BMC has several; empty for the first.
            Self::Redfish => &["system"],
            // ipmitool's interface and cipher suite, and the program itself.
            Self::Ipmi => &["interface", "cipher", "privilege", "program"],
            Self::Nut => &["ups"],
            // Of SNMPv3 the protocols and the context; the two passphrases are one secret, parted by
            // a space.
            Self::Snmp => &["version", "profile", "authentication", "privacy", "context"],
            Self::Modbus => &["unit_id"],
            Self::Nvml => &["library"],
            Self::Smart => &["program", "devices"],
            // The card to wake, and the port that shows that the machine is on.
            Self::Wol => &["mac", "probe"],
        }
    }
}

/// Everything that a driver needs to know; its first message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The key of the equipment, for the driver's words about itself.
    pub key: String,
    pub driver: DriverKind,
    /// Where it is reached: `https://10.0.0.7`, `10.0.0.8:623`; empty for what is part of this
    /// machine.
    pub address: String,
    pub login: Option<Login>,
    pub trust: Trust,
    /// From the beginning of one round of readings to that of the next.
    pub poll_ms: u32,
    /// How long one exchange with the equipment may take.
    pub timeout_ms: u32,
    /// Keys of [`DriverKind::options`].
    pub options: Vec<(String, String)>,
    /// What of it is read and steered, where it can't describe itself.
    pub points: Vec<Point>,
}

impl Configuration {
    /// The option `key`, where it is set.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Empty where there is a secret only, such as a community.
    pub user: String,
    pub secret: Secret,
}

/// By what the equipment proves that it is the one that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    /// A certificate by this authority (PEM) for the address's name.
    Authority(String),
    /// A certificate with this SHA-256 over its DER form.
    Fingerprint([u8; 32]),
    /// By nothing: the file says `insecure = true`.
    Insecure,
    /// By what the protocol itself has, if anything.
    Unstated,
}

/// One thing of equipment that can't describe itself: an OID, a register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub name: String,
    /// The driver's own word for the place: `1.3.6.1.4.1.318.1.1.12.2.3.1.1.2.1`,
    /// `holding:17:s16`.
    pub at: String,
    pub form: PointForm,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PointForm {
    /// Its value is the raw one times `scale`.
    Sensor { kind: Kind, unit: Unit, scale: f64 },
    /// It reads and takes these raw values.
    Switch { on: i64, off: i64 },
    /// A level that can be set, in the unit that `scale` leads to.
    Level { unit: Unit, scale: f64, min: f64, max: f64 },
}
