//! The tables that lists describe themselves by.

/// The words of a closed set, from its `ALL` and its `name`.
macro_rules! words {
    ($set:ty) => {{
        const WORDS: [&str; <$set>::ALL.len()] = {
            let mut words = [""; <$set>::ALL.len()];
            let mut place = 0;
            while place < words.len() {
                words[place] = <$set>::ALL[place].name();
                place += 1;
            }
            words
        };
        &WORDS
    }};
}
pub(crate) use words;

/// One list of the API.
#[derive(Clone, Copy, Debug)]
pub struct List {
    pub fields: &'static [Field],
    pub form: Form,
    /// What may be shown beside it, by `include`.
    pub includes: &'static [&'static str],
    /// Can `labels` choose among its items?
    pub labelled: bool,
}

/// How one goes through a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By pages, in the order that is asked for.
    Pages,
    /// By a cursor, in the order of time.
    Cursor,
    /// There is one page.
    Whole,
}

/// One field that a list can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// Does `q` look into it?
    pub searched: bool,
    /// May it stand without `filter[…]` around it?
    pub bare: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Text,
    Number,
    /// RFC 3339 or epoch numbers.
    Time,
    Boolean,
    OneOf(&'static [&'static str]),
    Id,
    /// Says which of two lists is meant: the other one where it is true.
    View,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    Equal,
    NotEqual,
    In,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    StartsWith,
    Exists,
}

impl Field {
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, searched: false, bare: false }
    }

    #[must_use]
    pub const fn searched(self) -> Self {
        Self { searched: true, ..self }
    }

    #[must_use]
    pub const fn bare(self) -> Self {
        Self { bare: true, ..self }
    }
}

impl Kind {
    #[must_use]
    pub const fn operators(self) -> &'static [Operator] {
        use Operator::{
            Contains, Equal, Exists, Greater, GreaterOrEqual, In, Less, LessOrEqual, NotEqual,
            StartsWith,
        };
        match self {
            Self::Text => &[Equal, NotEqual, In, Contains, StartsWith, Exists],
            Self::Number | Self::Time => {
                &[Equal, NotEqual, In, Less, LessOrEqual, Greater, GreaterOrEqual, Exists]
            }
            Self::Boolean => &[Equal, NotEqual],
            Self::OneOf(_) | Self::Id => &[Equal, NotEqual, In, Exists],
            Self::View => &[Equal],
        }
    }

    /// What a value of it has to be, as a refusal says it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::Number => "a number".into(),
            Self::Time => "an RFC 3339 time or Unix milliseconds".into(),
            Self::Boolean | Self::View => "true or false".into(),
            Self::Id => "an id".into(),
            Self::OneOf(words) => match words {
                [rest @ .., last] if !rest.is_empty() => {
                    format!("{} or {last}", rest.join(", "))
                }
                words => words.concat(),
            },
        }
    }
}

impl Operator {
    const ALL: [Self; 10] = [
        Self::Equal,
        Self::NotEqual,
        Self::In,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Contains,
        Self::StartsWith,
        Self::Exists,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::In => "in",
            Self::Less => "lt",
            Self::LessOrEqual => "lte",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "gte",
            Self::Contains => "contains",
            Self::StartsWith => "starts_with",
            Self::Exists => "exists",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name() == name)
    }
}

impl List {
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Can the caller choose its order?
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        matches!(self.form, Form::Pages | Form::Whole)
    }

    /// The fields that it can be sorted by.
    pub fn sortable(&self) -> impl Iterator<Item = &'static str> {
        let fields = self.fields.iter().filter(|field| field.kind != Kind::View);
        fields.map(|field| field.name)
    }

    /// Where a page of it begins and how long it is, in every spelling.
    #[must_use]
    pub const fn places(&self) -> &'static [&'static str] {
        match self.form {
            Form::Pages => &["page", "per_page", "pageSize", "limit"],
            Form::Cursor => &["cursor", "per_page", "pageSize", "limit"],
            Form::Whole => &[],
        }
    }
}
