//! A plugin's messages through a real broker.

use super::*;
use crate::testing::pem::Authority;
use crate::testing::{Broker, soon};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::time::Duration;

fn brokers() -> Brokers {
    Brokers::new(crate::plugins::services::trust::believing(RootCertStore::empty()).unwrap())
}

fn plugin() -> PluginId {
    PluginId("mqtt-json".into())
}

fn address(broker: &Broker) -> BrokerAddress {
    BrokerAddress::parse(&format!("mqtt://{}", broker.address)).unwrap()
}

/// Publishes until something can be taken: the subscription may come after the first message.
async fn take_until(brokers: &mut Brokers, broker: &Broker, payload: &str) -> Vec<Message> {
    loop {
        broker.publish("site/lab/climate", false, payload).await;
        if let Ok(taken) = brokers.take(&plugin(), 10)
            && !taken.is_empty()
        {
            return taken;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_plugin_takes_what_came_and_goes_on_after_the_broker_was_away() {
    let mut broker = Broker::start();
    let mut brokers = brokers();
    // The broker kept it before anybody listened: nobody knows its age.
    soon(broker.publish("site/attic/climate", true, "99")).await;
    let filters = || vec!["site/+/climate".to_owned()];
    brokers.subscribe(&plugin(), address(&broker), filters()).unwrap();
    let taken = soon(take_until(&mut brokers, &broker, "21.5")).await;
    let expected = Message { topic: "site/lab/climate".into(), payload: b"21.5".to_vec() };
    assert_eq!(taken, [expected]);
    // The same again is the same connection.
    brokers.subscribe(&plugin(), address(&broker), filters()).unwrap();
    assert_eq!(brokers.plugins[&plugin()].connections.len(), 1);
    broker.stop();
    let failure = soon(async {
        loop {
            if let Err(failure) = brokers.take(&plugin(), 10) {
                return failure;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(failure.kind, FailureKind::Upstream);
    assert!(failure.message.contains("is away"), "{}", failure.message);
    broker.restart();
    let taken = soon(take_until(&mut brokers, &broker, "22.5")).await;
    assert_eq!(taken[0].payload, b"22.5");
    // Gone is gone, with what had come for it.
    brokers.forget(&plugin());
    assert_eq!(brokers.take(&plugin(), 10).unwrap_err().kind, FailureKind::InvalidInput);
}

#[tokio::test]
async fn bounds_and_wrong_filters_are_refused_by_name() {
    let mut brokers = brokers();
    let broker = |port: u16| BrokerAddress::parse(&format!("mqtt://127.0.0.1:{port}")).unwrap();
    let mut ask = |port, filters: &[&str]| {
        let filters = filters.iter().map(|&filter| filter.to_owned()).collect();
        brokers.subscribe(&plugin(), broker(port), filters).map_err(|failure| failure.message)
    };
    for wrong in ["", "a/#/b", "a+", "#a", "a\0b"] {
        let why = ask(1, &[wrong]).unwrap_err();
        assert!(why.contains("is no filter"), "{wrong:?}: {why}");
    }
    assert!(ask(1, &[]).unwrap_err().contains("1 to 64"));
    assert!(ask(1, &["a"; 65]).unwrap_err().contains("1 to 64"));
    for port in 1..=4 {
        ask(port, &["a"]).unwrap();
    }
    assert_eq!(ask(5, &["a"]).unwrap_err(), "a plugin listens to 4 brokers at most");
}

#[tokio::test]
async fn a_broker_with_tls_and_a_login_is_believed_by_the_machines_authorities() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let issued = authority.issue("127.0.0.1");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) =
        (write("server.pem", &issued.certificate), write("server.key", &issued.key));
    let passwords = folder.path().join("passwords");
    let mut made = std::process::Command::new("mosquitto_passwd");
    made.args(["-b", "-c"]).arg(&passwords).args(["plugin", "s3cret"]);
    assert!(made.stderr(std::process::Stdio::null()).status().unwrap().success());
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let broker = Broker::with(&format!(
        "listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {}\ncertfile {}\nkeyfile {}\n",
        passwords.display(),
        certificate.display(),
        key.display()
    ));
    let listening = |login: &str, authority: &Authority| {
        let mut roots = RootCertStore::empty();
        let pem = authority.certificate();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let mut brokers = Brokers::new(crate::plugins::services::trust::believing(roots).unwrap());
        let address = BrokerAddress::parse(&format!("mqtts://{login}@127.0.0.1:{port}")).unwrap();
        brokers.subscribe(&plugin(), address, vec!["site/#".to_owned()]).unwrap();
        brokers
    };
    let mut brokers = listening("plugin:s3cret", &authority);
    let taken = soon(take_until(&mut brokers, &broker, "21.5")).await;
    assert_eq!(taken[0].payload, b"21.5");
    // A wrong word, and a broker of somebody else's authority, give nothing but the reason.
    for mut brokers in
        [listening("plugin:guess", &authority), listening("plugin:s3cret", &Authority::new())]
    {
        let failure = soon(async {
            loop {
                if let Err(failure) = brokers.take(&plugin(), 10) {
                    return failure;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        assert_eq!(failure.kind, FailureKind::Upstream, "{}", failure.message);
        assert!(!failure.message.contains("guess"), "{}", failure.message);
    }
}
