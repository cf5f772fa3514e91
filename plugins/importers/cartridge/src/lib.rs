//! IMS Common Cartridges 1.0 to 1.3 and packages of QTI.
//!
//! The organization of a cartridge becomes units and topics, its pages their text, and its
//! assessments questions with their choices, answers and feedback.

mod cartridge;
mod manifest;
mod qti;
mod qti2;
mod resource;

use cartridge::Cartridge;

course::importer!(Cartridge);
