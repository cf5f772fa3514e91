//! The listener under the router: plain or TLS, HTTP/1.1 and HTTP/2, with bounds on how many
//! connections there are and how slowly one may speak. TLS keys are exchanged while it runs.

mod certificate;

use certificate::Keys;

use crate::app::App;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// How long a handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of all headers of one request.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;
const MAX_STREAMS: u32 = 128;
/// How often an idle connection of HTTP/2 is asked whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// After a failure to accept, such as no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The request came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secure;

/// What connections are given.
#[derive(Clone)]
enum Service {
    Whole(Router),
    /// Sends everybody to HTTPS at this port.
    Redirect {
        port: u16,
    },
}

#[derive(Clone)]
struct Front {
    service: Service,
    tls: Option<TlsAcceptor>,
    graceful: Arc<GracefulShutdown>,
    places: Arc<Semaphore>,
    head_patience: Duration,
}

/// Serves `router` until the process shuts down.
///
/// # Errors
/// Where the certificate can't be read or an address can't be bound.
pub(super) async fn serve(app: &App, router: Router, listener: TcpListener) -> std::io::Result<()> {
    let config = &app.config;
    let keys = Keys::open(app).map_err(std::io::Error::other)?;
    let port = listener.local_addr()?.port();
    let front = Front {
        service: Service::Whole(router),
        tls: keys.as_ref().map(|keys| TlsAcceptor::from(keys.config())),
        graceful: Arc::new(GracefulShutdown::new()),
        places: Arc::new(Semaphore::new(config.listener.max_connections as usize)),
        head_patience: Duration::from_millis(config.listener.head_patience_ms),
    };
    if let Some(address) = config.tls.redirect.filter(|_| keys.is_some()) {
        let plain = TcpListener::bind(address).await?;
        let front = Front {
            service: Service::Redirect { port },
            tls: None,
            graceful: Arc::new(GracefulShutdown::new()),
            ..front.clone()
        };
        tokio::spawn(front.accept(app.clone(), plain));
    }
    if let Some(keys) = keys {
        tokio::spawn(keys.keep_fresh(app.clone()));
    }
    let graceful = Arc::clone(&front.graceful);
    front.accept(app.clone(), listener).await;
    if let Some(graceful) = Arc::into_inner(graceful) {
        graceful.shutdown().await;
    }
    Ok(())
}

impl Front {
    async fn accept(self, app: App, listener: TcpListener) {
        let mut stop = app.shutdown.subscribe();
        loop {
            // A place first: those who wait stand in the kernel's queue, which is bounded too.
            let accepted = async {
                let place = Arc::clone(&self.places).acquire_owned().await;
                (place, listener.accept().await)
            };
            tokio::select! {
                () = stop.wait() => return,
                (place, accepted) = accepted => match (place, accepted) {
                    (Ok(place), Ok((stream, peer))) => {
                        let front = self.clone();
                        let watcher = self.graceful.watcher();
                        tokio::spawn(front.connection(watcher, stream, peer, place));
                    }
                    (Ok(_), Err(error)) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(PAUSE).await;
                    }
                    (Err(_), _) => return,
                },
            }
        }
    }
}

impl Front {
    async fn connection(
        self,
        watcher: Watcher,
        stream: TcpStream,
        peer: SocketAddr,
        _place: OwnedSemaphorePermit,
    ) {
        // The listener's end waits for the watcher, and must find this gone.
        let Self { service, tls, head_patience, graceful, places: _ } = self;
        drop(graceful);
        // Answers go out as they are written; where it can't be set they are only slower.
        let _ = stream.set_nodelay(true);
        match tls {
            None => talk(service, watcher, stream, (peer, false), head_patience).await,
            Some(tls) => match timeout(HANDSHAKE_PATIENCE, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    talk(service, watcher, stream, (peer, true), head_patience).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, %peer, "a handshake failed"),
                Err(_) => tracing::debug!(%peer, "a handshake took too long"),
            },
        }
    }
}

async fn talk(
    service: Service,
    watcher: Watcher,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    (peer, secure): (SocketAddr, bool),
    head_patience: Duration,
) {
    let service = service_fn(move |request| answer(service.clone(), request, peer, secure));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_patience)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    let talk = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(talk.into_owned()).await {
        tracing::debug!(error = %error, %peer, "a connection ended badly");
    }
}

async fn answer(
    service: Service,
    request: Request<Incoming>,
    peer: SocketAddr,
    secure: bool,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    match service {
        Service::Redirect { port } => Ok(redirect(&request, port)),
        Service::Whole(router) => {
            request.extensions_mut().insert(ConnectInfo(peer));
            if secure {
                request.extensions_mut().insert(Secure);
            }
            router.oneshot(request).await
        }
    }
}

/// The same address at HTTPS.
fn redirect(request: &Request<Body>, port: u16) -> Response<Body> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let name = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let Some(name) = name.filter(|name| !name.is_empty()) else { return response };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    if let Ok(location) = HeaderValue::from_str(&format!("https://{name}{port}{path}")) {
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
