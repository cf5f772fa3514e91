//! Reading TOML by hand, so that every fault of a file is found in one reading and has a line.

use super::Fault;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// More entries of one kind are a mistake.
const MAX_ENTRIES: usize = 256;

/// A parsed file and the faults found in it so far.
pub(crate) struct Reader<'a> {
    text: &'a str,
    document: Spanned<DeTable<'a>>,
    faults: RefCell<Vec<Fault>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        let reader = Self { text, document, faults: RefCell::new(Vec::new()) };
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            reader.fault_at(at, error.message().to_owned());
        }
        reader
    }

    /// The file's top level; `None` where it is no TOML at all.
    pub(crate) fn root(&self) -> Option<Table<'_, 'a>> {
        let sound = self.faults.borrow().is_empty();
        sound.then(|| Table::new(self, self.document.get_ref(), 0))
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults.dedup();
        faults
    }

    /// A fault at the last place where `word` stands in quotes.
    pub(crate) fn fault_at_word(&self, word: &str, message: &str) {
        let at = self.text.rfind(&format!("\"{word}\"")).unwrap_or(0);
        self.fault_at(at, message.to_owned());
    }

    /// A fault at the first place where a line begins with `key`.
    pub(crate) fn fault_at_key(&self, key: &str, message: &str) {
        let at = self.text.find(key).unwrap_or(0);
        self.fault_at(at, message.to_owned());
    }

    fn fault_at(&self, at: usize, message: String) {
        let line = self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        self.faults.borrow_mut().push(Fault { line, message });
    }
}

/// One table, of which each key is asked for once; what is left over at the end is no key.
pub(crate) struct Table<'r, 'a> {
    reader: &'r Reader<'a>,
    table: &'r DeTable<'a>,
    at: usize,
    known: BTreeSet<&'static str>,
}

impl<'r, 'a> Table<'r, 'a> {
    fn new(reader: &'r Reader<'a>, table: &'r DeTable<'a>, at: usize) -> Self {
        Self { reader, table, at, known: BTreeSet::new() }
    }

    pub(crate) fn fault(&self, message: &str) {
        self.reader.fault_at(self.at, message.to_owned());
    }

    fn get(&mut self, key: &'static str) -> Option<&'r Spanned<DeValue<'a>>> {
        self.known.insert(key);
        self.table.get(key)
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, message: String) {
        self.reader.fault_at(value.span().start, message);
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(crate) fn number(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => integer.as_str().replace('_', "").parse().ok(),
            DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| range.contains(number));
        if number.is_none() {
            let (low, high) = range.into_inner();
            self.wrong(value, format!("`{key}` needs a number from {low} to {high}"));
        }
        number
    }

    pub(crate) fn whole(&mut self, key: &'static str, range: RangeInclusive<u8>) -> Option<u8> {
        let value = self.get(key)?;
        let whole = match value.get_ref() {
            DeValue::Integer(integer) => integer.as_str().parse().ok(),
            _ => None,
        };
        let whole = whole.filter(|whole| range.contains(whole));
        if whole.is_none() {
            let (low, high) = range.into_inner();
            self.wrong(value, format!("`{key}` needs a whole number from {low} to {high}"));
        }
        whole
    }

    pub(crate) fn switch(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let switch = match value.get_ref() {
            DeValue::Boolean(switch) => Some(*switch),
            _ => None,
        };
        if switch.is_none() {
            self.wrong(value, format!("`{key}` needs true or false"));
        }
        switch
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.to_string()),
            _ => None,
        };
        if text.is_none() {
            self.wrong(value, format!("`{key}` needs a text"));
        }
        text
    }

    pub(crate) fn required_text(&mut self, key: &'static str) -> Option<String> {
        if !self.has(key) {
            self.fault(&format!("`{key}` is missing"));
        }
        self.text(key)
    }

    pub(crate) fn word(
        &mut self,
        key: &'static str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let value = self.get(key)?;
        let word = match value.get_ref() {
            DeValue::String(text) => words.iter().find(|word| *word == text).copied(),
            _ => None,
        };
        if word.is_none() {
            self.wrong(value, format!("`{key}` needs one of: {}", words.join(", ")));
        }
        word
    }

    pub(crate) fn required_word(
        &mut self,
        key: &'static str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        if !self.has(key) {
            self.fault(&format!("`{key}` is missing"));
        }
        self.word(key, words)
    }

    /// A text, or a whole number as its digits.
    pub(crate) fn text_or_whole(&mut self, key: &'static str) -> Option<String> {
        match self.get(key)?.get_ref() {
            DeValue::Integer(integer) => Some(integer.as_str().replace('_', "")),
            _ => self.text(key),
        }
    }

    /// A list of texts; empty where the key is absent.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong(value, format!("`{key}` needs a list of texts"));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for entry in array.iter().take(MAX_ENTRIES) {
            match entry.get_ref() {
                DeValue::String(text) => texts.push(text.to_string()),
                _ => self.wrong(entry, format!("`{key}` needs texts only")),
            }
        }
        texts
    }

    pub(crate) fn table(&mut self, key: &'static str) -> Option<Table<'r, 'a>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Table::new(self.reader, table, value.span().start)),
            _ => {
                self.wrong(value, format!("`{key}` needs to be a table: [{key}]"));
                None
            }
        }
    }

    /// All tables under `[[key]]`, as far as `read` makes something of them.
    pub(crate) fn tables<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Table<'r, 'a>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong(value, format!("`{key}` needs to be a list of tables: [[{key}]]"));
            return Vec::new();
        };
        if array.len() > MAX_ENTRIES {
            self.wrong(value, format!("more than {MAX_ENTRIES} [[{key}]] tables"));
        }
        let mut read_tables = Vec::new();
        for entry in array.iter().take(MAX_ENTRIES) {
            let DeValue::Table(table) = entry.get_ref() else {
                self.wrong(entry, format!("`{key}` needs tables only: [[{key}]]"));
                continue;
            };
            let mut table = Table::new(self.reader, table, entry.span().start);
            read_tables.extend(read(&mut table));
            table.finish();
        }
        read_tables
    }

    /// Names every key that nobody asked for.
    pub(crate) fn finish(self) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !self.known.contains(name) {
                let known: Vec<&str> = self.known.iter().copied().collect();
                let message = format!("`{name}` is no key here; known are: {}", known.join(", "));
                self.reader.fault_at(key.span().start, message);
            }
        }
    }
}
