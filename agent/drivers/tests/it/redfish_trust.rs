//! Which certificate a BMC has to show, against the emulator with TLS.

use super::driven::{Driven, configuration, login};
use flyball_driver_messages::{Configuration, DriverKind, FaultKind, Trust};
use flyball_harness::counterparts::{RedfishBmc, RedfishOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use ring::digest::{SHA256, digest};
use std::fs;

/// An emulator with a certificate of an authority of its own.
struct Secured {
    bmc: RedfishBmc,
    authority: String,
    fingerprint: [u8; 32],
    _folder: tempfile::TempDir,
}

impl Secured {
    fn start(name: &str) -> Self {
        let issuer = issuer("authority of the rack");
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, private) =
            (folder.path().join("leaf.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, leaf.pem()).unwrap();
        fs::write(&private, key.serialize_pem()).unwrap();
        let options = RedfishOptions {
            tls: Some((certificate, private)),
            password: true,
            ..RedfishOptions::default()
        };
        Self {
            bmc: RedfishBmc::with(&options).unwrap(),
            authority: issuer.pem(),
            fingerprint: digest(&SHA256, leaf.der()).as_ref().try_into().unwrap(),
            _folder: folder,
        }
    }

    fn trusting(&self, trust: Trust) -> Configuration {
        let mut configuration = configuration(DriverKind::Redfish, &self.bmc.address());
        configuration.options.push(("system".into(), "node-a".into()));
        (configuration.trust, configuration.login) = (trust, login("admin", "password"));
        configuration
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[test]
fn the_named_authority_the_fingerprint_and_a_stated_risk_are_trusted() {
    let secured = Secured::start("127.0.0.1");
    let ways = [
        Trust::Authority(secured.authority.clone()),
        Trust::Fingerprint(secured.fingerprint),
        Trust::Insecure,
    ];
    for way in ways {
        let mut driven = Driven::connected(secured.trusting(way.clone()));
        assert_eq!(driven.value("chassis-intake-temp"), Ok(25.0), "{way:?}");
    }
}

#[test]
fn another_authority_and_another_fingerprint_are_not_and_hear_no_password() {
    let secured = Secured::start("127.0.0.1");
    let mut other = secured.fingerprint;
    other[0] ^= 1;
    for way in [Trust::Authority(issuer("somebody else").pem()), Trust::Fingerprint(other)] {
        let mut driven = Driven::start(secured.trusting(way));
        let fault = driven.fault();
        assert_eq!(fault.kind, FaultKind::Untrusted, "{fault:?}");
    }
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let secured = Secured::start("10.0.0.7");
    let mut driven = Driven::start(secured.trusting(Trust::Authority(secured.authority.clone())));
    assert_eq!(driven.fault().kind, FaultKind::Untrusted);
}

#[test]
fn an_https_address_without_trust_is_not_even_tried() {
    let secured = Secured::start("127.0.0.1");
    let mut driven = Driven::start(secured.trusting(Trust::Unstated));
    let fault = driven.fault();
    assert_eq!(fault.kind, FaultKind::Misconfigured);
    assert!(fault.message.contains("fingerprint"), "{fault:?}");
}
