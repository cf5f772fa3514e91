//! Hardware that comes and goes under a running guard.

use crate::machine::Machine;
use crate::tree::{Tree, read};
use flyball_hardware::{Census, Changes};
use std::time::Duration;

fn add_chip(tree: &Tree, number: u32, celsius: u32) {
    let device = "devices/pci0000:00/0000:02:00.0";
    let hwmon = format!("{device}/hwmon/hwmon{number}");
    tree.write(&format!("{hwmon}/name"), "nvme");
    tree.write(&format!("{hwmon}/temp1_input"), &format!("{celsius}000"));
    tree.write(&format!("{hwmon}/temp1_label"), "Composite");
    tree.link(&format!("{hwmon}/device"), device);
    tree.link(&format!("class/hwmon/hwmon{number}"), &hwmon);
}

fn remove_chip(tree: &Tree, number: u32) {
    tree.remove(&format!("class/hwmon/hwmon{number}"));
    tree.remove("devices/pci0000:00/0000:02:00.0/hwmon");
}

fn came(changes: &Changes) -> Vec<&str> {
    changes.came.iter().map(|sensor| sensor.id.as_str()).collect()
}

const NVME: &str = "nvme@pci0000:00/0000:02:00.0/temp1:composite";

#[test]
fn a_disk_that_is_pulled_and_put_back_is_the_same_sensor() {
    let machine = Machine::new(11);
    let tree = &machine.tree;
    let board = tree.board();
    let mut census = Census::of(&tree.roots(), &board);
    assert!(census.look().is_none());

    add_chip(tree, 12, 41);
    let mut changes = census.look().unwrap();
    assert_eq!((came(&changes), changes.went.len()), (vec![NVME], 0));
    assert_eq!(changes.came[0].read(Duration::ZERO), Ok(41.0));
    assert!(census.look().is_none());

    remove_chip(tree, 12);
    let changes = census.look().unwrap();
    assert_eq!((changes.came.len(), changes.went), (0, vec![NVME.to_owned()]));

    add_chip(tree, 17, 42);
    let mut changes = census.look().unwrap();
    assert_eq!(came(&changes), [NVME]);
    assert_eq!(changes.came[0].read(Duration::ZERO), Ok(42.0));
}

#[test]
fn a_driver_that_is_loaded_again_under_another_number_moves_its_sensors() {
    let tree = Tree::new(&[]);
    add_chip(&tree, 3, 41);
    let mut census = Census::of(&tree.roots(), &tree.board());
    remove_chip(&tree, 3);
    add_chip(&tree, 5, 43);
    let mut changes = census.look().unwrap();
    assert_eq!((came(&changes), changes.went.len()), (vec![NVME], 0));
    assert_eq!(changes.came[0].read(Duration::ZERO), Ok(43.0));
}

#[test]
fn a_driver_that_is_loaded_again_under_its_number_is_read_on_by_itself() {
    let tree = Tree::new(&[]);
    add_chip(&tree, 3, 41);
    let mut board = tree.board();
    assert_eq!(read(&mut board, NVME), Ok(41.0));
    remove_chip(&tree, 3);
    assert!(read(&mut board, NVME).is_err());
    add_chip(&tree, 3, 44);
    assert_eq!(read(&mut board, NVME), Ok(44.0));
}

#[test]
fn attributes_that_come_after_their_chip_are_found() {
    let tree = Tree::new(&[]);
    add_chip(&tree, 3, 41);
    let mut census = Census::of(&tree.roots(), &tree.board());
    tree.write("devices/pci0000:00/0000:02:00.0/hwmon/hwmon3/temp2_input", "45000");
    let changes = census.look().unwrap();
    assert_eq!(came(&changes), ["nvme@pci0000:00/0000:02:00.0/temp2"]);
}

#[test]
fn actuators_come_and_go_as_sensors_do() {
    let tree = Tree::new(&[]);
    let mut census = Census::of(&tree.roots(), &tree.board());
    tree.write("class/thermal/cooling_device0/type", "Fan");
    tree.write("class/thermal/cooling_device0/cur_state", "1");
    tree.write("class/thermal/cooling_device0/max_state", "3");
    let mut changes = census.look().unwrap();
    let fan = &mut changes.actuators_came[0];
    fan.drive(1.0).unwrap();
    assert_eq!(tree.read("class/thermal/cooling_device0/cur_state"), "3");
    tree.remove("class/thermal/cooling_device0");
    let changes = census.look().unwrap();
    assert_eq!(changes.actuators_went, ["cooling/fan/state"]);
    assert_eq!(changes.went, ["cooling/fan/state"]);
}
