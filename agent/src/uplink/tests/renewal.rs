//! Certificates that are due, renewed under traffic.

use super::*;
use crate::identity::CertificateAge;
use flyball_protocol::command::DeviceId;
use uuid::Uuid;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// With a certificate of 30 days, of which `days` are over.
fn rig_after(days: u64) -> Rig {
    let authority = Authority::new();
    let aggregator = Aggregator::listen(&authority);
    let identity = authority.identity_since(Clock.unix_ms() - days * DAY_MS, 30 * DAY_MS);
    let (unheard, _) = mpsc::channel(16);
    let runner = waiting_runner(unheard);
    Rig::who(identity, authority, aggregator, 1, RETRY_QUIC_MS, runner, |servers| servers)
}

async fn asked(peer: &mut Peer) -> Vec<u8> {
    peer.control(|message| match message {
        ControlUp::Renew { csr } => Some(csr),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_due_certificate_is_renewed_over_a_second_connection_and_nothing_is_lost() {
    let mut rig = rig_after(21);
    let mut first = rig.peer().await;
    first.entries(1).await;
    let csr = asked(&mut first).await;
    let device = first.device();
    let certificate = rig.authority.certify(&csr, device);
    first.say(&ControlDown::Renewed { certificate: certificate.to_vec() }).await;
    let mut second = rig.aggregator.accept().await;
    assert_eq!(second.connection.peer_certificate(), Some(certificate));
    assert_eq!(first.closed().await, close::DONE);
    let kept = Identity::load(rig.state.path()).unwrap();
    assert_eq!((kept.device, kept.age(Clock.unix_ms())), (device, CertificateAge::Current));
    second.welcome(&range(1, 1)).await;
    rig.append(1);
    assert_eq!(seqs(&second.entries(1).await.1, StreamKind::Fresh), [2]);
}

#[tokio::test]
async fn a_certificate_for_another_machine_or_key_is_not_taken() {
    let mut rig = rig_after(21);
    let mut peer = rig.peer().await;
    let csr = asked(&mut peer).await;
    let certificate = rig.authority.certify(&csr, DeviceId(Uuid::from_u128(9))).to_vec();
    peer.say(&ControlDown::Renewed { certificate }).await;
    peer.say(&ControlDown::Renewed { certificate: vec![1, 2, 3] }).await;
    rig.append(1);
    peer.entries(2).await;
    assert!(Identity::load(rig.state.path()).is_err(), "nothing was written");
}

#[tokio::test]
async fn a_refused_renewal_leaves_the_connection_and_the_certificate_as_they_are() {
    let mut rig = rig_after(21);
    let mut peer = rig.peer().await;
    asked(&mut peer).await;
    peer.say(&ControlDown::NotRenewed { reason: "not now".into() }).await;
    rig.append(1);
    peer.entries(2).await;
}

#[tokio::test]
async fn who_is_still_here_says_so() {
    let rig = rig_after(1);
    let mut peer = rig.peer().await;
    peer.say(&ControlDown::Echo { number: 7 }).await;
    let told = peer.control(|message| match message {
        ControlUp::Echo { number } => Some(number),
        _ => None,
    });
    assert_eq!(told.await, 7);
}

#[tokio::test]
async fn a_young_certificate_is_left_alone() {
    let mut rig = rig_after(19);
    let mut peer = rig.peer().await;
    peer.control(|message| match message {
        ControlUp::Renew { .. } => panic!("it has a day left until it is due"),
        ControlUp::Plugins(_) => Some(()),
        _ => None,
    })
    .await;
    rig.append(1);
    peer.entries(2).await;
}
