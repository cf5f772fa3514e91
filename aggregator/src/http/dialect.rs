//! The dialects in which the same handlers are drawn, and how a path chooses one.

/// How a request's answer is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// `/api/v1`: `{data, meta, links}`, problems as `application/problem+json`.
    V1,
    /// `/api`, `/health` and everything else: named keys, problems as `application/json`.
    Flat,
    /// The Unix socket: `{status, data, error}`. No path chooses it, the carrier does.
    Ipc,
}

impl Dialect {
    pub(crate) fn of_path(path: &str) -> Self {
        match path.strip_prefix("/api/v1") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::V1,
            _ => Self::Flat,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Flat => "flat",
            Self::Ipc => "ipc",
        }
    }

    /// Where the dialect's resources hang.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::V1 | Self::Ipc => "/api/v1",
            Self::Flat => "/api",
        }
    }

    pub(crate) const fn problem_media_type(self) -> &'static str {
        match self {
            Self::V1 => "application/problem+json",
            Self::Flat | Self::Ipc => "application/json",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_under_api_v1_are_v1() {
        for (path, dialect) in [
            ("/api/v1/devices", Dialect::V1),
            ("/api/v1", Dialect::V1),
            ("/api/v10/devices", Dialect::Flat),
            ("/api/curricula", Dialect::Flat),
            ("/health", Dialect::Flat),
        ] {
            assert_eq!(Dialect::of_path(path), dialect, "{path}");
        }
    }
}
