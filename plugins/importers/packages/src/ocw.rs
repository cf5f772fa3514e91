//! Packages as MIT OpenCourseWare gives them out.

use crate::pdf::{Pdf, typeset};
use crate::prose::{Dice, paragraph, topic};
use crate::zip::{Entry, Zip};
use std::fmt::Write as _;

#[derive(Clone, Debug)]
pub struct Course {
    pub lectures: usize,
    pub seed: u64,
    /// Its address.
    pub licence: &'static str,
    /// A film that lies in the package and that nobody reads.
    pub film_bytes: usize,
    pub paragraphs: usize,
}

impl Default for Course {
    fn default() -> Self {
        Self {
            lectures: 10,
            seed: 1,
            licence: "https://creativecommons.org/licenses/by-nc-sa/4.0/",
            film_bytes: 0,
            paragraphs: 8,
        }
    }
}

/// What a lecture of that number says, counted from 0.
#[must_use]
pub fn transcript(course: &Course, index: usize) -> Pdf {
    let seed = course.seed.wrapping_mul(1_000).wrapping_add(index as u64);
    let mut dice = Dice::new(seed);
    let paragraphs: Vec<String> = (0..course.paragraphs).map(|_| paragraph(&mut dice, 5)).collect();
    typeset(&format!("Lecture {}: {}", index + 1, topic(index)), &paragraphs, seed)
}

/// Lectures whose number divides by three have captions and no PDF.
#[must_use]
pub const fn has_captions_only(index: usize) -> bool {
    index % 3 == 2
}

#[must_use]
pub fn package(course: &Course) -> Vec<u8> {
    let mut zip = Zip::default();
    let mut dice = Dice::new(course.seed);
    let (mut items, mut resources, mut list) = (String::new(), String::new(), String::new());
    for index in 0..course.lectures {
        let number = index + 1;
        let title = format!("Lecture {number}: {}", topic(index));
        let page = format!("resources/lecture-{number}/index.html");
        let _ = write!(
            items,
            "<item identifier=\"I{number}\" identifierref=\"R{number}\"><title>{title}</title></item>"
        );
        let _ = write!(
            resources,
            "<resource identifier=\"R{number}\" type=\"webcontent\" href=\"{page}\"><file href=\"{page}\"/></resource>"
        );
        let _ = write!(list, "<li><a href=\"../../{page}\">{title}</a></li>");
        let mut links = String::new();
        if has_captions_only(index) {
            let name = format!("static_resources/{}_lec{number}.vtt", dice.hex32());
            zip.file(&name, captions(course, index));
            let _ = write!(links, "<p><a href=\"../../{name}\">Download captions</a></p>");
        } else {
            let name = format!("static_resources/{}_lec{number}_transcript.pdf", dice.hex32());
            zip.file(&name, transcript(course, index).bytes);
            let _ = write!(links, "<p><a href=\"../../{name}\">Download transcript</a></p>");
        }
        if index % 2 == 0 {
            let name = format!("static_resources/{}_lec{number}_notes.pdf", dice.hex32());
            let notes = typeset("Notes", &[paragraph(&mut dice, 4)], dice.roll());
            zip.file(&name, notes.bytes);
            let _ =
                write!(links, "<p><a href=\"../../{name}\">Lecture {number} notes (PDF)</a></p>");
        }
        let html = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><title>{title} | Governors</title></head><body>\
             <nav><a href=\"../../pages/video-lectures/index.html\">All lectures</a></nav>\
             <main id=\"course-content-section\"><h2>{title}</h2>\
             <p>This lecture introduces the {}, and a <dfn>governor</dfn> that keeps the speed.</p>\
             <iframe src=\"https://www.youtube.com/embed/example{number}\"></iframe>\
             {links}</main></body></html>",
            topic(index).to_lowercase()
        );
        zip.file(&page, html);
    }
    let mut assignments = String::new();
    for number in 1..=(course.lectures / 5).max(1) {
        let name = format!("static_resources/{}_pset{number}.pdf", dice.hex32());
        let title = format!("Problem Set {number}");
        zip.file(&name, typeset(&title, &[paragraph(&mut dice, 3)], dice.roll()).bytes);
        let _ = write!(assignments, "<li><a href=\"../../{name}\">{title}</a></li>");
    }
    let mut exams = String::new();
    for kind in ["midterm", "final_exam", "quiz1"] {
        let name = format!("static_resources/{}_{kind}.pdf", dice.hex32());
        zip.file(&name, typeset(kind, &[paragraph(&mut dice, 3)], dice.roll()).bytes);
        let _ = write!(exams, "<li><a href=\"../../{name}\">{kind}</a></li>");
    }
    let page = |title: &str, list: &str| {
        format!(
            "<html><head><title>{title}</title></head><body><main><h1>{title}</h1><ul>{list}</ul></main></body></html>"
        )
    };
    zip.file("pages/video-lectures/index.html", page("Video Lectures", &list));
    zip.file("pages/assignments/index.html", page("Assignments", &assignments));
    zip.file("pages/exams/index.html", page("Exams", &exams));
    zip.file("pages/syllabus/index.html", page("Syllabus", "<li>Two lectures a week</li>"));
    zip.file(
        "imsmanifest.xml",
        format!(
            "<?xml version=\"1.0\"?><manifest identifier=\"M\" xmlns=\"http://www.imsglobal.org/xsd/imscp_v1p1\">\
             <organizations><organization><title>Governors</title>{items}</organization></organizations>\
             <resources>{resources}</resources></manifest>"
        ),
    );
    zip.file("index.html", front(course));
    if course.film_bytes > 0 {
        let film = vec![0x5a; course.film_bytes];
        zip.add(&Entry::stored("static_resources/film.mp4", &film));
    }
    zip.finish()
}

fn front(course: &Course) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head>\
         <title>Governors | Mechanical Engineering | MIT OpenCourseWare</title>\
         <meta name=\"description\" content=\"This course introduces governors, and applies them to engines.\">\
         </head><body><main><h1>Governors</h1>\
         <div class=\"course-info\"><a class=\"course-info-instructor\">James Watt</a>\
         <a class=\"course-info-level\">Undergraduate</a>\
         <a class=\"course-info-topic\">Engineering</a><a class=\"course-info-department\">Mechanical Engineering</a></div>\
         <p>All about the speed of engines.</p></main>\
         <footer>MIT OpenCourseWare <a href=\"{}\">Creative Commons licence</a></footer></body></html>",
        course.licence
    )
}

fn captions(course: &Course, index: usize) -> String {
    let mut vtt = String::from("WEBVTT\n");
    for (second, word) in transcript(course, index).words.chunks(8).enumerate() {
        let (from, to) = (second * 3, second * 3 + 3);
        let stamp = |s: usize| format!("{:02}:{:02}:{:02}.000", s / 3600, s / 60 % 60, s % 60);
        let _ = write!(vtt, "\n{} --> {}\n{}\n", stamp(from), stamp(to), word.join(" "));
    }
    vtt
}
