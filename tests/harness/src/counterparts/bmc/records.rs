//! The simulator's three files: sensor records (in `sdrcomp`'s words), its network side, and the
//! commands that build the controller.

use super::Chassis;
use std::fmt::Write as _;
use std::path::Path;

/// The name of the controller, and of its folder in the simulator's state.
pub(super) const NAME: &str = "edge1";

/// One analogue sensor: raw values are bytes, `m` is what a raw step means.
struct Analogue {
    number: u8,
    name: &'static str,
    class: &'static str,
    unit: &'static str,
    m: u8,
    below: bool,
}

const ANALOGUES: [Analogue; 4] = [
    Analogue {
        number: 1,
        name: "CPU1 Temp",
        class: "Temperature",
        unit: "degrees_C",
        m: 1,
        below: false,
    },
    Analogue {
        number: 2,
        name: "Inlet Temp",
        class: "Temperature",
        unit: "degrees_C",
        m: 1,
        below: false,
    },
    Analogue { number: 3, name: "Fan1", class: "Fan", unit: "RPM", m: 100, below: true },
    Analogue { number: 4, name: "Sys Power", class: "Current", unit: "Watts", m: 4, below: false },
];

const LOCATORS: &str = r#"sdr type 18
	device_slave_address	0x20
	device_channel_number	0
	chassis			true
	sel			true
	sdr			true
	sensor			true
	entity_id		system_board
	entity_instance		1
	id_string		"edge1 BMC"
endsdr

sdr type 3
	sensor_owner_id		0x20
	sensor_owner_lun	0
	channel_number		0
	sensor_number		0
	entity_id		system_board
	entity_instance		1
	sensor_type		Watchdog_2
	event_reading_type_code	0x6f
	id_string		"watchdog"
endsdr
"#;

/// Everything that is true of each of them.
const FLAGS: [&str; 18] = [
    "init_scanning",
    "init_events",
    "init_thresholds",
    "init_sensor_type",
    "default_event_gen_on",
    "default_sensor_scan_on",
    "sensor_auto_rearm",
    "assert_uncgh",
    "assert_ucgh",
    "assert_unrgh",
    "deassert_uncgh",
    "deassert_ucgh",
    "deassert_unrgh",
    "unc_thrsh_readable",
    "uc_thrsh_readable",
    "unr_thrsh_readable",
    "unc_thrsh_settable",
    "uc_thrsh_settable",
];
const FLAGS_BELOW: [&str; 4] =
    ["lc_thrsh_readable", "lc_thrsh_settable", "assert_lcgl", "deassert_lcgl"];

pub(super) fn sources() -> String {
    let mut text = LOCATORS.to_owned();
    for sensor in &ANALOGUES {
        let Analogue { number, name, class, unit, m, below } = sensor;
        _ = write!(
            text,
            "
sdr type 1
	sensor_owner_id		0x20
	sensor_owner_lun	0
	channel_number		0
	sensor_number		{number}
	entity_id		system_board
	entity_instance		1
	sensor_hysteresis	settable
	sensor_threshold_access	settable
	sensor_event_msg_ctrl	per_state
	sensor_type		{class}
	event_reading_type_code	1
"
        );
        for flag in FLAGS.iter().chain(FLAGS_BELOW.iter().filter(|_| *below)) {
            _ = writeln!(text, "\t{flag}\ttrue");
        }
        _ = write!(
            text,
            "	analog_data_format	unsigned
	rate_unit		none
	modifier_unit		none
	percentage		false
	base_unit		{unit}
	modifier_unit_code	unspecified
	linearization		linear
	m			{m}
	tolerance		0
	b			0
	accuracy		1
	accuracy_exp		0
	sensor_direction	input
	r_exp			0
	b_exp			0
	sensor_maximum		255
	sensor_minimum		0
	id_string		\"{name}\"
endsdr
"
        );
    }
    text
}

pub(super) fn lan(port: u16, chassis: &Chassis, script: &Path) -> String {
    let chassis = match chassis {
        Chassis::File => format!("  chassis_control \"{} 0x20\"", script.display()),
        Chassis::Machine { command, port } => format!(
            "  serial 15 127.0.0.1 {port} codec VM
  startcmd \"{}\"
  startnow false
  poweroff_wait 20
  kill_wait 5",
            command.display()
        ),
    };
    format!(
        "name \"{NAME}\"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
{chassis}
  user 1 true \"\" \"test\" user 10 none md2 md5 straight
  user 2 true \"ipmiusr\" \"test\" admin 10 none md2 md5 straight
  user 3 true \"ro\" \"test\" user 10 none md2 md5 straight
"
    )
}

/// Events above (or below) the thresholds, as bits for non-critical, critical, non-recoverable.
const ABOVE: &str = "000111111000000 000111111000000 000111111000000 000111111000000";
const BELOW: &str = "000000000111111 000000000111111 000000000111111 000000000111111";

pub(super) fn commands(sensors: &Path) -> String {
    let at = |name: &str| format!("file \"{}\"", sensors.join(name).display());
    format!(
        "mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
sensor_add 0x20 0 0 35 0x6f event-only
sensor_set_event_support 0x20 0 0 enable scanning per-state 000000000001111 000000000000000 000000000001111 000000000000000
sensor_add 0x20 0 1 0x01 0x01 poll 1000 {}
sensor_set_hysteresis 0x20 0 1 settable 3 3
sensor_set_threshold 0x20 0 1 settable 111000 105 95 85 00 00 00
sensor_set_event_support 0x20 0 1 enable scanning per-state {ABOVE}
sensor_add 0x20 0 2 0x01 0x01 poll 1000 {}
sensor_set_threshold 0x20 0 2 settable 111000 50 45 40 00 00 00
sensor_set_event_support 0x20 0 2 enable scanning per-state {ABOVE}
sensor_add 0x20 0 3 0x04 0x01 poll 1000 {} div=100
sensor_set_threshold 0x20 0 3 settable 000010 0 0 0 0 10 0
sensor_set_event_support 0x20 0 3 enable scanning per-state {BELOW}
sensor_add 0x20 0 4 0x03 0x01 poll 1000 {} div=4
sensor_set_threshold 0x20 0 4 settable 111000 250 220 200 00 00 00
sensor_set_event_support 0x20 0 4 enable scanning per-state {ABOVE}
mc_enable 0x20
",
        at("cpu1"),
        at("inlet"),
        at("fan1"),
        at("power")
    )
}
