//! Readings through a real broker, with and without TLS.

use super::*;
use crate::config::Mqtt;
use crate::testing::pem::Authority;
use crate::testing::{Broker, soon};
use rumqttc::{AsyncClient, ConnectionError, Event};
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Publishes until the reading is there: a subscription may come after the first message.
async fn publish_until(rig: &mut Rig, broker: &Broker, message: &str, expected: Value) {
    loop {
        broker.publish("site/greenhouse-1", false, message).await;
        let values = rig.read_at(Moment::read(Clock));
        if values["greenhouse-1/temperature"] == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn readings_come_through_a_real_broker_and_again_after_its_restart() {
    let mut broker = Broker::start();
    let text = GREENHOUSE.replace("127.0.0.1:1883", &broker.address.to_string());
    let mut rig = Rig::new(&text);
    // It was kept by the broker before anybody listened: nobody knows its age.
    soon(broker.publish("site/greenhouse-1", true, &temperature("99"))).await;
    let mqtt: Mqtt = rig.config.mqtt.clone().unwrap();
    let filters = vec!["site/greenhouse-1".to_owned()];
    let listening = tokio::spawn(mqtt::listen(mqtt, filters, rig.door.clone(), Clock));
    soon(publish_until(&mut rig, &broker, &temperature("21.5"), Ok(21.5))).await;
    assert_eq!(rig.read_at(Moment::read(Clock))["retained"], Ok(1.0));
    // What is larger than a message may be is refused, and the next one is taken.
    soon(broker.publish("site/greenhouse-1", false, &"x".repeat(5000))).await;
    soon(broker.publish("site/greenhouse-1", false, &"x".repeat(9000))).await;
    soon(publish_until(&mut rig, &broker, &temperature("22.5"), Ok(22.5))).await;
    assert_eq!(rig.read_at(Moment::read(Clock))["oversized"], Ok(2.0));
    broker.restart();
    soon(publish_until(&mut rig, &broker, &temperature("23.5"), Ok(23.5))).await;
    listening.abort();
}

/// A listener that speaks TLS and wants a certificate and a password, and what fits it.
struct Secured {
    broker: Broker,
    address: SocketAddr,
    folder: TempDir,
}

impl Secured {
    fn start() -> Self {
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        let authority = Authority::new();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (server, client) = (authority.issue("127.0.0.1"), authority.issue("agent"));
        let ca = write("ca.pem", &authority.certificate());
        write("other-ca.pem", &Authority::new().certificate());
        let (certificate, key) =
            (write("server.pem", &server.certificate), write("server.key", &server.key));
        write("client.pem", &client.certificate);
        write("client.key", &client.key);
        write("password", "s3cret\n");
        write("other-password", "guess\n");
        let passwords = folder.path().join("passwords");
        let made = Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(&passwords)
            .args(["agent", "s3cret"])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous false\npassword_file {}\ncafile {}\n\
             certfile {}\nkeyfile {}\nrequire_certificate true\n",
            address.port(),
            passwords.display(),
            ca.display(),
            certificate.display(),
            key.display()
        );
        Self { broker: Broker::with(&text), address, folder }
    }

    /// The agent's configuration for it, with these files.
    fn config(&self, ca: &str, password: &str, certificate: bool) -> Sensors {
        let file = |name: &str| self.folder.path().join(name);
        let own = format!(
            "certificate_file = {:?}\nkey_file = {:?}\n",
            file("client.pem"),
            file("client.key")
        );
        config(&format!(
            "[mqtt]\nbroker = \"{}\"\nusername = \"agent\"\npassword_file = {:?}\n[mqtt.tls]\n\
             ca_file = {:?}\n{}[[sensor]]\nkey = \"greenhouse-1\"\n\
             topic = \"site/greenhouse-1\"\nreadings = [\"TEMPERATURE\"]\n",
            self.address,
            file(password),
            file(ca),
            if certificate { &own } else { "" }
        ))
    }

    /// What the broker says to a client of this configuration, or why it can't.
    async fn answer(&self, sensors: Sensors) -> String {
        let options = mqtt::options(&sensors.mqtt.unwrap());
        let (_client, mut events) = AsyncClient::new(options, 1);
        loop {
            match events.poll().await {
                Ok(Event::Incoming(packet)) => return format!("{packet:?}"),
                Ok(Event::Outgoing(_)) => {}
                // Not there yet.
                Err(ConnectionError::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return crate::logging::chain(&error),
            }
        }
    }
}

#[tokio::test]
async fn readings_come_through_a_broker_that_wants_tls_a_certificate_and_a_password() {
    let secured = Secured::start();
    let mut rig = Rig::of(secured.config("ca.pem", "password", true));
    assert!(!format!("{:?}", rig.config).contains("s3cret"));
    let filters = vec!["site/greenhouse-1".to_owned()];
    let mqtt = rig.config.mqtt.clone().unwrap();
    let listening = tokio::spawn(mqtt::listen(mqtt, filters, rig.door.clone(), Clock));
    soon(publish_until(&mut rig, &secured.broker, &temperature("21.5"), Ok(21.5))).await;
    listening.abort();
}

#[tokio::test]
async fn a_broker_that_is_not_the_one_and_one_that_refuses_are_told_apart() {
    let secured = Secured::start();
    for (ca, password, certificate, said) in [
        ("ca.pem", "password", true, "Success"),
        ("other-ca.pem", "password", true, "invalid peer certificate"),
        ("ca.pem", "other-password", true, "NotAuthorized"),
        ("ca.pem", "password", false, "ertificate"),
    ] {
        let answer = soon(secured.answer(secured.config(ca, password, certificate))).await;
        assert!(answer.contains(said), "{ca} {password} {certificate}: {answer}");
        assert!(!answer.contains("s3cret") && !answer.contains("guess"), "{answer}");
    }
}
