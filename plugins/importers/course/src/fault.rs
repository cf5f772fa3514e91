//! Why a package can't be imported, or why one file in it can't be read.

use flyball_plugin::{Diagnostic, Error, ErrorKind};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The host could not give the file.
    Read {
        path: String,
        message: String,
    },
    /// The file is no archive, or its directory is cut off.
    NotAnArchive {
        package: String,
        message: String,
    },
    /// The package does what an honest one has no need to do.
    Hostile {
        entry: String,
        why: Hostility,
    },
    /// One of its files is damaged.
    Damaged {
        entry: String,
        message: String,
    },
    Xml {
        entry: String,
        line: u32,
        column: u32,
        message: String,
    },
    /// A file that the format asks for.
    Missing {
        entry: String,
    },
    /// The format asks for more than is there.
    Malformed {
        entry: String,
        message: String,
    },
    /// The licence forbids what an import does.
    Licence(String),
    NoCourse(String),
    NoPart(String),
    /// Nothing in it could be made part of a course.
    Empty(String),
}

/// How an archive tries to harm who opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostility {
    Entries { found: u64, max: u64 },
    Directory { bytes: u64, max: u64 },
    EntryBytes { max: u64 },
    TotalBytes { max: u64 },
    Ratio { max: u64 },
    Name { max: usize },
    Path,
    Link,
    Encrypted,
    Method(u16),
    Twice,
    Overlap,
    Entities,
    Depth { max: usize },
    Nodes { max: u32 },
    TextBytes { max: usize },
}

impl Hostility {
    const fn kind(self) -> ErrorKind {
        match self {
            Self::Entries { .. }
            | Self::Directory { .. }
            | Self::EntryBytes { .. }
            | Self::TotalBytes { .. }
            | Self::Ratio { .. }
            | Self::Name { .. }
            | Self::Depth { .. }
            | Self::Nodes { .. }
            | Self::TextBytes { .. } => ErrorKind::Limit,
            Self::Encrypted | Self::Method(_) => ErrorKind::Unsupported,
            Self::Path | Self::Link | Self::Twice | Self::Overlap | Self::Entities => {
                ErrorKind::InvalidInput
            }
        }
    }
}

impl fmt::Display for Hostility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entries { found, max } => {
                write!(f, "the archive has {found} entries, more than {max}")
            }
            Self::Directory { bytes, max } => {
                write!(f, "the archive's directory has {bytes} bytes, more than {max}")
            }
            Self::EntryBytes { max } => write!(f, "it inflates to more than {max} bytes"),
            Self::TotalBytes { max } => {
                write!(f, "with it the package inflates to more than {max} bytes in all")
            }
            Self::Ratio { max } => write!(f, "it inflates to more than {max} times its size"),
            Self::Name { max } => write!(f, "its name has more than {max} bytes"),
            Self::Path => f.write_str("its path leads out of the package"),
            Self::Link => f.write_str("it is a link; packages with links are not imported"),
            Self::Encrypted => {
                f.write_str("it is encrypted; pack the course again without a password")
            }
            Self::Method(method) => {
                write!(f, "it is packed by method {method}; only stored and deflated are read")
            }
            Self::Twice => f.write_str("the archive has two entries of this name"),
            Self::Overlap => f.write_str("its bytes are those of another entry as well"),
            Self::Entities => {
                f.write_str("it declares entities of its own, which are not expanded")
            }
            Self::Depth { max } => write!(f, "its elements nest more than {max} deep"),
            Self::TextBytes { max } => {
                write!(f, "as a page it has more than {max} bytes")
            }
            Self::Nodes { max } => write!(f, "it has more than {max} elements and texts"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, message } => write!(f, "{path}: {message}"),
            Self::NotAnArchive { package, message } => {
                write!(f, "{package}: the file is no zip archive, or it is cut off: {message}")
            }
            Self::Hostile { entry, why } => write!(f, "{entry}: {why}"),
            Self::Damaged { entry, message } => write!(f, "{entry}: it is damaged: {message}"),
            Self::Xml { entry, line, column, message } => {
                write!(f, "{entry}: line {line}, column {column}: {message}")
            }
            Self::Missing { entry } => write!(f, "{entry}: the package lacks this file"),
            Self::Malformed { entry, message } => write!(f, "{entry}: {message}"),
            Self::Licence(licence) => write!(
                f,
                "the licence `{licence}` allows no derived work, such as an import; nothing was copied"
            ),
            Self::NoCourse(id) => write!(f, "there is no course `{id}` in these files"),
            Self::NoPart(id) => write!(f, "the course has no part `{id}`"),
            Self::Empty(package) => write!(f, "{package}: nothing in it could be imported"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let message = fault.to_string();
        match fault {
            Fault::Read { .. } => Self::new(ErrorKind::Upstream, message),
            Fault::Hostile { why, .. } => Self::new(why.kind(), message),
            Fault::Licence(_) => Self::new(ErrorKind::Denied, message),
            Fault::Xml { line, column, message: what, .. } => {
                Self::invalid(message, vec![Diagnostic::error("xml", what).at(line, column)])
            }
            Fault::NotAnArchive { .. }
            | Fault::Damaged { .. }
            | Fault::Missing { .. }
            | Fault::Malformed { .. }
            | Fault::NoCourse(_)
            | Fault::NoPart(_)
            | Fault::Empty(_) => Self::new(ErrorKind::InvalidInput, message),
        }
    }
}
