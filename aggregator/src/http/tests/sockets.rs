//! A client's end of a stream.

use crate::fleet::DeviceId;
use crate::telemetry::{Kind, NoData, Reader, Sampled, SeriesId, SeriesInfo, Unit};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) async fn open(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
) -> tungstenite::Result<Socket> {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    Ok(connect_async(request).await?.0)
}

pub(super) async fn next(socket: &mut Socket) -> Message {
    let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await;
    message.unwrap().unwrap().unwrap()
}

pub(super) async fn next_json(socket: &mut Socket) -> Value {
    let message = next(socket).await;
    serde_json::from_str(message.to_text().unwrap()).unwrap_or_else(|_| panic!("{message:?}"))
}

pub(super) async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message of that type; bookmarks and presence come when they do.
pub(super) async fn next_of(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let message = next_json(socket).await;
        if message["type"] == kind {
            return message;
        }
    }
}

pub(super) fn sampled(
    device: DeviceId,
    id: i64,
    samples: Vec<(u64, Result<f64, NoData>)>,
) -> Sampled {
    let series = Arc::new(SeriesInfo {
        id: SeriesId(id),
        metric: "hw.temperature".into(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: Vec::new(),
        cadence_ms: 1_000,
        reader: Reader::Guard,
    });
    Sampled { device, series, samples }
}

pub(super) async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        if let Message::Close(frame) = next(socket).await {
            return frame.unwrap().code.into();
        }
    }
}
