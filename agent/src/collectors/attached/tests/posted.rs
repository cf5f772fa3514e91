//! Readings that are posted to the agent's own listener.

use super::*;
use crate::config::Http;
use crate::testing::soon;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn readings_are_posted_over_http_with_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken\n").unwrap();
    let address = free_address();
    let mut rig = Rig::new(&format!(
        "[http]\nlisten = \"{address}\"\ntoken_file = {token:?}\n\
         [[sensor]]\nkey = \"door\"\nreadings = [\"STATE\"]\n"
    ));
    let http: Http = rig.config.http.clone().unwrap();
    let listening = tokio::spawn(http::listen(http, rig.door.clone(), Clock));
    let body = "{\"device\":\"door\",\"reading_type\":\"STATE\",\"value\":1}";
    let post = |path: &str, token: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let large = format!("{:5000}", "1");
    for (request, status) in [
        (post("/readings", "t0ken", body), "202"),
        (post("/readings", "other", body), "401"),
        (post("/elsewhere", "t0ken", body), "400"),
        (post("/readings", "t0ken", "{}"), "422"),
        (post("/readings", "t0ken", &body.replace("door", "gate")), "404"),
        (post("/readings", "t0ken", &large), "413"),
        ("GET /readings HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("\u{16}\u{3}\u{1}".to_owned() + "\r\n\r\n", "400"),
        (post("/readings", "t0ken", body).replace("Content-Length", "X-Length"), "400"),
    ] {
        let response = soon(ask(address, &request)).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{request} {response}");
    }
    listening.abort();
    let values = rig.read_at(Moment::read(Clock));
    assert_eq!(values["door/state"], Ok(1.0));
    assert_eq!((values["unauthorized"], values["oversized"]), (Ok(1.0), Ok(1.0)));
    assert_eq!(values["bad_request"], Ok(4.0));
}
