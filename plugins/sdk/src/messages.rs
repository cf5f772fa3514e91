//! MQTT at the brokers that an operator granted, spoken by the agent.

pub use crate::bindings::flyball::plugin::messages::{Message, subscribe, take};
use crate::{Error, ErrorKind};

impl Message {
    /// The payload as text.
    ///
    /// # Errors
    /// Kind `upstream`, with the topic, where it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.payload).map_err(|why| {
            let topic = &self.topic;
            Error::new(ErrorKind::Upstream, format!("what came on `{topic}` is no text: {why}"))
        })
    }
}
