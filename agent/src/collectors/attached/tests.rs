//! Attached sensors over the door, over HTTP and over a real broker.

use super::door::Origin;
use super::*;
use crate::config::{Http, Mqtt, Sensors};
use crate::testing::soon;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn readings_are_posted_over_http_with_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken\n").unwrap();
    let address = free_address();
    let mut rig = Rig::new(&format!(
        "[http]\nlisten = \"{address}\"\ntoken_file = {token:?}\n\
         [[sensor]]\nkey = \"door\"\nreadings = [\"STATE\"]\n"
    ));
    let http: Http = rig.config.http.clone().unwrap();
    let listening = tokio::spawn(http::listen(http, rig.door.clone(), Clock));
    let body = "{\"device\":\"door\",\"reading_type\":\"STATE\",\"value\":1}";
    let post = |path: &str, token: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let large = format!("{:5000}", "1");
    for (request, status) in [
        (post("/readings", "t0ken", body), "202"),
        (post("/readings", "other", body), "401"),
        (post("/elsewhere", "t0ken", body), "400"),
        (post("/readings", "t0ken", "{}"), "422"),
        (post("/readings", "t0ken", &body.replace("door", "gate")), "404"),
        (post("/readings", "t0ken", &large), "413"),
        ("GET /readings HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("\u{16}\u{3}\u{1}".to_owned() + "\r\n\r\n", "400"),
        (post("/readings", "t0ken", body).replace("Content-Length", "X-Length"), "400"),
    ] {
        let response = soon(ask(address, &request)).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{request} {response}");
    }
    listening.abort();
    let values = rig.read_at(Moment::read(Clock));
    assert_eq!(values["door/state"], Ok(1.0));
    assert_eq!((values["unauthorized"], values["oversized"]), (Ok(1.0), Ok(1.0)));
    assert_eq!(values["bad_request"], Ok(4.0));
}

/// A mosquitto of the test's own, ended with it.
struct Broker {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let process = Self::spawn(folder.path(), address);
        Self { process, address, _folder: folder }
    }

    fn spawn(folder: &Path, address: SocketAddr) -> Child {
        let file = folder.join("mosquitto.conf");
        let port = address.port();
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n");
        std::fs::write(&file, text).unwrap();
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
    fn restart(&mut self) {
        self.stop();
        self.process = Self::spawn(self._folder.path(), self.address);
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn client(&self, id: &str) -> (AsyncClient, EventLoop) {
        AsyncClient::new(MqttOptions::new(id, "127.0.0.1", self.address.port()), 16)
    }

    /// Publishes as a sensor does, and waits until the broker has it.
    async fn publish(&self, topic: &str, retain: bool, message: &str) {
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
