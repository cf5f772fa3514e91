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
