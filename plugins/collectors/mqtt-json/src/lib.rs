mod board;
mod broker;
mod session;
mod settings;

#[cfg(test)]
mod tests;
