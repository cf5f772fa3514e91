//! Requests over UDP, each answered within its time or given up.
//!
//! A session that has failed is thrown away: a late answer to it would be taken for the answer
//! to the next request.

use super::login::Identity;
use super::object::ObjectId;
use flyball_driver_messages::{DeedError, DeedFault, Fault, FaultKind, bounded};
use flyball_units::NoData;
use snmp2::{Error, Pdu, SyncSession, Value};
use std::time::Duration;

/// Objects of one request: a PDU's answer then fits into one packet of an Ethernet.
const PER_REQUEST: usize = 20;
/// UDP loses packets: a request that may be asked twice is.
const TRIES: usize = 2;
/// Rows of one table. A PDU of 48 outlets has some 400.
const MAX_ROWS: usize = 4096;
const REPETITIONS: u32 = 20;

/// What a device answers for one object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Integer(i64),
    Text(String),
    /// There is no such object, or it is nothing of these.
    Absent,
}

impl Answer {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Integer(number) => Self::Integer(*number),
            Value::Counter32(number) | Value::Unsigned32(number) | Value::Timeticks(number) => {
                Self::Integer(i64::from(*number))
            }
            Value::Counter64(number) => i64::try_from(*number).map_or(Self::Absent, Self::Integer),
            Value::OctetString(bytes) => {
                // Some agents end their texts with a zero byte.
                let text = String::from_utf8_lossy(bytes);
                Self::Text(bounded(text.trim_end_matches('\0')))
            }
            Value::ObjectIdentifier(id) => {
                ObjectId::from_wire(id).map_or(Self::Absent, |id| Self::Text(id.to_string()))
            }
            _ => Self::Absent,
        }
    }

    pub(super) const fn integer(&self) -> Result<i64, NoData> {
        match self {
            Self::Integer(number) => Ok(*number),
            Self::Text(_) => Err(NoData::Unparsable),
            Self::Absent => Err(NoData::Missing),
        }
    }

    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text).filter(|text| !text.is_empty()),
            Self::Integer(_) | Self::Absent => None,
        }
    }

    /// As a number, also where it is one in words (`23.5`).
    pub(super) fn number(&self) -> Result<f64, NoData> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "readings are floats")]
            Self::Integer(number) => Ok(*number as f64),
            Self::Text(text) => text.trim().parse().map_err(|_| NoData::Unparsable),
            Self::Absent => Err(NoData::Missing),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SnmpError {
    #[error("{address} cannot be reached: {source}")]
    Connect { address: String, source: std::io::Error },
    #[error("{address} does not answer; a wrong community or user is answered by silence, too")]
    Silent { address: String },
    #[error("{address} does not take the user: {0}", .source)]
    Denied { address: String, source: Error },
    #[error("{address} answers what is no SNMP: {source}")]
    Nonsense { address: String, source: Error },
    #[error("{address} refuses to set {object}: {}", refusal(*.status))]
    Refused { address: String, object: ObjectId, status: u32 },
    #[error("{object} is no object that can be asked for")]
    Unaskable { object: ObjectId },
}

/// RFC 3416, 3: what an error status says.
const fn refusal(status: u32) -> &'static str {
    match status {
        1 => "the answer is too big",
        2 | 11 | 18 => "there is no such object",
        3 | 7 | 8 | 9 | 10 | 12 => "it does not take the value",
        4 | 17 => "it cannot be written",
        6 | 16 => "this community or user may not write",
        13 => "it lacks what it needs for it",
        14 | 15 => "it could not be done",
        _ => "for a reason of its own",
    }
}

impl From<SnmpError> for Fault {
    fn from(error: SnmpError) -> Self {
        let kind = match &error {
            SnmpError::Connect { .. } => FaultKind::Unreachable,
            SnmpError::Silent { .. } => FaultKind::TimedOut,
            SnmpError::Denied { .. } => FaultKind::Denied,
            SnmpError::Nonsense { .. } => FaultKind::Nonsense,
            SnmpError::Refused { .. } => FaultKind::Failing,
            SnmpError::Unaskable { .. } => FaultKind::Misconfigured,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<SnmpError> for DeedError {
    fn from(error: SnmpError) -> Self {
        let kind = match &error {
            SnmpError::Refused { status: 4 | 17, .. } => DeedFault::Unsupported,
            SnmpError::Refused { .. } => DeedFault::Refused,
            SnmpError::Connect { .. }
            | SnmpError::Silent { .. }
            | SnmpError::Denied { .. }
            | SnmpError::Nonsense { .. }
            | SnmpError::Unaskable { .. } => DeedFault::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

pub(super) struct Client {
    address: String,
    identity: Identity,
    timeout: Duration,
    /// It holds buffers of the largest packet that there can be.
    session: Option<Box<SyncSession>>,
    /// Where the next session begins to count its requests.
    requests: i32,
}

impl Client {
    pub(super) const fn new(address: String, identity: Identity, timeout: Duration) -> Self {
        Self { address, identity, timeout, session: None, requests: 1 }
    }

    /// The same device, within another time.
    pub(super) fn within(&self, timeout: Duration) -> Self {
        Self::new(self.address.clone(), self.identity.clone(), timeout)
    }

    /// The answers to `objects`, in their order.
    ///
    /// # Errors
    /// Where it is not answered, or by nonsense.
    pub(super) fn get(&mut self, objects: &[ObjectId]) -> Result<Vec<Answer>, SnmpError> {
        let mut answers = Vec::with_capacity(objects.len());
        for some in objects.chunks(PER_REQUEST) {
            let wire = wire(some)?;
            let wire: Vec<&snmp2::Oid<'_>> = wire.iter().collect();
            let found = self.exchange(TRIES, |session| {
                session.get_many(&wire).map(|pdu| (pdu.error_status, varbinds(&pdu)))
            })?;
            match found {
                (0, pairs) => answers.extend(some.iter().map(|object| answer(&pairs, object))),
                // An agent of SNMPv1's manners refuses all where one is missing.
                (_, _) if some.len() > 1 => {
                    for object in some {
                        answers.extend(self.get(std::slice::from_ref(object))?);
                    }
                }
                (_, _) => answers.push(Answer::Absent),
            }
        }
        Ok(answers)
    }

    /// Everything below `table`, by what stands behind it.
    ///
    /// # Errors
    /// Where it is not answered, or never ends.
    pub(super) fn walk(&mut self, table: &ObjectId) -> Result<Vec<(Vec<u64>, Answer)>, SnmpError> {
        let mut rows: Vec<(Vec<u64>, Answer)> = Vec::new();
        let mut from = table.clone();
        while rows.len() < MAX_ROWS {
            let wire = wire(std::slice::from_ref(&from))?;
            let found = self.exchange(TRIES, |session| {
                let wire: Vec<&snmp2::Oid<'_>> = wire.iter().collect();
                session.getbulk(&wire, 0, REPETITIONS).map(|pdu| varbinds(&pdu))
            })?;
            let before = rows.len();
            for (object, answer) in found {
                // An agent that goes back, or stands still, would be walked for ever.
                let (Some(rest), true) = (object.below(table), object > from) else {
                    return Ok(rows);
                };
                rows.push((rest.to_vec(), answer));
                from = object;
            }
            if rows.len() == before {
                break;
            }
        }
        Ok(rows)
    }

    /// Sets one integer. Asked once: what is answered by silence may have been done.
    ///
    /// # Errors
    /// Where the device refuses or does not answer.
    pub(super) fn set(&mut self, object: &ObjectId, value: i64) -> Result<(), SnmpError> {
        let wire = wire(std::slice::from_ref(object))?;
        let status = self.exchange(1, |session| {
            let values: Vec<(&snmp2::Oid<'_>, Value<'_>)> =
                wire.iter().map(|oid| (oid, Value::Integer(value))).collect();
            session.set(&values).map(|pdu| pdu.error_status)
        })?;
        if status == 0 {
            return Ok(());
        }
        let (address, object) = (self.address.clone(), object.clone());
        Err(SnmpError::Refused { address, object, status })
    }

    fn exchange<T>(
        &mut self,
        tries: usize,
        mut ask: impl FnMut(&mut SyncSession) -> Result<T, Error>,
    ) -> Result<T, SnmpError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let session = self.session()?;
            // The engine's clock was learnt anew: the same request again, once.
            let outcome = match ask(session) {
                Err(Error::AuthUpdated) => ask(session),
                outcome => outcome,
            };
            match outcome {
                Ok(found) => return Ok(found),
                Err(error) => {
                    self.session = None;
                    if tried >= tries || !matches!(error, Error::Receive) {
                        return Err(self.failed(error));
                    }
                }
            }
        }
    }

    fn session(&mut self) -> Result<&mut SyncSession, SnmpError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => Box::new(self.open()?),
        };
        Ok(self.session.insert(session))
    }

    fn open(&mut self) -> Result<SyncSession, SnmpError> {
        self.requests = self.requests.wrapping_add(10_000) & i32::MAX;
        let (address, timeout) = (self.address.as_str(), Some(self.timeout));
        let connect = |source| SnmpError::Connect { address: address.to_owned(), source };
        match &self.identity {
            Identity::Community(community) => {
                let community = community.expose().as_bytes();
                SyncSession::new_v2c(address, community, timeout, self.requests).map_err(connect)
            }
            Identity::User(user) => {
                let security = user.security();
                let session = SyncSession::new_v3(address, timeout, self.requests, security);
                let mut session = session.map_err(connect)?;
                session.init().map_err(|error| self.failed(error))?;
                Ok(session)
            }
        }
    }

    fn failed(&self, source: Error) -> SnmpError {
        let address = self.address.clone();
        match source {
            Error::Receive | Error::Send => SnmpError::Silent { address },
            Error::AuthFailure(_) | Error::AuthUpdated | Error::Crypto(_) => {
                SnmpError::Denied { address, source }
            }
            source => SnmpError::Nonsense { address, source },
        }
    }
}

fn wire(objects: &[ObjectId]) -> Result<Vec<snmp2::Oid<'static>>, SnmpError> {
    let wire = |object: &ObjectId| {
        object.to_wire().ok_or_else(|| SnmpError::Unaskable { object: object.clone() })
    };
    objects.iter().map(wire).collect()
}

fn varbinds(pdu: &Pdu<'_>) -> Vec<(ObjectId, Answer)> {
    let pair = |(id, value): (snmp2::Oid<'_>, Value<'_>)| {
        Some((ObjectId::from_wire(&id)?, Answer::of(&value)))
    };
    pdu.varbinds.clone().filter_map(pair).collect()
}

fn answer(pairs: &[(ObjectId, Answer)], object: &ObjectId) -> Answer {
    let found = pairs.iter().find(|(id, _)| id == object);
    found.map_or(Answer::Absent, |(_, answer)| answer.clone())
}
