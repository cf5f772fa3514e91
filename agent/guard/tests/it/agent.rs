//! The other end of the guard's socket, as the agent is.

use flyball_command::{OperationId, Outcome, SignedCommand, Verdict};
use flyball_guard_messages::{
    Decoder, FromAgent, FromGuard, GuardEvent, LimitSnapshot, Record, RecordBody, Series, VERSION,
    encode,
};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

pub(crate) struct Agent {
    stream: UnixStream,
    decoder: Decoder,
    pub(crate) run: Uuid,
    pub(crate) series: Vec<Series>,
    pub(crate) limits: Vec<LimitSnapshot>,
    /// The number of the last record that came.
    pub(crate) through: u64,
    records: VecDeque<(u64, Record)>,
    verdicts: VecDeque<(OperationId, Verdict)>,
}

impl Agent {
    pub(crate) fn attach(socket: &Path, run: Option<Uuid>, after: u64) -> Self {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let attach = FromAgent::Attach { version: VERSION, run, after };
        stream.write_all(&encode(&attach).unwrap()).unwrap();
        let mut agent = Self {
            stream,
            decoder: Decoder::new(),
            run: Uuid::nil(),
            series: Vec::new(),
            limits: Vec::new(),
            through: 0,
            records: VecDeque::new(),
            verdicts: VecDeque::new(),
        };
        match agent.receive().unwrap() {
            FromGuard::Attached { run, series, inventory, .. } => {
                (agent.run, agent.series, agent.limits) = (run, series, inventory.limits);
            }
            other => panic!("{other:?}"),
        }
        agent
    }

    pub(crate) fn send(&mut self, message: &FromAgent) {
        self.stream.write_all(&encode(message).unwrap()).unwrap();
    }

    /// The next message; `None` at the end of the stream.
    pub(crate) fn receive(&mut self) -> Option<FromGuard> {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(message) = self.decoder.next().unwrap() {
                return Some(message);
            }
            let length = self.stream.read(&mut buffer).unwrap();
            if length == 0 {
                return None;
            }
            self.decoder.push(&buffer[..length]);
        }
    }

    fn pump(&mut self) {
        match self.receive().expect("the guard closed the connection") {
            FromGuard::Records { first, records } => {
                for (number, record) in (first..).zip(records) {
                    assert!(number > self.through, "record {number} came twice");
                    self.through = number;
                    self.records.push_back((number, record));
                }
            }
            FromGuard::Verdict { operation, verdict } => {
                self.verdicts.push_back((operation, verdict));
            }
            FromGuard::Inventory(inventory) => self.limits = inventory.limits,
            FromGuard::Series { first, series } => {
                assert_eq!(usize::from(first), self.series.len(), "series come in order");
                self.series.extend(series);
            }
            FromGuard::Validated { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn next_record(&mut self) -> (u64, Record) {
        loop {
            if let Some(record) = self.records.pop_front() {
                return record;
            }
            self.pump();
        }
    }

    pub(crate) fn next_tick(&mut self) -> u64 {
        loop {
            let (_, record) = self.next_record();
            if let RecordBody::Samples(samples) = record.body {
                assert_eq!(samples.len(), self.series.len());
                return record.at_ms;
            }
        }
    }

    pub(crate) fn next_outcome(&mut self) -> Outcome {
        loop {
            if let RecordBody::Outcome(outcome) = self.next_record().1.body {
                return outcome;
            }
        }
    }

    /// The outcome of one operation.
    pub(crate) fn outcome_of(&mut self, operation: OperationId) -> Outcome {
        loop {
            let outcome = self.next_outcome();
            if outcome.operation == operation {
                return outcome;
            }
        }
    }

    /// The next event that is meant by `wanted`.
    pub(crate) fn next_event(&mut self, wanted: impl Fn(&GuardEvent) -> bool) -> GuardEvent {
        // A tick a second: as many records are a minute at least.
        for _ in 0..120 {
            if let RecordBody::Event(event) = self.next_record().1.body
                && wanted(&event)
            {
                return event;
            }
        }
        panic!("waited in vain for an event")
    }

    pub(crate) fn propose(&mut self, operation: OperationId, command: SignedCommand) -> Verdict {
        self.send(&FromAgent::Propose { operation, command });
        loop {
            if let Some((answered, verdict)) = self.verdicts.pop_front() {
                assert_eq!(answered, operation);
                return verdict;
            }
            self.pump();
        }
    }
}
