//! Who holds a port, so that "in use" can say by whom.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};

/// The transport of a listening socket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A sentence about the holder where `address` can't be bound, `None` where it can.
pub(crate) fn obstacle(address: SocketAddr, transport: Transport) -> Option<String> {
    let bound = match transport {
        Transport::Tcp => TcpListener::bind(address).map(drop),
        Transport::Udp => UdpSocket::bind(address).map(drop),
    };
    let error = bound.err()?;
    let name = transport.name();
    Some(if error.kind() == std::io::ErrorKind::AddrInUse {
        let holder = holder(address.port(), transport)
            .unwrap_or_else(|| "a process of another user".to_owned());
        format!("{address}/{name} is in use by {holder}")
    } else {
        format!("{address}/{name} can't be used: {error}")
    })
}

/// The process that listens on `port`, as `name (pid N)`.
fn holder(port: u16, transport: Transport) -> Option<String> {
    let inodes: Vec<String> = ["", "6"]
        .iter()
        .filter_map(|family| {
            fs::read_to_string(format!("/proc/net/{}{family}", transport.name())).ok()
        })
        .flat_map(|table| {
            table.lines().skip(1).filter_map(|row| inode(row, port)).collect::<Vec<_>>()
        })
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let mut descriptors = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        let holds = descriptors.any(|fd| {
            fs::read_link(fd.path())
                .is_ok_and(|target| inodes.iter().any(|inode| target.as_os_str() == inode.as_str()))
        });
        holds.then(|| {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            format!("{} (pid {pid})", name.trim())
        })
    })
}

/// The inode of a row of `/proc/net/tcp` or `udp` that is bound to `port` and not connected.
fn inode(row: &str, port: u16) -> Option<String> {
    let mut fields = row.split_whitespace();
    let local = fields.nth(1)?;
    let remote = fields.next()?;
    let bound = u16::from_str_radix(local.rsplit(':').next()?, 16).ok()?;
    let connected = !remote.ends_with(":0000");
    (bound == port && !connected).then(|| fields.nth(6).map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_names_its_holder() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = obstacle(listener.local_addr().unwrap(), Transport::Tcp).unwrap();
        assert!(text.contains(&format!("(pid {})", std::process::id())), "{text}");
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let text = obstacle(socket.local_addr().unwrap(), Transport::Udp).unwrap();
        assert!(text.contains(&format!("(pid {})", std::process::id())), "{text}");
    }

    #[test]
    fn a_free_port_is_no_obstacle() {
        assert_eq!(obstacle("127.0.0.1:0".parse().unwrap(), Transport::Tcp), None);
    }
}
