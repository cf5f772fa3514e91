//! What the routes are called: by their method and path, the same in every document. A method of
//! the socket and an `operationId` are such a name.

use super::dialect::Dialect;
use super::table::Listed;
use axum::http::Method;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What each route is called.
pub(crate) type Names = HashMap<(Method, String), String>;

/// One name for each of `routes`, in their order.
///
/// The words of the path stand in it, then what is done: `list` or `get`, `replace`, `update`,
/// `delete`. A POST makes what the path lists (`create`), or else the path's last word says what
/// it does. Of routes that would be called the same, those with more parameters say by which.
fn of(routes: &[Listed], dialect: Dialect) -> Vec<String> {
    let read: HashSet<&str> = routes
        .iter()
        .filter(|route| route.method == Method::GET)
        .map(|route| route.path.as_str())
        .collect();
    let plain: Vec<String> = routes
        .iter()
        .map(|route| {
            let mut words = words(&route.path, dialect);
            words.extend(verb(route, read.contains(route.path.as_str())));
            words.join(".")
        })
        .collect();
    let mut fewest: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, route) in plain.iter().zip(routes) {
        let count = parameters(&route.path).count();
        fewest.entry(name).and_modify(|least| *least = count.min(*least)).or_insert(count);
    }
    plain
        .iter()
        .zip(routes)
        .map(|(name, route)| {
            let more = parameters(&route.path).count() > fewest[name.as_str()];
            match parameters(&route.path).last() {
                Some(last) if more => format!("{name}.by-{last}"),
                _ => name.clone(),
            }
        })
        .collect()
}

/// The names by method and path.
pub(crate) fn named(routes: &[Listed], dialect: Dialect) -> Names {
    let keys = routes.iter().map(|route| (route.method.clone(), route.path.clone()));
    keys.zip(of(routes, dialect)).collect()
}

fn verb(route: &Listed, is_read: bool) -> Option<&'static str> {
    match route.method {
        Method::GET if route.is_list => Some("list"),
        Method::GET => Some("get"),
        Method::PUT => Some("replace"),
        Method::PATCH => Some("update"),
        Method::DELETE => Some("delete"),
        _ if is_read => Some("create"),
        _ => None,
    }
}

fn words(path: &str, dialect: Dialect) -> Vec<&str> {
    let below = path.strip_prefix(dialect.prefix()).filter(|rest| rest.starts_with('/'));
    let beside = below.is_none().then_some("root");
    let rest = below.unwrap_or(path);
    let parts = rest.split(['/', ':']).filter(|part| !part.is_empty() && !part.starts_with('{'));
    beside.into_iter().chain(parts).collect()
}

pub(crate) fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Method, path: &str, is_list: bool) -> Listed {
        Listed { method, path: path.into(), right: None, is_list }
    }

    #[test]
    fn a_route_is_called_by_its_path_and_what_it_does() {
        let routes = [
            (Method::GET, "/api/v1/devices", true, "devices.list"),
            (Method::GET, "/api/v1/devices/{id}", false, "devices.get"),
            (Method::GET, "/api/v1/devices/{id}/power", false, "devices.power.get"),
            (Method::POST, "/api/v1/devices/{id}/power", false, "devices.power.create"),
            (Method::POST, "/api/v1/devices/{id}/release", false, "devices.release"),
            (
                Method::POST,
                "/api/v1/devices/{id}/actions:validate",
                false,
                "devices.actions.validate",
            ),
            (Method::POST, "/api/v1/devices/{id}/trips/clear", false, "devices.trips.clear"),
            (
                Method::POST,
                "/api/v1/devices/{id}/trips/{limit}/clear",
                false,
                "devices.trips.clear.by-limit",
            ),
            (Method::PUT, "/api/v1/retention", false, "retention.replace"),
            (Method::PATCH, "/api/v1/sites/{id}", false, "sites.update"),
            (Method::DELETE, "/api/v1/sites/{id}", false, "sites.delete"),
            (Method::GET, "/health", false, "root.health.get"),
        ];
        let listed: Vec<Listed> = routes
            .iter()
            .map(|(method, path, is_list, _)| route(method.clone(), path, *is_list))
            .collect();
        let expected: Vec<&str> = routes.iter().map(|(.., name)| *name).collect();
        assert_eq!(of(&listed, Dialect::V1), expected);
    }
}
