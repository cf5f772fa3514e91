//! Course packages of MIT OpenCourseWare.
//!
//! A package is a site to be read without the net: an opening page, pages of lists, a page for
//! each lecture, and the files themselves under a hash. The lectures become topics with what
//! is spoken in them; assignments and exams become questions of the course.

mod files;
mod front;
mod lecture;
mod lectures;
mod package;

use package::OpenCourse;

course::importer!(OpenCourse);
