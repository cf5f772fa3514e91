//! `equipment.toml`: the equipment that this machine manages, parsed once, every fault with its
//! line.
//!
//! ```toml
//! [[equipment]]
//! key = "bmc-1"
//! driver = "redfish"
//! address = "https://10.0.0.7"
//! ca = "/etc/flyball/bmc-ca.pem"      # or fingerprint = "…", or insecure = true
//! poll_s = 10
//! ```

use super::campaign::Times;
use super::credentials::is_name;
use crate::policy::Fault;
use crate::policy::table::{Reader, Table};
use flyball_driver_messages::{DriverKind, Point, PointForm, Trust};
use flyball_guard_messages::EquipmentKind;
use flyball_units::{Kind, Unit};
use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// More equipment of one machine is a mistake: each piece is a process and a thread.
const MAX_EQUIPMENT: usize = 64;
const MAX_POINTS: usize = 256;
/// No authority's certificates are longer.
const MAX_CA_BYTES: u64 = 64 * 1024;
/// What else begins an id in the guard.
const RESERVED: [&str; 4] = ["host", "guard", "machine", "powercap"];
const KINDS: [EquipmentKind; 6] = [
    EquipmentKind::Bmc,
    EquipmentKind::Pdu,
    EquipmentKind::Ups,
    EquipmentKind::Cooling,
    EquipmentKind::Sensor,
    EquipmentKind::Gpu,
];

/// One piece of equipment as the file has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Equipment {
    pub(crate) key: String,
    pub(crate) kind: EquipmentKind,
    pub(crate) driver: DriverKind,
    pub(crate) address: String,
    pub(crate) trust: Trust,
    /// The credential's name; `None` takes the one that is named as the equipment is, if any.
    pub(crate) credential: Option<String>,
    pub(crate) poll: Duration,
    pub(crate) timeout: Duration,
    /// A driver that says nothing for so long is ended.
    pub(crate) silence: Duration,
    /// How long a switch is watched, and how a verb is sent again.
    pub(crate) times: Times,
    pub(crate) options: Vec<(String, String)>,
    pub(crate) points: Vec<Point>,
}

/// Reads the file.
///
/// # Errors
/// All of its faults.
pub(crate) fn read(file: &Path) -> Result<Vec<Equipment>, Vec<String>> {
    let text = fs::read_to_string(file).map_err(|error| vec![error.to_string()])?;
    parse(&text).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// # Errors
/// All faults of the text.
pub(crate) fn parse(text: &str) -> Result<Vec<Equipment>, Vec<Fault>> {
    let reader = Reader::new(text);
    let mut equipment = Vec::new();
    if let Some(mut root) = reader.root() {
        equipment = root.tables("equipment", piece);
        root.finish();
    }
    let mut keys = BTreeSet::new();
    for piece in &equipment {
        if !keys.insert(piece.key.as_str()) {
            reader.fault_at_word(&piece.key, "this key stands twice; each piece has its own");
        }
    }
    if let Some(piece) = equipment.get(MAX_EQUIPMENT) {
        let message = format!("more than {MAX_EQUIPMENT} pieces of equipment");
        reader.fault_at_word(&piece.key, &message);
    }
    let faults = reader.into_faults();
    if faults.is_empty() { Ok(equipment) } else { Err(faults) }
}

fn piece(table: &mut Table<'_, '_>) -> Option<Equipment> {
    let key = table.required_text("key");
    if let Some(key) = &key
        && (!is_name(key) || key.contains('.') || RESERVED.contains(&key.as_str()))
    {
        table.fault(&format!(
            "`{key}` is no key: it has lower-case letters, digits, `-` and `_`, and is not one of {}",
            RESERVED.join(", ")
        ));
    }
    let driver = table.required_word("driver", &DriverKind::ALL.map(DriverKind::name));
    let driver = driver.and_then(DriverKind::from_name);
    let kind = table.word("kind", &KINDS.map(EquipmentKind::name));
    let kind = kind.and_then(|word| KINDS.into_iter().find(|kind| kind.name() == word));
    let address = table.text("address");
    let trust = trust(table);
    let credential = table.text("credential");
    if credential.as_ref().is_some_and(|name| !is_name(name)) {
        table.fault("`credential` is no name of a credential");
    }
    let poll = seconds(table, "poll_s", 1.0..=3600.0, 10.0);
    let timeout = seconds(table, "timeout_s", 0.5..=60.0, 5.0);
    let silence = seconds(table, "silence_s", 2.0..=3600.0, 120.0);
    let times = Times {
        observe: seconds(table, "observe_s", 0.1..=60.0, 5.0),
        resend: seconds(table, "resend_s", 0.2..=600.0, 30.0),
        give_up: seconds(table, "give_up_s", 0.5..=3600.0, 300.0),
    };
    let points = table.tables("point", point);
    if points.len() > MAX_POINTS {
        table.fault(&format!("more than {MAX_POINTS} [[equipment.point]] tables"));
    }
    let (key, driver) = (key?, driver?);
    if driver.is_networked() && address.is_none() {
        table.fault(&format!("`address` is missing: {} is reached over a network", driver.name()));
    }
    let options = driver.options().iter();
    let options = options.filter_map(|name| Some(((*name).to_owned(), table.text_or_whole(name)?)));
    let options = options.collect();
    Some(Equipment {
        key,
        kind: kind.unwrap_or(driver.equipment()),
        driver,
        address: address.unwrap_or_default(),
        trust,
        credential,
        poll,
        timeout,
        silence,
        times,
        options,
        points,
    })
}

fn trust(table: &mut Table<'_, '_>) -> Trust {
    let insecure = table.switch("insecure").unwrap_or(false);
    let fingerprint = table.text("fingerprint");
    let ca = table.text("ca");
    if usize::from(insecure) + usize::from(fingerprint.is_some()) + usize::from(ca.is_some()) > 1 {
        table.fault("only one of `ca`, `fingerprint` and `insecure` can be meant");
    }
    if let Some(text) = fingerprint {
        return match digest(&text) {
            Some(digest) => Trust::Fingerprint(digest),
            None => {
                table.fault("`fingerprint` needs the 64 hexadecimal digits of a SHA-256");
                Trust::Unstated
            }
        };
    }
    if let Some(path) = ca {
        return match certificates(Path::new(&path)) {
            Ok(pem) => Trust::Authority(pem),
            Err(cause) => {
                table.fault(&format!("`ca` {path} {cause}"));
                Trust::Unstated
            }
        };
    }
    if insecure { Trust::Insecure } else { Trust::Unstated }
}

fn certificates(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| format!("can't be read: {error}"))?.len();
    if length > MAX_CA_BYTES {
        return Err(format!("has more than {MAX_CA_BYTES} bytes"));
    }
    let pem = fs::read_to_string(path).map_err(|error| format!("can't be read: {error}"))?;
    if pem.contains("PRIVATE KEY") {
        return Err("holds a private key; give only certificates".to_owned());
    }
    if pem.contains("BEGIN CERTIFICATE") { Ok(pem) } else { Err("has no certificate".to_owned()) }
}

/// `AB:CD:…`, `sha256:abcd…`, `abcd…`.
fn digest(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let text = text.strip_prefix("sha256:").unwrap_or(text);
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16))
        .map(digit)
        .collect::<Option<_>>()?;
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

fn digit(digit: Option<u32>) -> Option<u8> {
    digit.and_then(|digit| u8::try_from(digit).ok())
}

fn seconds(
    table: &mut Table<'_, '_>,
    key: &'static str,
    range: RangeInclusive<f64>,
    default: f64,
) -> Duration {
    Duration::from_secs_f64(table.number(key, range).unwrap_or(default))
}

/// What of equipment that can't describe itself is read or steered.
fn point(table: &mut Table<'_, '_>) -> Option<Point> {
    let name = table.required_text("name");
    if name.as_ref().is_some_and(|name| !is_name(name)) {
        table.fault("`name` has lower-case letters, digits, `-`, `_` and `.` only");
    }
    let at = table.required_text("at");
    let kind = table.text("kind");
    let unit = table.text("unit");
    let scale = table.number("scale", -1e9..=1e9);
    let raw = -2_147_483_648.0..=4_294_967_295.0;
    let (on, off) = (table.number("on", raw.clone()), table.number("off", raw));
    let bounds = -1e9..=1e9;
    let (min, max) = (table.number("min", bounds.clone()), table.number("max", bounds));
    let known_kind = kind.as_deref().map(|word| (word, Kind::from_name(word)));
    if let Some((word, None)) = known_kind {
        table.fault(&format!("`{word}` is no kind of reading, such as temperature or power"));
    }
    let known_unit = unit.as_deref().map(|code| (code, Unit::from_ucum(code)));
    if let Some((code, None)) = known_unit {
        table.fault(&format!("`{code}` is no unit known here; UCUM writes Cel, W, V, A, {{rpm}}"));
    }
    let scale = scale.unwrap_or(1.0);
    let form = match (known_kind.and_then(|(_, kind)| kind), on, off, min, max) {
        (Some(kind), None, None, None, None) => {
            let unit = known_unit.and_then(|(_, unit)| unit);
            if unit.is_none() && known_unit.is_none() {
                table.fault("a sensor needs a `unit`");
            }
            PointForm::Sensor { kind, unit: unit?, scale }
        }
        #[expect(clippy::cast_possible_truncation, reason = "within the range that was checked")]
        (None, Some(on), Some(off), None, None) if on != off => {
            PointForm::Switch { on: on as i64, off: off as i64 }
        }
        (None, None, None, Some(min), Some(max)) if min < max => {
            let unit = known_unit.and_then(|(_, unit)| unit).unwrap_or(Unit::One);
            PointForm::Level { unit, scale, min, max }
        }
        _ => {
            table.fault(
                "a point is a sensor (`kind`, `unit`), a switch (`on`, `off`) or a level \
                 (`min`, `max`)",
            );
            return None;
        }
    };
    Some(Point { name: name?, at: at?, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, String)> {
        parse(text).unwrap_err().into_iter().map(|fault| (fault.line, fault.message)).collect()
    }

    #[test]
    fn a_piece_has_what_the_file_says_and_defaults_for_the_rest() {
        let text = "[[equipment]]\nkey = \"bmc-1\"\ndriver = \"redfish\"\n\
                    address = \"https://10.0.0.7\"\nsystem = \"node-a\"\ninsecure = true\n\
                    poll_s = 5\n";
        let equipment = parse(text).unwrap();
        let piece = &equipment[0];
        assert_eq!((piece.key.as_str(), piece.driver), ("bmc-1", DriverKind::Redfish));
        assert_eq!((piece.kind, &piece.trust), (EquipmentKind::Bmc, &Trust::Insecure));
        assert_eq!(piece.options, [("system".to_owned(), "node-a".to_owned())]);
        assert_eq!((piece.poll.as_secs(), piece.timeout.as_secs()), (5, 5));
        assert_eq!(piece.times.give_up.as_secs(), 300);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn the_example_that_is_shipped_is_sound() {
        let text = include_str!("../../../../packaging/config/equipment.toml");
        let keys: Vec<String> = parse(text).unwrap().into_iter().map(|piece| piece.key).collect();
        assert_eq!(keys, ["bmc-1", "bmc-2", "own-bmc", "crac-1", "node-7"]);
    }

    #[test]
    fn all_faults_are_found_in_one_reading_each_with_its_line() {
        let text = "[[equipment]]\nkey = \"Bad Key\"\ndriver = \"redfish\"\n\
                    [[equipment]]\nkey = \"pdu\"\ndriver = \"carrier-pigeon\"\naddress = \"x\"\n\
                    [[equipment]]\nkey = \"ups\"\ndriver = \"nut\"\naddress = \"x\"\npoll_s = 0\n\
                    [[equipment]]\nkey = \"ups\"\ndriver = \"nut\"\naddress = \"y\"\nfoo = 1\n";
        let found = faults(text);
        let has = |line: usize, words: &str| {
            found.iter().any(|(at, message)| *at == line && message.contains(words))
        };
        assert!(has(1, "is no key"), "{found:?}");
        assert!(has(1, "`address` is missing"), "{found:?}");
        assert!(has(6, "carrier-pigeon") || has(6, "needs one of"), "{found:?}");
        assert!(has(12, "poll_s"), "{found:?}");
        assert!(has(14, "twice"), "{found:?}");
        assert!(has(17, "`foo` is no key here"), "{found:?}");
    }

    #[test]
    fn options_are_those_of_the_driver() {
        let text = "[[equipment]]\nkey = \"b\"\ndriver = \"ipmi\"\naddress = \"x\"\ncipher = 3\n";
        assert_eq!(parse(text).unwrap()[0].options, [("cipher".to_owned(), "3".to_owned())]);
        let text = "[[equipment]]\nkey = \"b\"\ndriver = \"nut\"\naddress = \"x\"\ncipher = 3\n";
        assert!(faults(text)[0].1.contains("`cipher` is no key here"));
    }

    #[test]
    fn trust_is_stated_in_one_way() {
        let head = "[[equipment]]\nkey = \"b\"\ndriver = \"redfish\"\naddress = \"https://x\"\n";
        let digits = "AB:".repeat(31) + "cd";
        let parsed = parse(&format!("{head}fingerprint = \"sha256:{digits}\"\n")).unwrap();
        let mut wanted = [0xab; 32];
        wanted[31] = 0xcd;
        assert_eq!(parsed[0].trust, Trust::Fingerprint(wanted));
        for bad in [
            "fingerprint = \"abc\"\n",
            "ca = \"/nowhere/ca.pem\"\n",
            "insecure = true\nfingerprint = \"x\"\n",
        ] {
            assert!(parse(&format!("{head}{bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn points_are_sensors_switches_or_levels() {
        let head = "[[equipment]]\nkey = \"c\"\ndriver = \"modbus\"\naddress = \"x:502\"\n";
        let text = format!(
            "{head}[[equipment.point]]\nname = \"supply\"\nat = \"input:0:s16\"\n\
             kind = \"temperature\"\nunit = \"Cel\"\nscale = 0.1\n\
             [[equipment.point]]\nname = \"pump\"\nat = \"coil:3\"\non = 1\noff = 0\n\
             [[equipment.point]]\nname = \"setpoint\"\nat = \"holding:1\"\nunit = \"Cel\"\nmin = 16\nmax = 27\n"
        );
        let points = parse(&text).unwrap().remove(0).points;
        assert_eq!(points.len(), 3);
        let sensor = PointForm::Sensor { kind: Kind::Temperature, unit: Unit::Celsius, scale: 0.1 };
        assert_eq!(points[0].form, sensor);
        assert_eq!(points[1].form, PointForm::Switch { on: 1, off: 0 });
        for bad in ["on = 1\noff = 1\n", "kind = \"temperature\"\n", "kind = \"warmth\"\n", ""] {
            let text = format!("{head}[[equipment.point]]\nname = \"p\"\nat = \"x\"\n{bad}");
            assert!(parse(&text).is_err(), "{bad}");
        }
    }
}
