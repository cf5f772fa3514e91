//! Colours by number and by name.

mod names;

use names::NAMES;
use ratex_types::color::Color;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    pub(crate) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// `#rgb`, `#rrggbb`, or a name of CSS Color 4 in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix('#') {
            Some(digits) => Self::from_digits(digits),
            None => {
                let name = text.to_ascii_lowercase();
                let at = NAMES.binary_search_by(|(known, _)| (*known).cmp(&name)).ok()?;
                NAMES.get(at).map(|(_, number)| Self::from_number(*number))
            }
        }
    }

    fn from_digits(digits: &str) -> Option<Self> {
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        match digits.len() {
            6 => Some(Self::from_number(number)),
            3 => {
                let [_, _, high, low] = number.to_be_bytes();
                Some(Self::new(high * 17, (low >> 4) * 17, (low & 15) * 17))
            }
            _ => None,
        }
    }

    const fn from_number(number: u32) -> Self {
        let [_, red, green, blue] = number.to_be_bytes();
        Self { red, green, blue }
    }

    /// As the layout takes it.
    pub(crate) fn of_layout(self) -> Color {
        let share = |byte| f32::from(byte) / 255.0;
        Color::rgb(share(self.red), share(self.green), share(self.blue))
    }
}
