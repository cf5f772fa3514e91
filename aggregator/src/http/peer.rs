//! Where a request comes from. The address is the connection's; forwarded headers count only
//! where the connection is a configured proxy's, and only as far as each hop is one too.

use super::Api;
use crate::config::Proxies;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};

/// No chain of proxies is longer.
const MAX_HOPS: usize = 32;

/// The client's address; `None` where a request comes over no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

/// Leaves the [`ClientAddress`] for what follows.
pub(crate) async fn locate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(address)| address.ip());
    let address = peer.map(|peer| client(peer, request.headers(), &api.app.config.proxies));
    request.extensions_mut().insert(ClientAddress(address));
    let mut response = next.run(request).await;
    response.extensions_mut().insert(ClientAddress(address));
    response
}

/// Walks from the connection's end towards the client, as long as the one who says it is a proxy
/// that is believed.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &Proxies) -> IpAddr {
    let mut client = peer.to_canonical();
    if !proxies.trusts(client) {
        return client;
    }
    for hop in hops(headers).iter().rev().take(MAX_HOPS) {
        // Behind what is no address nobody can say who it was.
        let Some(address) = hop else { break };
        client = address.to_canonical();
        if !proxies.trusts(client) {
            break;
        }
    }
    client
}

/// The hops that the headers name, the client's first. `Forwarded` (RFC 7239) goes before its
/// forerunner.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let all = |name| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    if headers.contains_key(header::FORWARDED) {
        let elements = all(header::FORWARDED).flat_map(|value| value.split(','));
        return elements
            .map(|element| {
                let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
                let (_, node) =
                    pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
                node_address(node)
            })
            .collect();
    }
    all(header::HeaderName::from_static("x-forwarded-for"))
        .flat_map(|value| value.split(','))
        .map(node_address)
        .collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `"[2001:db8::1]:80"`, `2001:db8::1`.
fn node_address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, trusted: &[&str], headers: &[(&'static str, &str)]) -> String {
        let trusted = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &map, &Proxies { trusted }).to_string()
    }

    #[test]
    fn what_a_stranger_writes_of_its_address_does_not_count() {
        let lie = [("x-forwarded-for", "192.0.2.9"), ("forwarded", "for=192.0.2.9")];
        assert_eq!(seen("198.51.100.7", &[], &lie), "198.51.100.7");
        assert_eq!(seen("198.51.100.7", &["10.0.0.0/8"], &lie), "198.51.100.7");
    }

    #[test]
    fn a_proxy_is_believed_and_what_came_to_it_is_not() {
        let proxies = ["10.0.0.0/8"];
        let lie = [("x-forwarded-for", "192.0.2.9, 198.51.100.7")];
        assert_eq!(seen("10.0.0.1", &proxies, &lie), "198.51.100.7");
        let two = [("x-forwarded-for", "192.0.2.9, 198.51.100.7"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(seen("10.0.0.1", &proxies, &two), "198.51.100.7");
        assert_eq!(seen("::ffff:10.0.0.1", &proxies, &lie), "198.51.100.7");
    }

    #[test]
    fn every_spelling_of_a_hop_is_read_and_nonsense_ends_the_walk() {
        let proxies = ["10.0.0.0/8"];
        for (text, client) in [
            ("for=198.51.100.7;proto=https", "198.51.100.7"),
            ("For=\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("for=\"198.51.100.7:80\"", "198.51.100.7"),
            ("for=unknown", "10.0.0.1"),
            ("for=192.0.2.9, for=_hidden", "10.0.0.1"),
            ("by=10.0.0.9", "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", &proxies, &[("forwarded", text)]), client, "{text}");
        }
    }
}
