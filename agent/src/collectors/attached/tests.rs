//! Attached sensors over the door; below it over HTTP and over a real broker.

mod broker;
mod polled;
mod posted;

use super::door::Origin;
use super::*;
use crate::config::Sensors;
use crate::testing::free_address;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;

/// A configuration as an operator writes it.
fn config(text: &str) -> Sensors {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Sensors::load(Some(file.path())).unwrap()
}

const GREENHOUSE: &str = "
    [mqtt]
    broker = \"127.0.0.1:1883\"
    [http]
    listen = \"127.0.0.1:8768\"
    [[sensor]]
    key = \"greenhouse-1\"
    topic = \"site/greenhouse-1\"
    readings = [\"TEMPERATURE\", \"HUMIDITY\"]
    stale_after_s = 60
    [[sensor]]
    key = \"door\"
    readings = [\"STATE\", \"TEMPERATURE\"]
";

/// Both ends and the list of series between them.
struct Rig {
    attached: Attached,
    door: Arc<Door>,
    equipment: watch::Receiver<Vec<Equipment>>,
    book: Book,
    config: Sensors,
    begin: Moment,
}

impl Rig {
    fn new(text: &str) -> Self {
        Self::of(config(text))
    }

    fn of(config: Sensors) -> Self {
        let (mut attached, listeners) = open(config.clone());
        let mut book = Book::default();
        attached.announce(&mut book);
        let Listeners { door, equipment, .. } = listeners;
        let begin = Moment::read(Clock);
        Self { attached, door: Arc::new(door), equipment, book, config, begin }
    }

    fn after(&self, seconds: u64) -> Moment {
        let Moment { now, unix_ms } = self.begin;
        Moment { now: now + Duration::from_secs(seconds), unix_ms: unix_ms + 1000 * seconds }
    }

    /// Takes a message of a topic at `seconds`.
    fn publish(&self, seconds: u64, topic: &str, message: &str) -> Result<(), Cause> {
        self.door.take(Origin::Topic(topic), message.as_bytes(), self.after(seconds).now)
    }

    fn post(&self, seconds: u64, message: &str) -> Result<(), Cause> {
        self.door.take(Origin::Http, message.as_bytes(), self.after(seconds).now)
    }

    /// Every reading at `seconds` by its `hw.id`.
    fn read(&mut self, seconds: u64) -> BTreeMap<String, Value> {
        let moment = self.after(seconds);
        self.read_at(moment)
    }

    fn read_at(&mut self, moment: Moment) -> BTreeMap<String, Value> {
        let mut samples = Vec::new();
        let mut tick = Tick::over(&mut samples, self.book.series.len());
        self.attached.read(&mut tick, moment);
        let named = samples.iter().zip(&self.book.series).map(|(sample, series)| {
            let last = ["hw.id", "error.type"];
            let (_, name) =
                series.attributes.iter().find(|(key, _)| last.contains(&key.as_str())).unwrap();
            (name.clone(), sample.value)
        });
        named.collect()
    }

    fn states(&self) -> Vec<EquipmentState> {
        self.equipment.borrow().iter().map(|equipment| equipment.state.clone()).collect()
    }
}

fn temperature(value: &str) -> String {
    format!("{{\"reading_type\": \"TEMPERATURE\", \"value\": {value}}}")
}

#[test]
fn every_reading_is_a_series_of_its_equipment() {
    let rig = Rig::new(GREENHOUSE);
    let series = &rig.book.series[1];
    assert_eq!((series.metric.as_str(), series.unit), ("hw.humidity", Unit::Percent));
    let attribute = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        series.attributes,
        [
            attribute("flyball.equipment", "greenhouse-1"),
            attribute("hw.id", "greenhouse-1/humidity"),
            attribute("hw.name", "greenhouse-1"),
            attribute("hw.type", "sensor"),
        ]
    );
}

#[test]
fn readings_come_by_topic_and_by_key_and_grow_old() {
    let mut rig = Rig::new(GREENHOUSE);
    let before = rig.read(0);
    assert_eq!(before["greenhouse-1/temperature"], Err(NoData::Missing));
    assert!(rig.states().iter().all(|state| *state == EquipmentState::Connecting));
    let both = "[{\"device\": \"greenhouse-1\", \"reading_type\": \"temperature\", \
                 \"value\": -4.25, \"unit\": \"Cel\", \"battery\": 3.1}, \
                 {\"reading_type\": \"HUMIDITY\", \"value\": 61, \"unit\": \"%\"}]";
    assert_eq!(rig.publish(10, "site/greenhouse-1", both), Ok(()));
    let door = "{\"device\": \"door\", \"reading_type\": \"STATE\", \"value\": true}";
    assert_eq!(rig.post(10, door), Ok(()));
    let values = rig.read(11);
    assert_eq!(values["greenhouse-1/temperature"], Ok(-4.25));
    assert_eq!(values["greenhouse-1/humidity"], Ok(61.0));
    assert_eq!(values["door/state"], Ok(1.0));
    assert_eq!(values["door/temperature"], Err(NoData::Missing));
    assert!(rig.states().iter().all(|state| *state == EquipmentState::Connected));
    assert_eq!(rig.read(69)["greenhouse-1/temperature"], Ok(-4.25));
    assert_eq!(rig.read(70)["greenhouse-1/temperature"], Err(NoData::Stale));
    let since_ms = rig.after(10).unix_ms;
    let reason = "nothing has come for 60 s".to_owned();
    assert_eq!(rig.states()[0], EquipmentState::Unreachable { since_ms, reason });
    assert_eq!(rig.publish(80, "site/greenhouse-1", &temperature("20")), Ok(()));
    assert_eq!(rig.read(81)["greenhouse-1/humidity"], Err(NoData::Stale));
    assert_eq!(rig.states()[0], EquipmentState::Connected);
}

#[test]
fn what_was_not_agreed_is_counted_by_its_cause() {
    let mut rig = Rig::new(GREENHOUSE);
    let reading = |kind: &str, value: &str, unit: &str| {
        format!("{{\"reading_type\": \"{kind}\", \"value\": {value}, \"unit\": \"{unit}\"}}")
    };
    let topic = "site/greenhouse-1";
    let cases = [
        (topic, "21.5".to_owned(), Cause::NotJson),
        (topic, String::new(), Cause::NotJson),
        (topic, "{\"value\": 3}".into(), Cause::NotJson),
        (topic, temperature("1e999"), Cause::NotJson),
        (topic, temperature("NaN"), Cause::NotJson),
        (topic, temperature("null"), Cause::NotANumber),
        (topic, temperature("\"NaN\""), Cause::NotANumber),
        (topic, temperature("true"), Cause::NotANumber),
        (topic, temperature("-127"), Cause::OutOfRange),
        (topic, format!("{:4097}", "1"), Cause::Oversized),
        (topic, reading("TEMPERATURE", "70", "[degF]"), Cause::WrongUnit),
        (topic, reading("HUMIDITY", "0.5", "1"), Cause::WrongUnit),
        (topic, reading("PRESSURE", "1", "Pa"), Cause::UnknownReadingType),
        (topic, reading("COLOUR", "1", "1"), Cause::UnknownReadingType),
        (topic, reading("POWER", "1", "W"), Cause::UnknownReadingType),
        ("site/other", temperature("1"), Cause::UnknownTopic),
        (topic, temperature("1").replacen('{', "{\"device\": \"door\",", 1), Cause::UnknownDevice),
    ];
    for (topic, message, cause) in &cases {
        assert_eq!(rig.publish(0, topic, message), Err(*cause), "{message}");
    }
    // Without a device nobody knows whose it is, and a sensor of the broker is not taken here.
    assert_eq!(rig.post(0, &temperature("1")), Err(Cause::UnknownDevice));
    let other = temperature("1").replacen('{', "{\"device\": \"greenhouse-1\",", 1);
    assert_eq!(rig.post(0, &other), Err(Cause::UnknownDevice));
    let values = rig.read(1);
    for (name, count) in [
        ("not_json", 5.0),
        ("not_a_number", 3.0),
        ("oversized", 1.0),
        ("wrong_unit", 2.0),
        ("unknown_reading_type", 3.0),
        ("unknown_topic", 1.0),
        ("unknown_device", 3.0),
        ("out_of_range", 1.0),
        ("busy", 0.0),
    ] {
        assert_eq!(values[name], Ok(count), "{name}");
    }
    // An implausible value is a reading too: that there is none.
    assert_eq!(values["greenhouse-1/temperature"], Err(NoData::OutOfRange));
}

#[test]
fn a_flood_is_refused_and_costs_nothing_that_was_taken() {
    let mut rig = Rig::new(GREENHOUSE);
    let outcomes = (0..2 * MAX_ARRIVED).map(|number| {
        rig.publish(0, "site/greenhouse-1", &temperature(&format!("{}", number % 40)))
    });
    let refused = outcomes.filter(|outcome| *outcome == Err(Cause::Busy)).count();
    assert_eq!(refused, MAX_ARRIVED);
    let values = rig.read(1);
    assert_eq!(values["busy"], Ok(float(MAX_ARRIVED as u64)));
    assert!(values["greenhouse-1/temperature"].is_ok());
    assert_eq!(rig.publish(2, "site/greenhouse-1", &temperature("7")), Ok(()));
    assert_eq!(rig.read(3)["greenhouse-1/temperature"], Ok(7.0));
}

proptest::proptest! {
    #[test]
    fn no_message_is_a_value_that_is_none(
        device in proptest::option::of("greenhouse-1|door|.{0,8}"),
        kind in "TEMPERATURE|humidity|STATE|[A-Z]{0,9}",
        value in "-?[0-9]{1,25}(\\.[0-9]{1,25})?(e-?[0-9]{1,4})?|true|null|\"[^\"]{0,5}\"|.{0,9}",
        unit in proptest::option::of("Cel|%|1|°C|.{0,4}"),
        cut in 0_usize..200,
    ) {
        let mut rig = Rig::new(GREENHOUSE);
        let field = |name: &str, text: Option<String>| {
            text.map(|text| format!("\"{name}\":{text:?},")).unwrap_or_default()
        };
        let (device, unit) = (field("device", device), field("unit", unit));
        let message = format!("{{{device}{unit}\"reading_type\":{kind:?},\"value\":{value}}}");
        let cut = message.floor_char_boundary(cut);
        for (topic, message) in [("site/greenhouse-1", &message[..]), ("x", &message[..cut])] {
            let taken = rig.publish(0, topic, message);
            let posted = rig.post(0, message);
            proptest::prop_assert!(topic != "x" || taken.is_err());
            proptest::prop_assert!(!(taken.is_ok() && posted.is_ok()), "taken at both doors");
        }
        let values = rig.read(1);
        let within = |id: &str, low: f64, high: f64| {
            values[id].is_err() || values[id].is_ok_and(|value| value >= low && value <= high)
        };
        proptest::prop_assert!(within("greenhouse-1/temperature", -100.0, 1_000.0));
        proptest::prop_assert!(within("greenhouse-1/humidity", 0.0, 100.0));
        proptest::prop_assert!(within("door/state", 0.0, 255.0));
    }
}
