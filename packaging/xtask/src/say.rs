//! What the developer is told. Steps go to standard error, so that standard output holds only
//! what was asked for: a summary, a table, JSON lines.

/// Says what is being done.
pub(crate) fn step(text: &str) {
    eprintln!("==> {text}");
}

/// Says more about the step.
pub(crate) fn detail(text: &str) {
    eprintln!("    {text}");
}

/// The answer itself.
pub(crate) fn tell(text: &str) {
    println!("{text}");
}
