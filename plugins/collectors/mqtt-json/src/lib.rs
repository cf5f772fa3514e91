mod board;
mod broker;
mod settings;

#[cfg(test)]
mod tests;
