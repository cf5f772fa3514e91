//! `flyball:plugin@0.2.0`.

use super::{Linked, converted, renderer_and_importer, vocabulary};
use crate::call::{Call, bounded, bounded_failure, cut, limit, unsupported};
use crate::instance::{Blob, State};
use crate::limits::{self, Exceeded};
use flyball_plugin_messages::{
    Absence, Answer, Ask, Attribute, CatalogEntry, Diagnostic, Event, Failure, FailureKind, Fetch,
    Image, Item, LogLevel, Manifest, Part, Reading, ReadingKind, Request, Severity,
};
use std::sync::{Mutex, PoisonError};
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceAny};

pub(crate) mod renderer {
    wasmtime::component::bindgen!({
        path: "../../wit/0.2",
        world: "renderer",
        imports: { default: trappable },
    });
}

pub(crate) mod importer {
    wasmtime::component::bindgen!({
        path: "../../wit/0.2",
        world: "importer",
        imports: { default: trappable },
        with: {
            "flyball:plugin/types@0.2.0": super::renderer::flyball::plugin::types,
            "flyball:plugin/log@0.2.0": super::renderer::flyball::plugin::log,
            "flyball:plugin/settings@0.2.0": super::renderer::flyball::plugin::settings,
            "flyball:plugin/clock@0.2.0": super::renderer::flyball::plugin::clock,
            "flyball:plugin/random@0.2.0": super::renderer::flyball::plugin::random,
            "flyball:plugin/blobs.blob": crate::instance::Blob,
        },
    });
}

pub(crate) mod collector {
    wasmtime::component::bindgen!({
        path: "../../wit/0.2",
        world: "collector",
        imports: { default: trappable },
        with: {
            "flyball:plugin/types@0.2.0": super::renderer::flyball::plugin::types,
            "flyball:plugin/log@0.2.0": super::renderer::flyball::plugin::log,
            "flyball:plugin/settings@0.2.0": super::renderer::flyball::plugin::settings,
            "flyball:plugin/clock@0.2.0": super::renderer::flyball::plugin::clock,
            "flyball:plugin/random@0.2.0": super::renderer::flyball::plugin::random,
            "flyball:plugin/http@0.2.0": super::importer::flyball::plugin::http,
        },
    });
}

use collector::exports::flyball::plugin::collecting;
use collector::flyball::plugin::messages;
use importer::exports::flyball::plugin::importing;
use importer::flyball::plugin::{blobs, files, http, progress};
use renderer::exports::flyball::plugin::rendering;
use renderer::flyball::plugin::{clock, log, random, settings, types};

vocabulary!();
renderer_and_importer!();

impl settings::Host for State {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.setting(&key).map(str::to_owned))
    }

    fn keys(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.setting_names())
    }
}

impl clock::Host for State {
    fn now_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(self.unix_ms())
    }

    fn monotonic_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(self.elapsed_ms())
    }
}

impl random::Host for State {
    fn bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(self.random(length)?)
    }
}

/// A failure of the agent's as the guest sees it.
fn to_error(failure: Failure) -> types::Error {
    types::Error {
        kind: match failure.kind {
            FailureKind::InvalidInput => types::ErrorKind::InvalidInput,
            FailureKind::Unsupported => types::ErrorKind::Unsupported,
            FailureKind::Denied => types::ErrorKind::Denied,
            FailureKind::Cancelled => types::ErrorKind::Cancelled,
            FailureKind::Limit => types::ErrorKind::Limit,
            FailureKind::Upstream | FailureKind::Unavailable => types::ErrorKind::Upstream,
            FailureKind::Trapped | FailureKind::Internal => types::ErrorKind::Internal,
        },
        message: failure.message,
        diagnostics: Vec::new(),
        retry_after_ms: None,
    }
}

/// The agent answered something else than was asked.
fn confused() -> types::Error {
    to_error(Failure::new(FailureKind::Internal, "the agent answered another question"))
}

impl http::Host for State {
    fn fetch(
        &mut self,
        request: http::Request,
    ) -> wasmtime::Result<Result<http::Response, types::Error>> {
        let pair = |header: http::Header| (header.name, header.value);
        let fetch = Fetch {
            method: request.method,
            url: request.url,
            headers: request.headers.into_iter().map(pair).collect(),
            body: request.body,
            timeout_ms: request.timeout_ms.unwrap_or(u32::MAX),
        };
        Ok(match self.ask(Ask::Fetch(fetch))? {
            Answer::Fetched(fetched) => {
                let header = |(name, value)| http::Header { name, value };
                Ok(http::Response {
                    status: fetched.status,
                    headers: fetched.headers.into_iter().map(header).collect(),
                    body: fetched.body,
                })
            }
            Answer::Refused(failure) => Err(to_error(failure)),
            _ => Err(confused()),
        })
    }
}

impl messages::Host for State {
    fn subscribe(
        &mut self,
        broker: String,
        filters: Vec<String>,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        Ok(match self.ask(Ask::Subscribe { broker, filters })? {
            Answer::Subscribed => Ok(()),
            Answer::Refused(failure) => Err(to_error(failure)),
            _ => Err(confused()),
        })
    }

    fn take(
        &mut self,
        most: u32,
    ) -> wasmtime::Result<Result<Vec<messages::Message>, types::Error>> {
        Ok(match self.ask(Ask::Take { most })? {
            Answer::Taken(taken) => Ok(taken
                .into_iter()
                .map(|message| messages::Message { topic: message.topic, payload: message.payload })
                .collect()),
            Answer::Refused(failure) => Err(to_error(failure)),
            _ => Err(confused()),
        })
    }
}

impl progress::Host for State {
    fn report(&mut self, done: u64, total: Option<u64>, note: String) -> wasmtime::Result<bool> {
        Ok(State::report(self, done, total, &note))
    }
}

impl blobs::Host for State {}

impl blobs::HostBlob for State {
    fn new(
        &mut self,
        id: String,
        title: String,
        media_type: String,
        attributes: Vec<types::Attribute>,
    ) -> wasmtime::Result<Resource<Blob>> {
        let attributes = converted(attributes);
        let item = Item { id, title, media_type, data: Vec::new(), attributes };
        self.open_blob(item)
    }

    fn write(
        &mut self,
        blob: Resource<Blob>,
        chunk: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        Ok(self.write_blob(&blob, &chunk)?.map_err(to_error))
    }

    fn finish(&mut self, blob: Resource<Blob>) -> wasmtime::Result<Result<(), types::Error>> {
        Ok(self.finish_blob(&blob)?.map_err(to_error))
    }

    fn drop(&mut self, blob: Resource<Blob>) -> wasmtime::Result<()> {
        self.drop_blob(blob)
    }
}

pub(crate) fn link_collector(
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<Box<dyn Linked>> {
    let mut linker = Linker::new(engine);
    collector::Collector::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    let pre = collector::CollectorPre::new(linker.instantiate_pre(component)?)?;
    Ok(Box::new(Collector { pre, open: Mutex::default() }))
}

/// What a collector's instance holds from one poll to the next.
struct Opened {
    guest: collecting::Guest,
    session: ResourceAny,
}

struct Collector {
    pre: collector::CollectorPre<State>,
    open: Mutex<Option<Opened>>,
}

impl Linked for Collector {
    fn describe(&self, call: &mut Call) -> Result<Manifest, Failure> {
        let instance = call.guarded(|store| self.pre.instantiate(store))?;
        let guest = instance.flyball_plugin_collecting();
        Ok(call.guarded(|store| guest.call_describe(store))?.into())
    }

    fn answer(&self, call: &mut Call, asked: Request) -> Result<(), Failure> {
        let Request::Poll = asked else {
            return Err(unsupported("a collector neither draws nor imports"));
        };
        let failed = |error: types::Error| bounded_failure(error.into());
        // It is put back after a poll that went well, and gone after any other.
        let kept = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let opened = match kept.filter(|_| !call.is_new()) {
            Some(opened) => opened,
            None => {
                let instance = call.guarded(|store| self.pre.instantiate(store))?;
                let guest = instance.flyball_plugin_collecting().clone();
                let session = call.guarded(|store| guest.call_open(store))?.map_err(failed)?;
                Opened { guest, session }
            }
        };
        let polled =
            call.guarded(|store| opened.guest.session().call_poll(store, opened.session))?;
        let readings = polled.map_err(failed)?;
        if readings.len() > limits::READINGS {
            return Err(limit(Exceeded::Readings));
        }
        let readings: Vec<Reading> = converted(readings);
        if let Some(exceeded) = readings.iter().find_map(oversized) {
            return Err(limit(exceeded));
        }
        call.account(readings.iter().map(Reading::size).sum())?;
        call.tell(Event::Readings(readings));
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        Ok(())
    }
}

fn oversized(reading: &Reading) -> Option<Exceeded> {
    if reading.labels.len() > limits::LABELS {
        return Some(Exceeded::Labels);
    }
    let labels = reading.labels.iter().flat_map(|label| [&label.key, &label.value]);
    let mut texts = [&reading.name, &reading.unit].into_iter().chain(labels);
    texts.any(|text| text.len() > limits::READING_TEXT_BYTES).then_some(Exceeded::ReadingText)
}

impl From<collecting::Reading> for Reading {
    fn from(reading: collecting::Reading) -> Self {
        Self {
            name: reading.name,
            unit: reading.unit,
            kind: match reading.kind {
                collecting::Kind::Gauge => ReadingKind::Gauge,
                collecting::Kind::Counter => ReadingKind::Counter,
            },
            labels: converted(reading.labels),
            value: match reading.value {
                collecting::Value::Number(number) if number.is_finite() => Ok(number),
                collecting::Value::Number(_) => Err(Absence::OutOfRange),
                collecting::Value::Absent(absence) => Err(match absence {
                    collecting::Absence::NotReady => Absence::NotReady,
                    collecting::Absence::Unreachable => Absence::Unreachable,
                    collecting::Absence::Unauthorised => Absence::Unauthorised,
                    collecting::Absence::Unsupported => Absence::Unsupported,
                    collecting::Absence::OutOfRange => Absence::OutOfRange,
                    collecting::Absence::Malformed => Absence::Malformed,
                }),
            },
        }
    }
}
