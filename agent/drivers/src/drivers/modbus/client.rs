//! Requests and answers of Modbus TCP, one after the other on one connection.
//! (MODBUS Application Protocol 1.1b3; MODBUS Messaging on TCP/IP 1.0b)

use super::place::Table;
use flyball_driver_messages::{DeedError, DeedFault, Fault, FaultKind};
use flyball_units::NoData;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The function codes that are used.
const READ_COILS: u8 = 1;
const READ_DISCRETE: u8 = 2;
const READ_HOLDING: u8 = 3;
const READ_INPUT: u8 = 4;
const WRITE_COIL: u8 = 5;
const WRITE_REGISTER: u8 = 6;
const WRITE_REGISTERS: u8 = 16;

/// The length field counts the unit and at most 253 bytes of the request or answer.
const MAX_LENGTH: usize = 254;

#[derive(Debug, thiserror::Error)]
pub(super) enum ModbusError {
    #[error("{address} cannot be reached: {source}")]
    Connect { address: String, source: io::Error },
    #[error("{what} was not answered: {source}")]
    Exchange { what: &'static str, source: io::Error },
    #[error("the answer breaks the protocol: {0}")]
    Nonsense(&'static str),
    #[error("the device refuses {what}: {}", exception(*.code))]
    Exception { what: &'static str, code: u8 },
}

const fn exception(code: u8) -> &'static str {
    match code {
        1 => "it does not know the function",
        2 => "it has no such register",
        3 => "it does not take the value",
        4 => "it has failed",
        5 => "it needs longer",
        6 => "it is busy",
        8 => "its memory is broken",
        10 | 11 => "the gateway does not reach it",
        _ => "for a reason that the protocol does not know",
    }
}

impl ModbusError {
    /// The reason of a register that was refused; `None` where the connection is lost.
    pub(super) const fn reason(&self) -> Option<NoData> {
        match self {
            Self::Exception { code, .. } => Some(match code {
                1..=3 => NoData::Missing,
                5 | 6 => NoData::Busy,
                _ => NoData::Fault,
            }),
            Self::Connect { .. } | Self::Exchange { .. } | Self::Nonsense(_) => None,
        }
    }
}

impl From<ModbusError> for Fault {
    fn from(error: ModbusError) -> Self {
        let timed_out = |source: &io::Error| {
            matches!(source.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
        };
        let kind = match &error {
            ModbusError::Connect { source, .. } | ModbusError::Exchange { source, .. }
                if timed_out(source) =>
            {
                FaultKind::TimedOut
            }
            ModbusError::Connect { .. } | ModbusError::Exchange { .. } => FaultKind::Unreachable,
            ModbusError::Nonsense(_) => FaultKind::Nonsense,
            ModbusError::Exception { .. } => FaultKind::Failing,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ModbusError> for DeedError {
    fn from(error: ModbusError) -> Self {
        let kind = match error {
            ModbusError::Exception { .. } => DeedFault::Refused,
            ModbusError::Connect { .. }
            | ModbusError::Exchange { .. }
            | ModbusError::Nonsense(_) => DeedFault::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

pub(super) struct Client {
    stream: TcpStream,
    unit: u8,
    transaction: u16,
}

impl Client {
    /// # Errors
    /// Where nobody listens there within `timeout`.
    pub(super) fn connect(address: &str, unit: u8, timeout: Duration) -> Result<Self, ModbusError> {
        let failed = |source| ModbusError::Connect { address: address.to_owned(), source };
        let places: Vec<SocketAddr> = address.to_socket_addrs().map_err(failed)?.take(4).collect();
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for place in &places {
            match TcpStream::connect_timeout(place, timeout) {
                Ok(stream) => {
                    let set = stream
                        .set_read_timeout(Some(timeout))
                        .and_then(|()| stream.set_write_timeout(Some(timeout)))
                        .and_then(|()| stream.set_nodelay(true));
                    set.map_err(failed)?;
                    return Ok(Self { stream, unit, transaction: 0 });
                }
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }

    /// `count` registers, or coils as 0 and 1, of `table` from `address` on.
    ///
    /// # Errors
    /// Where the device refuses or does not answer; the connection is lost unless it refused.
    pub(super) fn read(
        &mut self,
        table: Table,
        address: u16,
        count: u16,
    ) -> Result<Vec<u16>, ModbusError> {
        let (function, coils) = match table {
            Table::Coil => (READ_COILS, true),
            Table::Discrete => (READ_DISCRETE, true),
            Table::Holding => (READ_HOLDING, false),
            Table::Input => (READ_INPUT, false),
        };
        let [address_high, address_low] = address.to_be_bytes();
        let [count_high, count_low] = count.to_be_bytes();
        let request = [function, address_high, address_low, count_high, count_low];
        let answer = self.exchange("a reading", &request)?;
        let expected = if coils { usize::from(count).div_ceil(8) } else { usize::from(count) * 2 };
        let (length, bytes) = answer.split_first().ok_or(ModbusError::Nonsense("it is empty"))?;
        if usize::from(*length) != expected || bytes.len() != expected {
            return Err(ModbusError::Nonsense("it holds another number of registers"));
        }
        if coils {
            let bit = |at: u16| {
                let byte = bytes.get(usize::from(at / 8)).copied().unwrap_or(0);
                u16::from(byte >> (at % 8) & 1)
            };
            return Ok((0..count).map(bit).collect());
        }
        Ok(bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    /// Writes registers (or one coil) from `address` on.
    ///
    /// # Errors
    /// Where the device refuses or does not answer.
    pub(super) fn write(
        &mut self,
        table: Table,
        address: u16,
        words: &[u16],
    ) -> Result<(), ModbusError> {
        let [high, low] = address.to_be_bytes();
        let request = match (table, words) {
            (Table::Coil, [coil]) => {
                vec![WRITE_COIL, high, low, if *coil == 0 { 0 } else { 0xff }, 0]
            }
            (Table::Holding, [word]) => {
                let [word_high, word_low] = word.to_be_bytes();
                vec![WRITE_REGISTER, high, low, word_high, word_low]
            }
            (Table::Holding, [first, second]) => {
                let mut request = vec![WRITE_REGISTERS, high, low, 0, 2, 4];
                request.extend(first.to_be_bytes());
                request.extend(second.to_be_bytes());
                request
            }
            _ => return Err(ModbusError::Nonsense("this table can't be written")),
        };
        let answer = self.exchange("a write", &request)?;
        // The answer repeats address and value, or address and count.
        if answer.as_slice() != &request[1..5] {
            return Err(ModbusError::Nonsense("it repeats something else than was written"));
        }
        Ok(())
    }

    /// The answer's bytes after its function code.
    fn exchange(&mut self, what: &'static str, request: &[u8]) -> Result<Vec<u8>, ModbusError> {
        let failed = |source| ModbusError::Exchange { what, source };
        self.transaction = self.transaction.wrapping_add(1);
        let transaction = self.transaction.to_be_bytes();
        let mut frame = Vec::with_capacity(7 + request.len());
        frame.extend(transaction);
        frame.extend([0, 0, 0]);
        // A request is shorter than 20 bytes.
        frame.push(u8::try_from(request.len() + 1).unwrap_or(u8::MAX));
        frame.push(self.unit);
        frame.extend(request);
        self.stream.write_all(&frame).map_err(failed)?;

        let mut header = [0; 7];
        self.stream.read_exact(&mut header).map_err(failed)?;
        let [t0, t1, p0, p1, l0, l1, unit] = header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if [t0, t1] != transaction || [p0, p1] != [0, 0] || unit != self.unit {
            return Err(ModbusError::Nonsense("it is to another request"));
        }
        if !(3..=MAX_LENGTH).contains(&length) {
            return Err(ModbusError::Nonsense("its length cannot be"));
        }
        let mut body = vec![0; length - 1];
        self.stream.read_exact(&mut body).map_err(failed)?;
        match body.split_first() {
            Some((function, rest)) if *function == request[0] => Ok(rest.to_vec()),
            Some((function, [code])) if *function == request[0] | 0x80 => {
                Err(ModbusError::Exception { what, code: *code })
            }
            _ => Err(ModbusError::Nonsense("it is to another function")),
        }
    }
}
