//! The machines: who they are, whether they are connected, what they last said of themselves.

pub mod equipment;
pub mod presence;
pub mod sessions;
pub(crate) mod standing;
pub mod subject;

use crate::audit::AuditEntry;
use crate::caches::{Answers, CacheMeter};
use crate::clock::Clock;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::store::{Store, StoreError};
use crate::telemetry::SeriesInfo;
use crate::tenancy::Sight;
pub use equipment::{Equipment, EquipmentKind, EquipmentState, equipment_id};
pub use flyball_protocol::command::DeviceId;
pub use flyball_protocol::message::Machine;
pub use sessions::{Inventory, JobStream, SendError, Sessions, Target};
pub(crate) use standing::{Shown, Standing};
use std::sync::Arc;
pub use subject::{Belonging, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    Real,
    Simulated,
}

impl DeviceKind {
    /// The kind that the machine says it has.
    #[must_use]
    pub const fn of(machine: &Machine) -> Self {
        if machine.simulated { Self::Simulated } else { Self::Real }
    }

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Simulated => "simulated",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Real, Self::Simulated].into_iter().find(|kind| kind.name() == name)
    }
}

/// One enrolled machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub id: DeviceId,
    pub name: String,
    pub kind: DeviceKind,
    pub machine: Machine,
    /// Was the guard attached when the agent last said so?
    pub guard_attached: bool,
    /// Is its agent connected now? Never stored.
    pub online: bool,
    pub certificate: CertificateInfo,
    /// Counts the changes of its name.
    pub version: u64,
    pub enrolled_at_ms: u64,
    pub last_seen_at_ms: Option<u64>,
    pub created_at_ms: u64,
    pub updated_at_ms: u64,
    pub revoked_at_ms: Option<u64>,
    /// Since when it is shut out, because it was seen in two places at once.
    pub quarantined_at_ms: Option<u64>,
}

/// The certificate that a machine was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Hexadecimal.
    pub serial: String,
    pub not_after_ms: u64,
}

/// Which devices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubjectQuery {
    /// Only the equipment of this machine.
    pub gateway: Option<DeviceId>,
    pub listing: Listing,
    /// Only those that are seen.
    pub sight: Sight,
    pub page: PageRequest,
}

/// The fleet as the store has it, with what the sessions know beside it.
#[derive(Clone, Debug)]
pub struct Fleet {
    store: Store,
    sessions: Sessions,
    clock: Clock,
    pages: Answers<SubjectQuery, Arc<Page<Subject>>>,
}

impl Fleet {
    pub(crate) fn new(store: Store, sessions: Sessions, clock: Clock) -> Self {
        Self { store, sessions, clock, pages: Answers::new("devices") }
    }

    pub(crate) const fn meter(&self) -> &CacheMeter {
        self.pages.meter()
    }

    /// Devices by name, the revoked ones too.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self, page: PageRequest) -> Result<Page<Device>, StoreError> {
        let mut devices = self.store.devices(page).await?;
        for device in &mut devices.items {
            device.online = self.sessions.is_online(device.id);
        }
        Ok(devices)
    }

    /// # Errors
    /// Where the store fails.
    pub async fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        Ok(self.store.device(id).await?.map(|mut device| {
            device.online = self.sessions.is_online(id);
            device
        }))
    }

    /// Machines and their equipment: each machine by name, and under it what it manages, where no
    /// other order is asked for.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn subjects(&self, query: &SubjectQuery) -> Result<Page<Subject>, StoreError> {
        // Who is connected is no matter of the store: an answer that goes by it is not kept.
        let page = if query.listing.is_about("status") {
            Arc::new(self.store.subjects(query, &self.sessions.online()).await?)
        } else {
            let read = || async { self.store.subjects(query, &[]).await.map(Arc::new) };
            self.pages.of(&self.store, query.clone(), read).await?
        };
        let mut subjects = Page::clone(&page);
        for subject in &mut subjects.items {
            let (Subject::Machine(device) | Subject::Equipment { gateway: device, .. }) = subject;
            device.online = self.sessions.is_online(device.id);
        }
        Ok(subjects)
    }

    /// The machine or the equipment of an id.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn subject(&self, id: DeviceId) -> Result<Option<Subject>, StoreError> {
        if let Some(device) = self.device(id).await? {
            return Ok(Some(Subject::Machine(device)));
        }
        let Some(equipment) = self.store.equipment(id).await? else { return Ok(None) };
        let gateway = self.device(equipment.gateway).await?;
        Ok(gateway.map(|gateway| Subject::Equipment { equipment, gateway }))
    }

    /// The machine that is meant where none is named: the real one that was enrolled first,
    /// else the first of all.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn default_device(&self, sight: &Sight) -> Result<Option<Device>, StoreError> {
        match self.store.default_device(sight).await? {
            Some(id) => self.device(id).await,
            None => Ok(None),
        }
    }

    /// Every series that the device ever announced, by metric.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn series(&self, id: DeviceId) -> Result<Vec<SeriesInfo>, StoreError> {
        self.store.series(id).await
    }

    /// Limits, actuators, plugins and processes as the agent last reported them; empty where it
    /// has not connected since this process started.
    #[must_use]
    pub fn inventory(&self, id: DeviceId) -> Inventory {
        self.sessions.inventory(id)
    }

    /// The machines that are connected, and behind each the equipment that it has told of.
    #[must_use]
    pub fn present(&self) -> Vec<DeviceId> {
        let with_equipment = |machine: DeviceId| {
            let board = self.sessions.inventory(machine).board;
            let behind =
                board.equipment.into_iter().map(move |one| equipment_id(machine, &one.key));
            std::iter::once(machine).chain(behind)
        };
        self.sessions.online().into_iter().flat_map(with_equipment).collect()
    }

    /// Takes the device's certificate back and ends its connection.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn revoke(&self, id: DeviceId) -> Result<bool, StoreError> {
        let revoked = self.store.revoke_device(id, self.clock.now_ms()).await?;
        self.sessions.revoke(id);
        Ok(revoked)
    }

    /// Lets a quarantined machine in again, once somebody has looked; false where it was not out.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn release(&self, id: DeviceId, entry: &AuditEntry) -> Result<bool, StoreError> {
        self.store.release_device(id, entry).await
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::telemetry::{Kind, Unit};
    use flyball_protocol::guard::{LayerThresholds, LimitSnapshot, LimitState};
    use uuid::Uuid;

    /// A device as it is after its enrolment.
    pub(crate) fn device(id: Uuid) -> Device {
        let machine = Machine {
            hostname: "board-1".into(),
            os: String::new(),
            kernel: String::new(),
            arch: String::new(),
            vendor: None,
            product: None,
            serial: None,
            cpus: 1,
            memory_bytes: 1,
            simulated: true,
            agent_version: String::new(),
        };
        Device {
            id: DeviceId(id),
            name: "board-1".into(),
            kind: DeviceKind::of(&machine),
            machine,
            guard_attached: false,
            online: false,
            certificate: CertificateInfo { serial: String::new(), not_after_ms: 0 },
            version: 1,
            enrolled_at_ms: 1,
            last_seen_at_ms: None,
            created_at_ms: 1,
            updated_at_ms: 1,
            revoked_at_ms: None,
            quarantined_at_ms: None,
        }
    }

    /// Equipment that answers.
    pub(crate) fn equipment(gateway: DeviceId, key: &str) -> Equipment {
        Equipment {
            id: equipment_id(gateway, key),
            gateway,
            reported: equipment::Reported {
                key: key.into(),
                kind: EquipmentKind::Pdu,
                driver: "snmp".into(),
                vendor: Some("Rack".into()),
                model: None,
                serial: None,
                firmware: None,
                address: "192.0.2.7:161".into(),
                state: EquipmentState::Connected,
            },
            created_at_ms: 1,
            updated_at_ms: 1,
            removed_at_ms: None,
        }
    }

    /// A temperature limit over `sensors`.
    pub(crate) fn limit(name: &str, sensors: &[&str]) -> LimitSnapshot {
        LimitSnapshot {
            name: name.into(),
            zone: "board".into(),
            kind: Kind::Temperature,
            unit: Unit::Celsius,
            warning: Some(75.0),
            limit: Some(85.0),
            trip: Some(95.0),
            hysteresis: 3.0,
            layer: "factory".into(),
            factory: LayerThresholds { warning: Some(80.0), limit: Some(85.0), trip: Some(95.0) },
            local: LayerThresholds { warning: Some(75.0), limit: None, trip: None },
            fleet: LayerThresholds::default(),
            below: false,
            state: LimitState::Normal,
            step: None,
            reading: Some(41.5),
            since_ms: 1,
            sensors: sensors.iter().map(|id| (*id).to_owned()).collect(),
            hold: None,
        }
    }
}
