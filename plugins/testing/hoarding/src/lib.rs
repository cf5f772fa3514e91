//! An importer that keeps and asks without end. Which attack is the course that it imports. Built
//! for the tests of the walls only.

use flyball_plugin::{
    Attribute, Detail, Error, ErrorKind, Importer, Item, Job, Manifest, Page, Step, blobs::Blob,
    progress,
};

struct Hoarding;
flyball_plugin::importer!(Hoarding);

struct Attack(Vec<String>);

const MIB: usize = 1024 * 1024;

impl Importer for Hoarding {
    type Job = Attack;

    fn describe() -> Manifest {
        Manifest {
            id: "hoarding".into(),
            name: "Hoarding".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Does what its course says".into(),
            handles: vec!["hoard".into()],
            attributes: Vec::new(),
        }
    }

    fn catalog(_query: &str, _page: u32) -> Result<Page, Error> {
        Ok(Page { courses: Vec::new(), total: 0 })
    }

    fn describe_course(_id: &str) -> Result<Detail, Error> {
        Err(Error::new(ErrorKind::Unsupported, "there is nothing to describe"))
    }

    fn start(id: &str, _: &[String], _: &[Attribute]) -> Result<Attack, Error> {
        Ok(Attack(vec![id.to_owned()]))
    }
}

impl Job for Attack {
    fn next(&mut self) -> Result<Step, Error> {
        let Some(attack) = self.0.pop() else {
            return Ok(Step::Done);
        };
        match attack.as_str() {
            "pieces" => {
                let blob = blob("whole");
                for _ in 0..3 {
                    blob.write(&vec![b'x'; MIB])?;
                }
                blob.finish()?;
                // This one is never finished, so it is no item.
                self::blob("half").write(b"half")?;
            }
            "pieces-without-end" => {
                let blob = blob("endless");
                loop {
                    blob.write(&vec![b'x'; MIB])?;
                }
            }
            "items-of-pieces-without-end" => loop {
                let blob = blob("endless");
                blob.write(&vec![b'x'; MIB])?;
                blob.finish()?;
            },
            "dropped-pieces-without-end" => loop {
                blob("dropped").write(&vec![b'x'; MIB])?;
            },
            "names-without-end" => loop {
                Blob::new("id", &"x".repeat(MIB), "text/plain", &[]).finish()?;
            },
            "empty-items-without-end" => loop {
                blob("empty").finish()?;
            },
            "open-without-end" => {
                let mut open = Vec::new();
                loop {
                    open.push(blob("open"));
                }
            }
            "report-without-end" => loop {
                progress::report(1, None, "still here")?;
            },
            "large-titles" => {
                self.0.push("large-titles".into());
                return Ok(Step::Item(Item {
                    id: "title".into(),
                    title: "x".repeat(MIB),
                    media_type: "text/plain".into(),
                    data: Vec::new(),
                    attributes: Vec::new(),
                }));
            }
            _ => {}
        }
        Ok(Step::Done)
    }
}

fn blob(id: &str) -> Blob {
    Blob::new(id, "A piece", "text/plain", &[Attribute::new("attack", "true")])
}
