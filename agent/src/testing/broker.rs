//! A real broker of MQTT on loopback.

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A mosquitto of the test's own, ended with it.
pub(crate) struct Broker {
    process: Child,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Broker {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// A broker that takes sensors on its address, and has other listeners too.
    pub(crate) fn with(listeners: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let port = address.port();
        let text = format!(
            "per_listener_settings true\nuser root\nlistener {port} 127.0.0.1\n\
             allow_anonymous true\n{listeners}"
        );
        std::fs::write(folder.path().join("mosquitto.conf"), text).unwrap();
        let process = Self::spawn(folder.path());
        Self { process, address, folder }
    }

    fn spawn(folder: &Path) -> Child {
        let file = folder.join("mosquitto.conf");
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        Command::new("mosquitto")
            .arg("-c")
            .arg(&file)
            .env("PATH", path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is needed: apt-get install mosquitto")
    }

    /// The same broker after its end, with nothing that it had known.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.process = Self::spawn(self.folder.path());
    }

    pub(crate) fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn client(&self, id: &str) -> (AsyncClient, EventLoop) {
        AsyncClient::new(MqttOptions::new(id, "127.0.0.1", self.address.port()), 16)
    }

    /// Publishes as a sensor does, and waits until the broker has it.
    pub(crate) async fn publish(&self, topic: &str, retain: bool, message: &str) {
        let (client, mut events) = self.client("sensor");
        client.try_publish(topic, QoS::AtLeastOnce, retain, message).unwrap();
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::PubAck(_))) => return,
                Ok(_) => {}
                Err(_) => {
                    events.clean();
                    client.try_publish(topic, QoS::AtLeastOnce, retain, message).unwrap();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
