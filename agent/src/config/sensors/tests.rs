//! The operator's file: what it becomes, and how its faults are said.

use super::*;

fn load(text: &str) -> Result<Sensors, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    fs::write(&path, text).unwrap();
    Sensors::load(Some(&path)).map_err(|error| match error {
        ConfigError::Settings { source, .. } => source.to_string(),
        error => error.to_string(),
    })
}

#[test]
fn a_file_becomes_sensors_and_their_doors() {
    let sensors = load(
        "[mqtt]\nbroker = \"127.0.0.1:1883\"\n[http]\nlisten = \"127.0.0.1:8768\"\n\
         [[sensor]]\nkey = \"greenhouse-1\"\ntopic = \"site/greenhouse-1/+\"\n\
         readings = [\"TEMPERATURE\", \"humidity\"]\nstale_after_s = 60\n\
         [[sensor]]\nkey = \"door\"\nname = \"Door, north\"\nreadings = [\"STATE\"]\n",
    )
    .unwrap();
    let [greenhouse, door] = &sensors.sensors[..] else { panic!("{sensors:?}") };
    assert_eq!(greenhouse.readings, [Kind::Temperature, Kind::Humidity]);
    assert_eq!(greenhouse.stale_after, Duration::from_secs(60));
    assert_eq!((door.name.as_str(), &door.topic), ("Door, north", &None));
    assert_eq!(door.stale_after, Duration::from_secs(300));
}

#[test]
fn no_file_is_no_sensor() {
    assert!(Sensors::load(None).unwrap().sensors.is_empty());
}

#[test]
fn every_fault_is_said_at_once() {
    let said = load(
        "[http]\nlisten = \"0.0.0.0:8768\"\n\
         [[sensor]]\nkey = \"A b\"\nreadings = []\n\
         [[sensor]]\nkey = \"x\"\ntopic = \"a/#/b\"\nreadings = [\"COLOUR\"]\nstale_after_s = 0\n\
         [[sensor]]\nkey = \"x\"\nreadings = [\"STATE\", \"state\"]\n",
    )
    .unwrap_err();
    for fault in [
        "give a token_file",
        "`A b` is no key",
        "sensor `A b`: readings names 1 to 8",
        "`a/#/b` is no topic filter",
        "`COLOUR` is none of TEMPERATURE",
        "stale_after_s is 0",
        "two sensors have the key `x`",
        "no [mqtt] has a broker",
        "state stands twice",
    ] {
        assert!(said.contains(fault), "{fault} is not in {said}");
    }
}

#[test]
fn an_unknown_key_and_a_missing_one_are_refused_by_name() {
    let table = "[[sensor]]\nkey = \"x\"\nreadings = [\"STATE\"]\n";
    assert!(load(&format!("{table}colour = 1\n")).unwrap_err().contains("colour"));
    assert!(load("[mqtt]\n").unwrap_err().contains("broker"));
    assert!(load("[http]\nlisten = \"x\"\n").unwrap_err().contains("listen"));
}

#[test]
fn secrets_are_read_from_files_and_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    fs::write(&secret, "s3cret\n").unwrap();
    let sensors = load(&format!(
        "[mqtt]\nbroker = \"127.0.0.1:1883\"\nusername = \"agent\"\npassword_file = {secret:?}\n"
    ))
    .unwrap();
    assert!(!format!("{sensors:?}").contains("s3cret"));
    let (_, password) = sensors.mqtt.unwrap().login.unwrap();
    assert_eq!(password.reveal(), "s3cret");
    let said = load("[http]\nlisten = \"127.0.0.1:1\"\ntoken_file = \"/nowhere\"\n");
    assert!(said.unwrap_err().contains("/nowhere cannot be read"));
}

#[test]
fn a_sensor_with_a_url_is_asked_and_needs_no_door() {
    let sensors = load(
        "[[sensor]]\nkey = \"cold\"\nurl = \"http://10.0.0.7/readings\"\nevery_s = 30\n\
         readings = [\"TEMPERATURE\"]\n",
    )
    .unwrap();
    let poll = sensors.sensors[0].poll.as_ref().unwrap();
    assert_eq!(
        (poll.url.to_string().as_str(), poll.every.as_secs()),
        ("http://10.0.0.7/readings", 30)
    );
}

#[test]
fn every_fault_of_asking_and_of_tls_is_said() {
    let said = load(
        "[mqtt]\nbroker = \"127.0.0.1:8883\"\n[mqtt.tls]\nca_file = \"/nowhere/ca.pem\"\n\
         [[sensor]]\nkey = \"a\"\nurl = \"10.0.0.7\"\nreadings = [\"STATE\"]\n\
         [[sensor]]\nkey = \"b\"\nurl = \"https://x/\"\nevery_s = 0\nreadings = [\"STATE\"]\n\
         [[sensor]]\nkey = \"c\"\nurl = \"http://x/\"\nevery_s = 300\nreadings = [\"STATE\"]\n\
         [[sensor]]\nkey = \"d\"\nurl = \"http://x/\"\ntopic = \"x\"\nreadings = [\"STATE\"]\n\
         [[sensor]]\nkey = \"e\"\nevery_s = 3\nreadings = [\"STATE\"]\n",
    )
    .unwrap_err();
    for fault in [
        "[mqtt.tls]: /nowhere/ca.pem is no PEM certificate",
        "sensor `a`: `10.0.0.7` can't be asked: write http://HOST",
        "sensor `b`: https needs a tls.ca_file",
        "sensor `b`: every_s is 0",
        "sensor `c`: it would be stale between two polls",
        "sensor `d` has a topic and a url",
        "sensor `e`: every_s, token_file and tls need a url",
    ] {
        assert!(said.contains(fault), "{fault} is not in {said}");
    }
}

#[test]
fn files_of_tls_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = crate::testing::pem::Authority::new();
    let other = crate::testing::pem::Authority::new();
    let (ours, theirs) = (authority.issue("client"), other.issue("client"));
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let ca = write("ca.pem", &authority.certificate());
    let (certificate, key) = (write("cert.pem", &ours.certificate), write("key.pem", &theirs.key));
    let mqtt = |tls: &str| load(&format!("[mqtt]\nbroker = \"127.0.0.1:8883\"\n[mqtt.tls]\n{tls}"));
    let sound = mqtt(&format!("ca_file = {ca:?}\n")).unwrap();
    assert!(sound.mqtt.unwrap().tls.is_some());
    for (tls, fault) in [
        (format!("ca_file = {key:?}\n"), "key.pem holds no PEM certificate"),
        (format!("ca_file = {ca:?}\ncertificate_file = {certificate:?}\n"), "come together"),
        (
            format!("ca_file = {ca:?}\ncertificate_file = {certificate:?}\nkey_file = {key:?}\n"),
            "don't fit",
        ),
        (
            format!("ca_file = {ca:?}\ncertificate_file = {certificate:?}\nkey_file = {ca:?}\n"),
            "ca.pem is no PEM key",
        ),
    ] {
        let said = mqtt(&tls).unwrap_err();
        assert!(said.contains(fault), "{fault} is not in {said}");
    }
}

#[test]
fn the_example_that_is_shipped_is_sound() {
    let shipped = Path::new("../packaging/config/agent.toml");
    let sensors = Sensors::load(Some(shipped)).unwrap();
    assert_eq!(sensors.sensors.len(), 3);
}
