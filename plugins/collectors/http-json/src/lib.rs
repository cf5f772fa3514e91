mod document;
mod settings;

#[cfg(test)]
mod tests;
