//! An upsd of ours for what the real one can't be brought to: a unit with outlets, a command
//! that fails in the device, a list that never ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Default)]
struct State {
    variables: BTreeMap<String, String>,
    offered: Vec<String>,
    done: Vec<String>,
    fails: bool,
    pretends_tls: bool,
    babbles: bool,
}

/// A server of one UPS, called `ups`, which obeys its outlets' commands.
pub(crate) struct FakeUpsd {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl FakeUpsd {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let pairs = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let state = State { variables: pairs.collect(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { port, state }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn offer(&self, commands: &[&str]) {
        self.state().offered = commands.iter().map(|name| (*name).to_owned()).collect();
    }

    /// The commands that it was given.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.state().done.clone()
    }

    pub(crate) fn fail_commands(&self) {
        self.state().fails = true;
    }

    /// From now on it agrees to TLS and goes on in the clear.
    pub(crate) fn pretend_tls(&self) {
        self.state().pretends_tls = true;
    }

    pub(crate) fn babble(&self) {
        self.state().babbles = true;
    }

    pub(crate) fn set(&self, variable: &str, value: Option<&str>) {
        let variables = &mut self.state().variables;
        match value {
            Some(value) => variables.insert(variable.to_owned(), value.to_owned()),
            None => variables.remove(variable),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut writer = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        // Who asked may have gone.
        if state.lock().unwrap().babbles && line.starts_with("LIST VAR") {
            let _ = writer.write_all(b"BEGIN LIST VAR ups\n");
            while writer.write_all(b"VAR ups input.voltage \"230\"\n").is_ok() {}
            return;
        }
        let answer = answer(&mut state.lock().unwrap(), &line);
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(state: &mut State, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["USERNAME" | "PASSWORD", _] | ["SET", "TRACKING", "ON"] => "OK\n".to_owned(),
        ["STARTTLS"] if state.pretends_tls => "OK STARTTLS\nVAR ups ups.status \"OL\"\n".to_owned(),
        ["LIST", "UPS"] => "BEGIN LIST UPS\nUPS ups \"A unit\"\nEND LIST UPS\n".to_owned(),
        ["LIST", "VAR", "ups"] => {
            let lines = state.variables.iter();
            let lines: String =
                lines.map(|(name, value)| format!("VAR ups {name} \"{value}\"\n")).collect();
            format!("BEGIN LIST VAR ups\n{lines}END LIST VAR ups\n")
        }
        ["LIST", "CMD", "ups"] => {
            let lines: String =
                state.offered.iter().map(|name| format!("CMD ups {name}\n")).collect();
            format!("BEGIN LIST CMD ups\n{lines}END LIST CMD ups\n")
        }
        ["INSTCMD", "ups", command] => {
            state.done.push((*command).to_owned());
            if let Some((outlet, verb)) = command.split_once(".load.") {
                state.variables.insert(format!("{outlet}.status"), verb.to_owned());
            }
            "OK TRACKING 1bd31808-cb49-4aec-9d75-d056e6f018d2\n".to_owned()
        }
        ["GET", "TRACKING", _] if state.fails => "ERR FAILED\n".to_owned(),
        ["GET", "TRACKING", _] => "SUCCESS\n".to_owned(),
        _ => "ERR UNKNOWN-COMMAND\n".to_owned(),
    }
}
