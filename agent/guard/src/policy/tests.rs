use super::*;

#[test]
fn the_example_that_is_packaged_is_sound_and_says_the_defaults_it_names() {
    let text = include_str!("../../../../packaging/config/guard-policy.toml");
    let policy = Policy::parse(text).unwrap();
    assert_eq!(policy.timing, Timing::default());
    assert_eq!(policy.limits.len(), 2);
    assert_eq!(policy.limits[0].local.trip, Some(95.0));
}

/// Everything that the example shows behind a comment is sound too.
#[test]
fn what_the_example_shows_in_comments_is_sound() {
    let text = include_str!("../../../../packaging/config/guard-policy.toml");
    let is_key = |line: &str| line.split(' ').nth(1) == Some("=");
    let uncommented: Vec<&str> = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || is_key(rest) => rest,
            _ => line,
        })
        .collect();
    let policy = Policy::parse(&uncommented.join("\n")).unwrap();
    assert_eq!((policy.limits.len(), policy.switches.len()), (9, 1));
    assert!(policy.returning.is_some());
    assert_eq!((policy.interlocks.len(), policy.groups.len()), (1, 1));
    assert!(policy.watchdog.is_some() && !policy.host.shutdown.is_empty());
    assert!(policy.zones[0].ladder.rungs.is_some() && policy.zones[0].ladder.hard_off.is_some());
}

#[test]
fn faults_of_what_stands_between_things_have_their_lines_too() {
    let text = "[host]\n\
                shutdown = [\"poweroff\"]\n\
                [[zone]]\n\
                name = \"board\"\n\
                quiesce_within_s = 5\n\
                hard_off_switch = \"pdu-1/outlet-4\"\n\
                [[switch]]\n\
                actuator = \"pdu-*\"\n\
                group = \"rack-9\"\n\
                [[interlock]]\n\
                name = \"x\"\n\
                targets = []\n\
                [[interlock.condition]]\n\
                sensor = \"a\"\n\
                [[limit]]\n\
                name = \"fan\"\n\
                sensors = [\"*\"]\n\
                warning_rpm = 100\n\
                limit_rpm = 200\n\
                vote = \"most\"\n\
                [services]\n\
                allow = [\"a b\"]\n";
    let faults = Policy::parse(text).unwrap_err();
    let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
    let shown: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert_eq!(lines, [1, 3, 5, 9, 10, 10, 10, 13, 15, 20, 21], "{shown:#?}");
}

#[test]
fn an_empty_file_is_the_factory_policy() {
    assert_eq!(Policy::parse("").unwrap(), Policy::factory());
}

#[test]
fn all_faults_are_found_at_once_with_their_lines() {
    let text = "on_trip = \"explode\"\n\
                [timing]\n\
                cycle_ms = 5\n\
                cicle_ms = 250\n\
                [[limit]]\n\
                name = \"cpu\"\n\
                sensors = []\n\
                warning_celsius = 90\n\
                limit_celsius = 80\n\
                zone = \"attic\"\n\
                [[limit]]\n\
                name = \"power\"\n\
                sensors = [\"powercap/*\"]\n\
                limit_watts = nan\n\
                trip_celsius = 90\n\
                [[fan]]\n\
                min_duty = 0.9\n";
    let faults = Policy::parse(text).unwrap_err();
    let shown: Vec<String> = faults.iter().map(Fault::to_string).collect();
    let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [1, 3, 4, 5, 5, 10, 11, 14, 16, 16], "{shown:#?}");
    assert!(shown[2].contains("`cicle_ms` is no key"), "{}", shown[2]);
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let faults = Policy::parse("[timing]\ncycle_ms == 3\n").unwrap_err();
    assert_eq!(faults[0].line, 2);
}
