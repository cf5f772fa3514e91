//! The packages among the files of an import, as a catalogue.

use crate::fault::Fault;
use crate::files::Files;
use crate::format::Format;
use crate::package::{self, Package, Place};
use flyball_plugin::{Attribute, Course, Detail, Error, Page};
use std::rc::Rc;

const PAGE: usize = 50;

/// One page of what matches; pages count from 0.
#[must_use]
pub fn page<F: Format>(files: &Rc<dyn Files>, query: &str, page: u32) -> Page {
    let query = query.to_lowercase();
    let mut matching = Vec::new();
    for place in places::<F>(files.as_ref()) {
        let listed = match open::<F>(files, &place) {
            Ok(format) => listed(&place, &format),
            Err(fault) => broken::<F>(&place, &fault),
        };
        let told: Vec<&str> = listed.attributes.iter().map(|own| own.value.as_str()).collect();
        let text =
            format!("{} {} {} {}", listed.id, listed.title, listed.description, told.join(" "));
        if text.to_lowercase().contains(&query) {
            matching.push(listed);
        }
    }
    let total = u32::try_from(matching.len()).unwrap_or(u32::MAX);
    let skipped = (page as usize).saturating_mul(PAGE);
    Page { courses: matching.into_iter().skip(skipped).take(PAGE).collect(), total }
}

/// # Errors
/// Where there is no such course or its package can't be opened.
pub fn detail<F: Format>(files: &Rc<dyn Files>, id: &str) -> Result<Detail, Error> {
    let place = find::<F>(files.as_ref(), id)?;
    let format = open::<F>(files, &place)?;
    let part = |(index, part): (usize, &crate::format::Part)| {
        // A part that can't be read is told with its reason.
        let told =
            format.attributes(index).unwrap_or_else(|fault| vec![("fault", fault.to_string())]);
        flyball_plugin::Part {
            id: part.id.clone(),
            title: part.title.clone(),
            attributes: told.into_iter().map(|(key, value)| Attribute::new(key, value)).collect(),
        }
    };
    Ok(Detail {
        parts: format.parts().iter().enumerate().map(part).collect(),
        course: listed(&place, &format),
    })
}

pub(crate) fn find<F: Format>(files: &dyn Files, id: &str) -> Result<Place, Fault> {
    package::find(places::<F>(files), id).ok_or_else(|| Fault::NoCourse(id.to_owned()))
}

pub(crate) fn open<F: Format>(files: &Rc<dyn Files>, place: &Place) -> Result<F, Fault> {
    F::open(Package::open(files, place, F::PROFILE.marker)?)
}

fn places<F: Format>(files: &dyn Files) -> Vec<Place> {
    package::places(&files.list(), F::PROFILE.endings, F::PROFILE.marker)
}

fn listed<F: Format>(place: &Place, format: &F) -> Course {
    let about = format.about();
    Course {
        id: place.id.clone(),
        title: about.title.clone(),
        description: about.description.clone(),
        attributes: about.attributes(F::PROFILE.source, format.parts().len()),
    }
}

/// A package that can't be imported is shown with its reason rather than hidden.
fn broken<F: Format>(place: &Place, fault: &Fault) -> Course {
    Course {
        id: place.id.clone(),
        title: place.id.clone(),
        description: String::new(),
        attributes: vec![
            Attribute::new("source", F::PROFILE.source),
            Attribute::new("can_import", "false"),
            Attribute::new("fault", fault.to_string()),
        ],
    }
}
