//! Locate lights of disk slots in `class/enclosure`.
//!
//! Source: the kernel's `drivers/misc/enclosure.c`: `<enclosure>/<slot>/locate`, 0 or 1.

use crate::actuator::{Actuator, ActuatorKind};
use crate::attribute::Attribute;
use crate::board::Board;
use crate::identity::slug;
use crate::profile::Choice;
use crate::tree::{self, Roots};

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("enclosure");
    for enclosure in tree::names(&class) {
        let folder = class.join(&enclosure);
        for slot in tree::names(&folder) {
            let path = folder.join(&slot).join("locate");
            let Some(light) = Attribute::writable(path, roots.simulated()) else {
                continue;
            };
            let id = format!("enclosure/{}/{}/locate", slug(&enclosure), slug(&slot));
            let name = format!("{enclosure} {slot} locate");
            let choice = Choice::new(vec![light], vec!["0".into(), "1".into()]);
            let kind = ActuatorKind::Indicator;
            board.add_actuator(Actuator::new(kind, id, name, (0.0, 1.0), Box::new(choice)));
        }
    }
}
