//! Enrolment against an aggregator that each test scripts.

use super::*;
use crate::testing::{Aggregator, Authority};
use flyball_link::ConnectionError;
use flyball_protocol::command::CommandKey;
use flyball_protocol::message::ALPN_ENROL;
use tempfile::TempDir;
use uuid::Uuid;

struct Rig {
    authority: Authority,
    aggregator: Aggregator,
    folder: TempDir,
}

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0x17));

impl Rig {
    fn new() -> Self {
        let authority = Authority::new();
        let aggregator = Aggregator::enrolling(&authority);
        Self { authority, aggregator, folder: tempfile::tempdir().unwrap() }
    }

    fn enrolment(&self, token: String) -> Enrolment {
        Enrolment {
            state: self.state(),
            servers: vec![self.aggregator.address()],
            token,
            guard_pin: Some(self.pin()),
            name: Some("rack 3".into()),
            simulated: true,
            seal_spool: false,
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    fn pin(&self) -> PathBuf {
        self.folder.path().join("pin.toml")
    }

    fn accept(&self, request: EnrolRequest) -> EnrolReply {
        EnrolReply::Enrolled {
            device: DEVICE,
            certificate: self.authority.certify(&request.csr, DEVICE).to_vec(),
            authority: self.authority.certificate().to_vec(),
            command_key: CommandKey::from_bytes(&[7; 32]).public().to_hex(),
        }
    }

    /// Enrols while the aggregator answers with `answer`.
    async fn enrol(
        &self,
        answer: impl FnOnce(EnrolRequest) -> EnrolReply,
    ) -> Result<DeviceId, EnrolError> {
        let enrolment = self.enrolment(self.authority.token());
        let (enrolled, ()) = tokio::join!(enrol(enrolment), self.aggregator.enrol(answer));
        enrolled
    }

    fn nothing_was_left(&self) -> bool {
        !Identity::path(&self.state()).exists() && !self.pin().exists()
    }
}

#[tokio::test]
async fn a_token_becomes_identity_pin_and_settings() {
    let rig = Rig::new();
    let device = rig
        .enrol(|request| {
            assert_eq!(request.token, rig.authority.token());
            assert_eq!(request.machine.hostname, "rack 3");
            assert!(request.machine.simulated);
            rig.accept(request)
        })
        .await
        .unwrap();
    assert_eq!(device, DEVICE);
    assert_eq!(Identity::load(&rig.state()).unwrap().device, DEVICE);
    assert!(std::fs::read_to_string(rig.pin()).unwrap().contains(&DEVICE.to_string()));
    let settings = Settings::load(&rig.state()).unwrap();
    assert_eq!(settings.name.as_deref(), Some("rack 3"));
    assert_eq!(settings.servers, [rig.aggregator.address()]);
}

#[tokio::test]
async fn a_server_that_the_token_does_not_pin_is_never_shown_it() {
    let rig = Rig::new();
    let enrolment = rig.enrolment(Authority::new().token());
    let (enrolled, handshake) = tokio::join!(enrol(enrolment), rig.aggregator.refused());
    assert!(matches!(enrolled, Err(EnrolError::WrongAuthority { .. })), "{enrolled:?}");
    let ConnectionError::Quic(handshake) = handshake else { panic!("{handshake}") };
    assert!(matches!(handshake, quinn::ConnectionError::ConnectionClosed(_)), "{handshake}");
    assert!(rig.nothing_was_left());
}

#[tokio::test]
async fn a_used_token_is_refused_in_plain_words() {
    let rig = Rig::new();
    let error = rig.enrol(|_| EnrolReply::Refused(EnrolRefusal::UsedToken)).await.unwrap_err();
    assert!(matches!(error, EnrolError::Refused(EnrolRefusal::UsedToken)));
    assert!(error.to_string().contains("used already"), "{error}");
    assert!(rig.nothing_was_left());
}

#[tokio::test]
async fn a_certificate_that_is_not_ours_is_not_taken() {
    let rig = Rig::new();
    let foreign = KeyRequest::make("x").unwrap().csr;
    let error = rig.enrol(|request| rig.accept(EnrolRequest { csr: foreign, ..request })).await;
    assert!(matches!(error, Err(EnrolError::Local(_))), "{error:?}");
    assert!(rig.nothing_was_left());
}

#[tokio::test]
async fn an_enrolled_machine_is_not_enrolled_twice() {
    let rig = Rig::new();
    rig.enrol(|request| rig.accept(request)).await.unwrap();
    let error = enrol(rig.enrolment(rig.authority.token())).await.unwrap_err();
    assert!(matches!(error, EnrolError::AlreadyEnrolled { .. }), "{error}");
}

#[tokio::test]
async fn a_pin_that_cannot_be_written_costs_no_token() {
    let rig = Rig::new();
    let mut enrolment = rig.enrolment(rig.authority.token());
    enrolment.guard_pin = Some(rig.folder.path().join("no/such/folder/pin.toml"));
    let error = enrol(enrolment).await.unwrap_err();
    assert!(matches!(error, EnrolError::NotWritable { .. }), "{error}");
}

#[tokio::test]
async fn a_machine_enrols_over_tcp_where_udp_is_blocked() {
    let authority = Authority::new();
    let aggregator = Aggregator::without_udp(&authority, ALPN_ENROL).await;
    let rig = Rig { authority, aggregator, folder: tempfile::tempdir().unwrap() };
    assert_eq!(rig.enrol(|request| rig.accept(request)).await.unwrap(), DEVICE);
}

#[tokio::test]
async fn a_machine_enrols_with_the_first_aggregator_that_answers_and_keeps_all_of_them() {
    let rig = Rig::new();
    let dead = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dead: ServerAddress = dead.local_addr().unwrap().to_string().parse().unwrap();
    let mut enrolment = rig.enrolment(rig.authority.token());
    enrolment.servers.insert(0, dead.clone());
    let (enrolled, ()) =
        tokio::join!(enrol(enrolment), rig.aggregator.enrol(|request| rig.accept(request)));
    assert_eq!(enrolled.unwrap(), DEVICE);
    let settings = Settings::load(&rig.state()).unwrap();
    assert_eq!(settings.servers, [dead, rig.aggregator.address()]);
}
