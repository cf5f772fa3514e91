//! A plant behind its tree.

use crate::board::Board;
use crate::control::obey;
use crate::plant::Plant;
use crate::tree::{Tree, TreeError};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

#[derive(Debug)]
pub struct Simulation {
    plant: Plant,
    tree: Tree,
}

impl Simulation {
    /// The board of `seed` with its tree under `root`.
    ///
    /// # Errors
    /// Where the tree cannot be laid out.
    pub fn new(root: &Path, seed: u64) -> Result<Self, TreeError> {
        let plant = Plant::new(Board::of(seed));
        let tree = Tree::create(root, &plant)?;
        Ok(Self { plant, tree })
    }

    /// Takes what was written, lets `span` pass, shows what came of it.
    ///
    /// # Errors
    /// Where the tree cannot be read or written.
    pub fn step(&mut self, span: Duration) -> Result<(), TreeError> {
        self.tree.take(&mut self.plant)?;
        self.plant.step(span);
        self.tree.show(&self.plant)
    }

    /// Obeys one line of the control protocol.
    #[must_use]
    pub fn obey(&mut self, line: &str) -> Value {
        obey(&mut self.plant, line)
    }

    #[must_use]
    pub const fn plant(&self) -> &Plant {
        &self.plant
    }

    pub const fn plant_mut(&mut self) -> &mut Plant {
        &mut self.plant
    }

    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }
}
