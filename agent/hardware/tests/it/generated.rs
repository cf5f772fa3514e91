//! Every value of made-up machines against what their files say.

use crate::machine::Machine;
use std::collections::BTreeSet;
use std::time::Duration;

/// Decimal fractions whose divisor is no power of ten round in their last digit.
const CLOSE: f64 = 1e-12;

#[test]
fn every_value_is_what_its_file_says() {
    let mut compared = 0;
    for seed in 1..=25 {
        let machine = Machine::new(seed);
        let mut board = machine.tree.board();
        assert!(board.remarks.is_empty(), "{:?}", board.remarks);
        let found: BTreeSet<&str> = board.sensors.iter().map(|sensor| sensor.id.as_str()).collect();
        let expected: BTreeSet<&str> = machine.expected.keys().map(String::as_str).collect();
        assert_eq!(found, expected, "machine {seed}");
        for sensor in &mut board.sensors {
            let expected = &machine.expected[&sensor.id];
            assert_eq!((sensor.metric, sensor.unit), (expected.metric, expected.unit));
            let value = sensor.read(Duration::ZERO);
            let same = match (value, expected.value) {
                (Ok(value), Ok(expected)) => (value - expected).abs() <= CLOSE * expected.abs(),
                (value, expected) => value == expected,
            };
            let path = sensor.path().display();
            assert!(same, "{}: {value:?} is not {:?} of {path}", sensor.id, expected.value);
            compared += 1;
        }
    }
    assert!(compared > 1500, "{compared}");
}

#[test]
fn every_sensor_of_a_made_up_machine_is_itself_on_the_next_start() {
    let machine = Machine::new(7);
    let ids = || machine.tree.board().sensors.iter().map(|s| s.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(), ids());
}

#[test]
fn every_metric_stands_in_the_documentation() {
    let page = include_str!("../../../../docs/hardware.md");
    for seed in 1..=25 {
        for (id, expected) in &Machine::new(seed).expected {
            let metric = format!("`{}`", expected.metric);
            assert!(page.contains(&metric), "{metric} of {id} is not in docs/hardware.md");
        }
    }
}
