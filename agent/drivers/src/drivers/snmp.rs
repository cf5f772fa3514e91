//! SNMP: a rack PDU, a UPS, anything whose objects the equipment file names.
//!
//! Which MIB a device speaks is found out by asking for one object of each, or said by `profile`
//! in the file. Discovery walks the tables once; a look gets exactly the objects that it found.
//! What is written is an outlet's command, or a point of the file within its range.

mod apc;
mod client;
mod eyes;
mod hands;
mod login;
mod object;
mod plan;
mod ups;

use crate::driver::{Connection, Driver};
use client::{Client, SnmpError};
use eyes::SnmpEyes;
use flyball_driver_messages::{Configuration, Fault, FaultKind, Point};
use hands::SnmpHands;
use login::Identity;
use object::ObjectId;
use plan::Plan;
use std::time::Duration;

/// How a device describes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    ApcMetered,
    ApcSwitched,
    ApcMasterSwitch,
    Ups,
    /// Not at all: the file's points are everything.
    Points,
}

impl Profile {
    /// The best first: a PDU of today speaks its predecessors' MIBs, too.
    const FOUND: [Self; 4] =
        [Self::ApcMetered, Self::ApcSwitched, Self::ApcMasterSwitch, Self::Ups];

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "apc-rpdu2" => Self::ApcMetered,
            "apc-rpdu" => Self::ApcSwitched,
            "apc-masterswitch" => Self::ApcMasterSwitch,
            "ups" => Self::Ups,
            "points" => Self::Points,
            _ => return None,
        })
    }

    /// An object that a device has which speaks it.
    fn probe(self) -> Option<ObjectId> {
        ObjectId::parse(match self {
            Self::ApcMetered => "1.3.6.1.4.1.318.1.1.26.4.3.1.5.1",
            Self::ApcSwitched => "1.3.6.1.4.1.318.1.1.12.1.5.0",
            Self::ApcMasterSwitch => "1.3.6.1.4.1.318.1.1.4.4.1.0",
            Self::Ups => "1.3.6.1.2.1.33.1.4.1.0",
            // `sysObjectID`, which every agent has.
            Self::Points => "1.3.6.1.2.1.1.2.0",
        })
    }

    fn discover(self, client: &mut Client) -> Result<Plan, SnmpError> {
        match self {
            Self::ApcMetered => apc::metered(client),
            Self::ApcSwitched => apc::switched(client),
            Self::ApcMasterSwitch => apc::master_switch(client),
            Self::Ups => ups::discover(client),
            Self::Points => Ok(Plan::new(flyball_driver_messages::Identity::default())),
        }
    }
}

pub(super) struct Snmp {
    address: String,
    identity: Identity,
    timeout: Duration,
    profile: Option<Profile>,
    points: Vec<Point>,
}

impl Snmp {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let profile = match configuration.option("profile") {
            None => None,
            Some(name) => Some(Profile::from_name(name).ok_or_else(|| {
                let known = "apc-rpdu2, apc-rpdu, apc-masterswitch, ups or points";
                Fault::new(FaultKind::Misconfigured, format!("`profile` is {known}, not `{name}`"))
            })?),
        };
        let points = configuration.points.clone();
        // What is wrong with the points is wrong before anybody is asked.
        Plan::new(flyball_driver_messages::Identity::default()).points(&points)?;
        Ok(Self {
            address: configuration.address.clone(),
            identity: Identity::of(configuration)?,
            timeout: Duration::from_millis(u64::from(configuration.timeout_ms)),
            profile,
            points,
        })
    }

    fn profile(&self, client: &mut Client) -> Result<Profile, Fault> {
        if let Some(profile) = self.profile {
            return Ok(profile);
        }
        let probes: Vec<ObjectId> = Profile::FOUND.iter().filter_map(|p| p.probe()).collect();
        let answers = client.get(&probes)?;
        let mut found = Profile::FOUND.iter().zip(&answers);
        match found.find(|(_, answer)| **answer != client::Answer::Absent) {
            Some((profile, _)) => Ok(*profile),
            None if !self.points.is_empty() => Ok(Profile::Points),
            None => Err(Fault::new(
                FaultKind::Misconfigured,
                format!(
                    "{} speaks no MIB that is known here; name its objects as `points`",
                    self.address
                ),
            )),
        }
    }
}

impl Driver for Snmp {
    fn connect(&mut self) -> Result<Connection, Fault> {
        let mut client = Client::new(self.address.clone(), self.identity.clone(), self.timeout);
        let profile = self.profile(&mut client)?;
        let mut plan = profile.discover(&mut client)?;
        plan.points(&self.points)?;
        let (described, items) = plan.close();
        let hands = SnmpHands::new(client.within(self.timeout), self.timeout, items.clone());
        let eyes = SnmpEyes::new(client, items);
        Ok(Connection { described, eyes: Box::new(eyes), hands: Box::new(hands) })
    }
}
