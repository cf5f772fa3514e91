//! A BMC on a bad day: a small HTTP server that answers from a table, and misbehaves as told.
//!
//! What a well-behaved one does is tried against the emulator that others wrote; this one does
//! what no emulator offers, and serves the recorded tree of a real machine.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// What it does instead of answering well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    Status(u16),
    /// Takes the request and says nothing.
    Silent,
    /// A byte now and then, for ever.
    Trickling,
    /// More megabytes of JSON than anybody wants.
    Endless,
    NoJson,
    NoHttp,
    Redirecting,
    /// Says yes to every change and changes nothing.
    Lying,
}

#[derive(Debug)]
struct State {
    documents: BTreeMap<String, Value>,
    mood: Mood,
    /// The mood of paths that begin so only.
    mood_of: Option<(String, Mood)>,
    login: Option<(String, String)>,
    /// Sessions are offered, and how many were made.
    sessions: Option<u32>,
    requests: u32,
    /// Method, path and body of every request that would change something.
    changes: Vec<(String, String, Value)>,
    etag: u32,
    etags_wanted: bool,
}

#[derive(Clone, Debug)]
pub struct FakeBmc {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl FakeBmc {
    /// One machine of the newer model.
    #[must_use]
    pub fn start() -> Self {
        Self::of(documents())
    }

    /// What a folder recorded: `DIR/Chassis/1/index.json` is answered at
    /// `/redfish/v1/Chassis/1`.
    #[must_use]
    pub fn recorded(folder: &Path) -> Self {
        let mut documents = BTreeMap::new();
        read_folder(folder, "/redfish/v1", &mut documents);
        Self::of(documents)
    }

    fn of(documents: BTreeMap<String, Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State {
            documents,
            mood: Mood::Well,
            mood_of: None,
            login: None,
            sessions: None,
            requests: 0,
            changes: Vec::new(),
            etag: 1,
            etags_wanted: false,
        };
        let bmc = Self { port, state: Arc::new(Mutex::new(state)) };
        let served = bmc.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let bmc = served.clone();
                thread::spawn(move || bmc.serve(&stream));
            }
        });
        bmc
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn be(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    pub fn be_at(&self, path: &str, mood: Mood) {
        self.lock().mood_of = Some((path.to_owned(), mood));
    }

    pub fn require(&self, user: &str, password: &str) {
        self.lock().login = Some((user.to_owned(), password.to_owned()));
    }

    pub fn offer_sessions(&self) {
        self.lock().sessions = Some(0);
    }

    /// How many sessions were made.
    pub fn sessions(&self) -> u32 {
        self.lock().sessions.unwrap_or(0)
    }

    pub fn want_etags(&self) {
        self.lock().etags_wanted = true;
    }

    pub fn requests(&self) -> u32 {
        self.lock().requests
    }

    pub fn changes(&self) -> Vec<(String, String, Value)> {
        self.lock().changes.clone()
    }

    pub fn set(&self, path: &str, pointer: &str, value: Value) {
        let mut state = self.lock();
        let document = state.documents.get_mut(path).unwrap();
        let place = document.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
        *place = value;
    }

    pub fn put(&self, path: &str, document: Value) {
        self.lock().documents.insert(path.to_owned(), document);
    }

    pub fn take_away(&self, path: &str) {
        self.lock().documents.remove(path).unwrap();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            let mood = {
                let mut state = self.lock();
                state.requests += 1;
                match &state.mood_of {
                    Some((path, mood)) if request.path.starts_with(path.as_str()) => *mood,
                    _ => state.mood,
                }
            };
            if !self.misbehave(stream, mood) {
                let (status, headers, body) = self.answer(&request, mood);
                if respond(stream, status, &headers, body.as_ref()).is_err() {
                    return;
                }
            }
            if mood != Mood::Well && mood != Mood::Lying {
                return;
            }
        }
    }

    /// True where it did something else than answer.
    fn misbehave(&self, mut stream: &TcpStream, mood: Mood) -> bool {
        // What the other side no longer wants to hear is no fault of this one.
        let mut say = |text: &str| stream.write_all(text.as_bytes()).is_ok();
        match mood {
            Mood::Well | Mood::Lying => return false,
            Mood::Status(code) => {
                let body = json!({ "error": { "message": "it is a bad day" } });
                let _ = respond(stream, code, &[], Some(&body));
            }
            Mood::Silent => thread::sleep(Duration::from_secs(30)),
            Mood::Trickling => {
                say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
                while say(" ") {
                    thread::sleep(Duration::from_millis(100));
                }
            }
            Mood::Endless => {
                say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[");
                let piece = "\"0123456789abcdef\",".repeat(4096);
                for _ in 0..160 {
                    if !say(&piece) {
                        break;
                    }
                }
            }
            Mood::NoJson => {
                say("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n<html>no</html");
            }
            Mood::NoHttp => {
                say("SSH-2.0-OpenSSH_9.2\r\n\r\n");
            }
            Mood::Redirecting => {
                say(
                    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
                );
            }
        }
        true
    }

    fn answer(&self, request: &Request, mood: Mood) -> (u16, Vec<String>, Option<Value>) {
        let mut state = self.lock();
        if request.path == "/redfish/v1/SessionService/Sessions" && request.method == "POST" {
            return log_in(&mut state, request);
        }
        if request.path != "/redfish/v1/" && !state.admits(request) {
            return (401, Vec::new(), None);
        }
        let path = request.path.split('?').next().unwrap();
        let path = path.strip_suffix('/').unwrap_or(path).to_owned();
        if request.method == "GET" {
            let etag = format!("ETag: \"{}\"", state.etag);
            return match state.documents.get(&path) {
                Some(document) => (200, vec![etag], Some(document.clone())),
                None => (404, Vec::new(), None),
            };
        }
        let body = request.body.clone();
        state.changes.push((request.method.clone(), path.clone(), body.clone()));
        if request.method == "DELETE" {
            return (204, Vec::new(), None);
        }
        let wanted = format!("\"{}\"", state.etag);
        if request.method == "PATCH" && state.etags_wanted && request.if_match != wanted {
            return (412, Vec::new(), None);
        }
        if mood != Mood::Lying {
            state.change(&path, &body);
        }
        (204, Vec::new(), None)
    }
}

impl State {
    fn admits(&self, request: &Request) -> bool {
        let Some((user, password)) = &self.login else { return true };
        match &self.sessions {
            Some(made) => request.token == format!("token-{made}"),
            None => request.basic == basic(user, password),
        }
    }

    fn change(&mut self, path: &str, body: &Value) {
        self.etag += 1;
        if let Some(system) = path.strip_suffix("/Actions/ComputerSystem.Reset") {
            let on = !matches!(body["ResetType"].as_str(), Some("ForceOff" | "GracefulShutdown"));
            let system = self.documents.get_mut(system).unwrap();
            system["PowerState"] = json!(if on { "On" } else { "Off" });
        } else if let Some(document) = self.documents.get_mut(path) {
            merge(document, body);
        }
    }
}

fn log_in(state: &mut State, request: &Request) -> (u16, Vec<String>, Option<Value>) {
    let (Some(made), Some((user, password))) = (state.sessions, state.login.clone()) else {
        return (404, Vec::new(), None);
    };
    if request.body != json!({ "UserName": user, "Password": password }) {
        return (401, Vec::new(), None);
    }
    state.sessions = Some(made + 1);
    let place = format!("/redfish/v1/SessionService/Sessions/{}", made + 1);
    let headers = vec![format!("X-Auth-Token: token-{}", made + 1), format!("Location: {place}")];
    (201, headers, Some(json!({ "Id": made + 1 })))
}

fn basic(user: &str, password: &str) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn merge(document: &mut Value, change: &Value) {
    match (document, change) {
        (Value::Object(document), Value::Object(change)) => {
            for (key, value) in change {
                merge(document.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(document), Value::Array(change)) => {
            for (document, change) in document.iter_mut().zip(change) {
                merge(document, change);
            }
        }
        (document, change) => *document = change.clone(),
    }
}

struct Request {
    method: String,
    path: String,
    basic: String,
    token: String,
    if_match: String,
    body: Value,
}

impl Request {
    fn read(reader: &mut BufReader<&TcpStream>) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let mut take = |name: &str| headers.remove(name).unwrap_or_default();
        let mut bytes = vec![0; take("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut bytes).ok()?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let (basic, token) = (take("authorization"), take("x-auth-token"));
        Some(Self { method, path, basic, token, if_match: take("if-match"), body })
    }
}

fn respond(
    mut stream: &TcpStream,
    status: u16,
    headers: &[String],
    body: Option<&Value>,
) -> std::io::Result<()> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())
}

fn read_folder(folder: &Path, path: &str, documents: &mut BTreeMap<String, Value>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{path}/{name}"), documents);
        } else if name == "index.json" {
            let document = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
            documents.insert(path.to_owned(), document);
        }
    }
}

/// One machine of the newer model: sensors, a power limit, a locator light.
fn documents() -> BTreeMap<String, Value> {
    let link = |path: &str| json!({ "@odata.id": format!("/redfish/v1/{path}") });
    let collection = |members: &[&str]| {
        let members: Vec<Value> = members.iter().map(|path| link(path)).collect();
        json!({ "Members@odata.count": members.len(), "Members": members })
    };
    let documents = [
        (
            "",
            json!({ "RedfishVersion": "1.15.0", "Vendor": "Acme",
            "Systems": link("Systems"), "Chassis": link("Chassis"), "Managers": link("Managers"),
            "Links": { "Sessions": link("SessionService/Sessions") } }),
        ),
        ("Systems", collection(&["Systems/1"])),
        (
            "Systems/1",
            json!({ "Id": "1", "Name": "machine", "Manufacturer": "Acme",
            "Model": "R1", "SerialNumber": "S-1", "PowerState": "Off",
            "LocationIndicatorActive": false,
            "Boot": { "BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None",
                "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Hdd"] },
            "LogServices": link("Systems/1/LogServices"),
            "Links": { "Chassis": [link("Chassis/1")] },
            "Actions": { "#ComputerSystem.Reset": {
                "target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
                "ResetType@Redfish.AllowableValues":
                    ["On", "ForceOff", "GracefulShutdown", "ForceRestart"] } } }),
        ),
        ("Systems/1/LogServices", collection(&["Systems/1/LogServices/SEL"])),
        (
            "Systems/1/LogServices/SEL",
            json!({ "Id": "SEL",
            "Entries": link("Systems/1/LogServices/SEL/Entries") }),
        ),
        ("Systems/1/LogServices/SEL/Entries", json!({ "Members": [] })),
        ("Chassis", collection(&["Chassis/1"])),
        (
            "Chassis/1",
            json!({ "Id": "1", "Name": "chassis", "Sensors": link("Chassis/1/Sensors"),
            "EnvironmentMetrics": link("Chassis/1/EnvironmentMetrics") }),
        ),
        ("Chassis/1/Sensors", collection(&["Chassis/1/Sensors/Cpu", "Chassis/1/Sensors/Power"])),
        (
            "Chassis/1/Sensors/Cpu",
            json!({ "Id": "Cpu", "Name": "CPU Temperature",
            "ReadingType": "Temperature", "ReadingUnits": "Cel", "Reading": 41.5,
            "PhysicalContext": "CPU", "Status": { "State": "Enabled" },
            "Thresholds": { "UpperCaution": { "Reading": 85 }, "UpperCritical": { "Reading": 95 },
                "UpperFatal": { "Reading": 105 } } }),
        ),
        (
            "Chassis/1/Sensors/Power",
            json!({ "Id": "Power", "Name": "Total Power",
            "ReadingType": "Power", "ReadingUnits": "W", "Reading": 374,
            "Status": { "State": "Enabled" } }),
        ),
        (
            "Chassis/1/EnvironmentMetrics",
            json!({ "PowerLimitWatts": { "SetPoint": 500,
            "AllowableMin": 150, "AllowableMax": 1000, "ControlMode": "Automatic" } }),
        ),
        ("Managers", collection(&["Managers/bmc"])),
        ("Managers/bmc", json!({ "Id": "bmc", "FirmwareVersion": "2.7" })),
    ];
    let at = |(path, body)| (format!("/redfish/v1/{path}").trim_end_matches('/').to_owned(), body);
    documents.into_iter().map(at).collect()
}
