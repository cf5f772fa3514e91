mod document;
mod session;
mod settings;

#[cfg(test)]
mod tests;
