//! What a client is answered.

use crate::http::dialect::Dialect;
use crate::http::error::ErrorCode;
use serde::Serialize;
use serde_json::{Value, json};

/// A fault of the protocol itself, by JSON-RPC's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Parse,
    InvalidRequest,
    MethodNotFound,
    InvalidParams,
}

impl Fault {
    const fn code(self) -> i64 {
        match self {
            Self::Parse => -32_700,
            Self::InvalidRequest => -32_600,
            Self::MethodNotFound => -32_601,
            Self::InvalidParams => -32_602,
        }
    }
}

#[derive(Serialize)]
struct Notification<'a, P> {
    jsonrpc: &'static str,
    method: &'a str,
    params: &'a P,
}

pub(super) fn result(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

pub(super) fn fault(id: &Value, fault: Fault, message: impl Into<String>) -> Value {
    let message: String = message.into();
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": fault.code(), "message": message } })
}

/// A refusal by what was asked: the code is the status, the data the problem.
pub(super) fn problem(id: &Value, status: u16, problem: Value) -> Value {
    let message = problem["message"].as_str().unwrap_or("the request failed").to_owned();
    json!({
        "jsonrpc": "2.0",
        "id": id,
        "error": { "code": status, "message": message, "data": problem },
    })
}

/// Written at once: what a stream tells may be large, and is written already.
pub(super) fn notification(method: &str, params: &impl Serialize) -> String {
    let notification = Notification { jsonrpc: "2.0", method, params };
    // Every message is JSON.
    serde_json::to_string(&notification).unwrap_or_default()
}

/// A refusal by the socket, before any handler has the request.
pub(super) fn refusal(id: &Value, code: ErrorCode, message: &str) -> Value {
    let (entry, status) = (code.entry(), code.status(Dialect::Ipc).as_u16());
    let said = json!({
        "type": entry.slug, "title": entry.title, "status": status, "detail": message,
        "error": entry.slug, "code": entry.slug.to_uppercase(), "message": message,
        "retryable": entry.retryable, "recovery": entry.recovery,
    });
    problem(id, status, said)
}

pub(super) fn too_many() -> Value {
    refusal(&Value::Null, ErrorCode::Unavailable, "too many connections are open")
}

pub(super) fn foreign(uid: u32) -> Value {
    let message = format!("the user {uid} of this host is not listed under `ipc.allow`");
    refusal(&Value::Null, ErrorCode::Forbidden, &message)
}
