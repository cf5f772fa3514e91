//! Textbooks as EPUB files, CK-12's FlexBooks among them.
//!
//! A chapter of the table of contents becomes a topic, its lessons what stands below it, in
//! the order of the spine. Words that the book marks as defined become its glossary, its
//! pictures go along, and formulas keep the words that stand for them.

mod book;
mod chapter;
mod contents;
mod opf;

use book::Book;

course::importer!(Book);
