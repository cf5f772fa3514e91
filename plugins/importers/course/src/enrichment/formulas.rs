//! Formulas in words, from LaTeX and from what stands in a line of text.

/// Groups nest no deeper in a formula that anybody can follow by ear.
const MAX_DEPTH: usize = 12;
const MAX_CHARS: usize = 4_000;

const GREEK: [&str; 24] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi",
    "psi", "omega",
];

const COMMANDS: [(&str, &str); 52] = [
    ("times", "times"),
    ("cdot", "times"),
    ("div", "divided by"),
    ("pm", "plus or minus"),
    ("mp", "minus or plus"),
    ("le", "is at most"),
    ("leq", "is at most"),
    ("ge", "is at least"),
    ("geq", "is at least"),
    ("ne", "is not equal to"),
    ("neq", "is not equal to"),
    ("approx", "is about"),
    ("sim", "is similar to"),
    ("equiv", "is equivalent to"),
    ("propto", "is proportional to"),
    ("to", "goes to"),
    ("rightarrow", "goes to"),
    ("Rightarrow", "implies"),
    ("implies", "implies"),
    ("iff", "if and only if"),
    ("Leftrightarrow", "if and only if"),
    ("infty", "infinity"),
    ("partial", "partial"),
    ("nabla", "del"),
    ("in", "in"),
    ("notin", "not in"),
    ("subset", "is a subset of"),
    ("cup", "union"),
    ("cap", "intersection"),
    ("forall", "for all"),
    ("exists", "there is"),
    ("ldots", "and so on"),
    ("cdots", "and so on"),
    ("dots", "and so on"),
    ("int", "the integral"),
    ("sum", "the sum"),
    ("prod", "the product"),
    ("lim", "the limit"),
    ("log", "the logarithm of"),
    ("ln", "the natural logarithm of"),
    ("sin", "the sine of"),
    ("cos", "the cosine of"),
    ("tan", "the tangent of"),
    ("exp", "the exponential of"),
    ("det", "the determinant of"),
    ("max", "the maximum of"),
    ("min", "the minimum of"),
    ("circ", "degrees"),
    ("hbar", "h bar"),
    ("quad", ""),
    ("left", ""),
    ("right", ""),
];

/// Commands whose argument is said as it is.
const PLAIN: [&str; 12] = [
    "text",
    "mathrm",
    "mathbf",
    "mathit",
    "mathcal",
    "mathbb",
    "operatorname",
    "textbf",
    "textit",
    "mbox",
    "displaystyle",
    "boldsymbol",
];

/// The text with its marked formulas (`$…$`, `\(…\)`, `\[…\]`) in words.
pub(super) fn replaced(text: &str) -> String {
    const MARKS: [(&str, &str); 4] = [("$$", "$$"), ("\\(", "\\)"), ("\\[", "\\]"), ("$", "$")];
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, open, close)) = MARKS
        .iter()
        .filter_map(|(open, close)| rest.find(open).map(|at| (at, *open, *close)))
        .min_by_key(|(at, open, _)| (*at, std::cmp::Reverse(open.len())))
    {
        let behind = &rest[at + open.len()..];
        let formula = behind.find(close).map(|end| (&behind[..end], &behind[end + close.len()..]));
        said.push_str(&rest[..at]);
        match formula {
            // A sum of money is no formula.
            Some((formula, after)) if open != "$" || is_between_dollars(formula) => {
                said.push_str(&spoken(formula));
                rest = after;
            }
            _ => {
                said.push_str(open);
                rest = behind;
            }
        }
    }
    said.push_str(rest);
    said
}

fn is_between_dollars(formula: &str) -> bool {
    let is_tight = formula == formula.trim() && !formula.is_empty();
    let is_money = formula.starts_with(|c: char| c.is_ascii_digit())
        && formula.contains(' ')
        && !formula.contains(['=', '^', '\\', '+']);
    is_tight && !is_money
}

/// A word of a text that is a formula: `x^2`, `a=b`, `≤`.
pub(super) fn is_formula(word: &str) -> bool {
    let has_mark = word.chars().any(|c| "^=≤≥≠±×÷√∞∑∫≈→²³".contains(c));
    let mut letters = 0;
    let fits = word.chars().all(|c| {
        letters = if c.is_alphabetic() { letters + 1 } else { 0 };
        // Longer runs of letters are words, addresses or code.
        letters <= 2 && (c.is_alphanumeric() || "^=≤≥≠±×÷√∞∑∫≈→²³+-−*/()_{}.,<>|'".contains(c))
    });
    has_mark && fits
}

/// A formula in words.
pub(super) fn spoken(formula: &str) -> String {
    let chars: Vec<char> = formula.chars().take(MAX_CHARS).collect();
    let mut reader = Reader { chars: &chars, at: 0 };
    let mut words = Vec::new();
    reader.read(&mut words, 0);
    crate::text::squeezed(&words.join(" "))
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn read(&mut self, words: &mut Vec<String>, depth: usize) {
        while let Some(c) = self.peek() {
            if c == '}' {
                return;
            }
            self.one(words, depth);
        }
    }

    /// One symbol, number, group or command, with nothing behind it.
    fn one(&mut self, words: &mut Vec<String>, depth: usize) {
        let Some(c) = self.peek() else { return };
        self.at += 1;
        match c {
            '\\' => self.command(words, depth),
            '{' => {
                if depth < MAX_DEPTH {
                    self.read(words, depth + 1);
                }
                if self.peek() == Some('}') {
                    self.at += 1;
                }
            }
            '^' => self.power(words, depth),
            '_' => {
                words.push("sub".to_owned());
                if depth < MAX_DEPTH {
                    self.one(words, depth + 1);
                }
            }
            c if c.is_ascii_digit() => {
                let mut number = c.to_string();
                while let Some(next) = self.peek().filter(|next| {
                    next.is_ascii_digit()
                        || (*next == '.'
                            && self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit))
                }) {
                    number.push(next);
                    self.at += 1;
                }
                words.push(number);
            }
            c if c.is_alphabetic() => {
                words.push(greek(c).map_or_else(|| c.to_string(), str::to_owned))
            }
            c => words.extend(symbol(c).map(str::to_owned)),
        }
    }

    /// The next group or symbol, in words.
    fn argument(&mut self, depth: usize) -> String {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
        let mut words = Vec::new();
        self.one(&mut words, depth + 1);
        words.join(" ")
    }

    fn power(&mut self, words: &mut Vec<String>, depth: usize) {
        let power = if depth < MAX_DEPTH { self.argument(depth) } else { String::new() };
        words.push(match power.as_str() {
            "2" => "squared".to_owned(),
            "3" => "cubed".to_owned(),
            "prime" | "degrees" => power,
            _ => format!("to the power of {power}"),
        });
    }

    fn command(&mut self, words: &mut Vec<String>, depth: usize) {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_alphabetic) {
            name.push(c);
            self.at += 1;
        }
        if name.is_empty() {
            // An escaped sign or a blank such as `\,`.
            if let Some(c) = self.peek() {
                self.at += 1;
                words.extend(symbol(c).filter(|_| c != ',').map(str::to_owned));
            }
            return;
        }
        if depth >= MAX_DEPTH {
            return;
        }
        match name.as_str() {
            "frac" | "dfrac" | "tfrac" => {
                let (above, below) = (self.argument(depth), self.argument(depth));
                words.push(format!("{above} over {below}"));
            }
            "sqrt" => {
                let order = self.bracketed();
                let inner = self.argument(depth);
                words.push(match order.as_deref() {
                    None | Some("2") => format!("the square root of {inner}"),
                    Some("3") => format!("the cube root of {inner}"),
                    Some(order) => format!("the root of order {order} of {inner}"),
                });
            }
            "int" | "sum" | "prod" | "lim" => self.range(&name, words, depth),
            plain if PLAIN.contains(&plain) => {
                if self.peek() == Some('{') {
                    self.at += 1;
                    let begin = self.at;
                    while self.peek().is_some_and(|c| c != '}') {
                        self.at += 1;
                    }
                    words.push(self.chars[begin..self.at].iter().collect());
                    self.at = (self.at + 1).min(self.chars.len());
                }
            }
            other => {
                let known = COMMANDS.iter().find(|(own, _)| *own == other).map(|(_, said)| *said);
                let said = known.map_or_else(|| other.to_lowercase(), str::to_owned);
                words.push(said);
            }
        }
    }

    /// `\sum_{i=1}^{n}`: the sum from i equals 1 to n of.
    fn range(&mut self, name: &str, words: &mut Vec<String>, depth: usize) {
        let (mut from, mut to) = (None, None);
        for _ in 0..2 {
            match self.peek() {
                Some('_') => {
                    self.at += 1;
                    from = Some(self.argument(depth));
                }
                Some('^') => {
                    self.at += 1;
                    to = Some(self.argument(depth));
                }
                _ => break,
            }
        }
        let said = COMMANDS.iter().find(|(own, _)| *own == name).map_or("", |(_, said)| *said);
        words.push(match (name, from, to) {
            ("lim", Some(from), _) => format!("{said} as {from} of"),
            (_, Some(from), Some(to)) => format!("{said} from {from} to {to} of"),
            (_, Some(from), None) => format!("{said} over {from} of"),
            _ => format!("{said} of"),
        });
    }

    /// `[3]` behind a root.
    fn bracketed(&mut self) -> Option<String> {
        if self.peek() != Some('[') {
            return None;
        }
        let end = self.chars[self.at..].iter().position(|c| *c == ']')?;
        let inner = self.chars[self.at + 1..self.at + end].iter().collect();
        self.at += end + 1;
        Some(inner)
    }
}

fn greek(c: char) -> Option<&'static str> {
    let index = match c {
        'α'..='ρ' => c as usize - 'α' as usize,
        'σ'..='ω' => c as usize - 'α' as usize - 1,
        _ => return None,
    };
    GREEK.get(index).copied()
}

const fn symbol(c: char) -> Option<&'static str> {
    Some(match c {
        '=' => "equals",
        '+' => "plus",
        '-' | '−' => "minus",
        '*' | '×' | '·' => "times",
        '/' => "over",
        '÷' => "divided by",
        '<' => "is less than",
        '>' => "is greater than",
        '≤' => "is at most",
        '≥' => "is at least",
        '≠' => "is not equal to",
        '≈' => "is about",
        '±' => "plus or minus",
        '→' => "goes to",
        '√' => "the square root of",
        '∞' => "infinity",
        '∑' => "the sum of",
        '∫' => "the integral of",
        '²' => "squared",
        '³' => "cubed",
        '°' => "degrees",
        '\'' | '′' => "prime",
        '!' => "factorial",
        '%' => "percent",
        _ => return None,
    })
}
