//! An importer built for 0.2, which uses everything that this version brought: when 0.2 has shipped
//! it is never changed again, and every later host has to run it.

#![expect(unsafe_code, reason = "the generated bindings are made of it")]

wit_bindgen::generate!({ path: "../../../../wit/0.2", world: "importer" });

use exports::flyball::plugin::importing::{Course, Detail, Guest, GuestJob, Item, Job, Page, Step};
use flyball::plugin::blobs::Blob;
use flyball::plugin::types::{Attribute, Error, ErrorKind, Manifest};
use flyball::plugin::{clock, files, http, progress, random, settings};
use std::cell::Cell;

struct Plugin;
export!(Plugin);

struct Fetching(Cell<bool>);

impl Guest for Plugin {
    type Job = Fetching;

    fn describe() -> Manifest {
        Manifest {
            id: "v0-2-importer".into(),
            name: "An importer of 0.2".into(),
            version: "1.0.0".into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Fetches what its setting names".into(),
            handles: vec!["fetch".into()],
            attributes: vec![
                Attribute { key: "wants".into(), value: "http:*".into() },
                Attribute {
                    key: "settings-schema".into(),
                    value: r#"{"type":"object","properties":{"url":{"type":"string"}}}"#.into(),
                },
            ],
        }
    }

    fn catalog(_query: String, _page: u32) -> Result<Page, Error> {
        Ok(Page { courses: Vec::new(), total: 0 })
    }

    fn describe_course(id: String) -> Result<Detail, Error> {
        let course = Course {
            id,
            title: settings::keys().join(" "),
            description: String::new(),
            attributes: Vec::new(),
        };
        Ok(Detail { course, parts: Vec::new() })
    }

    fn start(
        _id: String,
        _selection: Vec<String>,
        _switches: Vec<Attribute>,
    ) -> Result<Job, Error> {
        Ok(Job::new(Fetching(Cell::new(false))))
    }
}

impl GuestJob for Fetching {
    /// What was fetched as pieces, then what the machine said as an item.
    fn next(&self) -> Result<Step, Error> {
        if self.0.replace(true) {
            return Ok(Step::Done);
        }
        let url = settings::get("url").unwrap_or_default();
        let response = http::fetch(&http::Request {
            method: "GET".into(),
            url: url.trim_matches('"').into(),
            headers: vec![http::Header { name: "Accept".into(), value: "*/*".into() }],
            body: Vec::new(),
            timeout_ms: Some(1_000),
        })?;
        if !progress::report(1, Some(2), "fetched") {
            let message = "nobody waits".into();
            let (diagnostics, retry_after_ms) = (Vec::new(), None);
            return Err(Error { kind: ErrorKind::Cancelled, message, diagnostics, retry_after_ms });
        }
        let blob = Blob::new("fetched", "Fetched", "text/plain", &[]);
        for piece in response.body.chunks(4) {
            blob.write(piece)?;
        }
        blob.finish()?;
        let (now, later) = (clock::now_ms(), clock::monotonic_ms());
        let said = [
            format!("status {}", response.status),
            format!("files {}", files::list().len()),
            format!("coarse {}", now % 10 + later % 10),
            format!("random {}", random::bytes(16).len()),
        ];
        Ok(Step::Item(Item {
            id: "machine".into(),
            title: "Machine".into(),
            media_type: "text/plain".into(),
            data: said.join(", ").into_bytes(),
            attributes: Vec::new(),
        }))
    }
}
