//! Each counterpart gets ready, answers as its kind does, and is gone when it is dropped.

use flyball_harness::counterparts::{
    BmcSensor, Broker, CoolingUnit, CounterpartError, IpmiBmc, Program, RedfishBmc, RedfishOptions,
    Register, Running, SnmpAgent, Ups, Walk,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// Asks one line of a server and gives back its first line.
fn line(address: &str, question: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    writeln!(stream, "{question}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

fn is_alive(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    let program = Program::Debian { name: "flyball-no-such-program", package: "no-package" };
    let log = tempfile::NamedTempFile::new().unwrap();
    let error = Running::start(program, log.path().into(), |_| ()).unwrap_err();
    assert!(matches!(error, CounterpartError::Missing { .. }));
    assert!(error.to_string().contains("apt-get install no-package"), "{error}");
}

#[test]
fn a_program_that_ends_at_its_start_is_an_error_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let shell = Program::Debian { name: "sh", package: "dash" };
    let mut process = Running::start(shell, folder.path().join("log"), |command| {
        command.args(["-c", "echo no such board; exit 3"]);
    })
    .unwrap();
    let error = process.wait_until(|| false).unwrap_err();
    assert!(error.to_string().contains("no such board"), "{error}");
}

#[test]
fn the_ups_says_what_it_was_set_to_and_ends_with_its_value() {
    let ups = Ups::start().unwrap();
    assert_eq!(line(&ups.address(), "GET VAR ups ups.status"), "VAR ups ups.status \"OL\"");
    ups.set_status("OB DISCHRG").unwrap();
    ups.set("battery.charge", "83").unwrap();
    assert_eq!(line(&ups.address(), "GET VAR ups ups.status"), "VAR ups ups.status \"OB DISCHRG\"");
    ups.force_shutdown().unwrap();
    assert_eq!(
        line(&ups.address(), "GET VAR ups ups.status"),
        "VAR ups ups.status \"FSD OB DISCHRG\""
    );
    let pids = [ups.driver().pid(), ups.server().pid()];
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    drop(ups);
    assert!(pids.iter().all(|pid| !is_alive(*pid)));
}

#[test]
fn the_ipmi_bmc_shows_its_sensors_and_switches_its_chassis() {
    let bmc = IpmiBmc::start().unwrap();
    let address = bmc.address();
    let (_, port) = address.split_once(':').unwrap();
    let login = ["-I", "lanplus", "-H", "127.0.0.1", "-p", port, "-C", "3", "-P", "test"];
    let tool =
        |words: &[&str]| output("ipmitool", &[&login[..], &["-U", IpmiBmc::USER], words].concat());
    assert!(tool(&["sdr"]).contains("CPU1 Temp        | 45 degrees C"), "{}", tool(&["sdr"]));
    assert!(!bmc.is_on());
    tool(&["chassis", "power", "on"]);
    assert!(bmc.is_on());
    bmc.ignore_orders(true).unwrap();
    tool(&["chassis", "power", "off"]);
    assert!(bmc.is_on());
    assert_eq!(bmc.orders(), ["power=1", "power=0"]);
    bmc.set(BmcSensor::Inlet, 47).unwrap();
    let inlet = || tool(&["sdr", "get", BmcSensor::Inlet.name()]).contains(": 47 ");
    assert!((0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        inlet()
    }));
}

#[test]
fn the_redfish_bmc_answers_with_and_without_a_password() {
    let path = format!("/redfish/v1/Systems/{}", RedfishBmc::NODE_A);
    let open = RedfishBmc::start().unwrap();
    let mut answer = ureq::get(format!("{}{path}", open.address())).call().unwrap();
    let system: serde_json::Value = answer.body_mut().read_json().unwrap();
    assert_eq!(system["PowerState"], "Off");

    let shut = RedfishOptions { password: true, ..RedfishOptions::default() };
    let shut = RedfishBmc::with(&shut).unwrap();
    let ask = |login: &str| {
        ureq::get(format!("{}{path}", shut.address()))
            .header("authorization", format!("Basic {login}"))
            .config()
            .http_status_as_error(false)
            .build()
            .call()
            .unwrap()
            .status()
            .as_u16()
    };
    // `admin:password` and `admin:passwort`.
    assert_eq!(ask("YWRtaW46cGFzc3dvcmQ="), 200);
    assert_eq!(ask("YWRtaW46cGFzc3dvcnQ="), 401);
}

#[test]
fn the_snmp_agent_gives_back_an_outlet_that_was_set() {
    let agent = SnmpAgent::start(Walk::Apc7902).unwrap();
    let address = agent.address();
    let outlet = "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.4";
    let v2 = ["-v2c", "-c", SnmpAgent::COMMUNITY, "-Oqv", &address, outlet];
    assert_eq!(output("snmpget", &v2).trim(), "2");
    assert_eq!(output("snmpset", &[&v2[..], &["i", "1"]].concat()).trim(), "1");
    assert_eq!(output("snmpget", &v2).trim(), "1");
    let v3 = ["-v3", "-l", "authPriv", "-u", SnmpAgent::USER, "-a", "SHA", "-x", "AES"];
    let keys = ["-A", SnmpAgent::AUTHENTICATION_KEY, "-X", SnmpAgent::PRIVACY_KEY];
    let context = ["-n", SnmpAgent::COMMUNITY, "-Oqv", &address, outlet];
    assert_eq!(output("snmpget", &[&v3[..], &keys[..], &context[..]].concat()).trim(), "1");
}

#[test]
fn the_eaton_ups_speaks_the_standard_mib() {
    let agent = SnmpAgent::start(Walk::Eaton93e).unwrap();
    let address = agent.address();
    let ask = ["-v2c", "-c", SnmpAgent::COMMUNITY, "-Oqv", &address, "1.3.6.1.2.1.33.1.2.4.0"];
    assert_eq!(output("snmpget", &ask).trim(), "100");
}

#[test]
fn the_cooling_unit_has_the_registers_that_it_was_given() {
    let unit = CoolingUnit::start(&[Register::U16 { at: 1, value: 245 }]).unwrap();
    let mut stream = TcpStream::connect(unit.address()).unwrap();
    // Transaction 7, unit 1, function 3, one register from 1 (MODBUS Messaging on TCP/IP, 3.1.3).
    stream.write_all(&[0, 7, 0, 0, 0, 6, 1, 3, 0, 1, 0, 1]).unwrap();
    let mut answer = [0; 11];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0, 7, 0, 0, 0, 5, 1, 3, 2, 0, 245]);
}

#[test]
fn the_broker_takes_a_client() {
    let broker = Broker::start().unwrap();
    let mut stream = TcpStream::connect(broker.address()).unwrap();
    // CONNECT of MQTT 3.1.1 with a clean session and the client id `t` (2.2 and 3.1).
    stream.write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01t").unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x20, 2, 0, 0]);
}
