//! The parameters of a statement that is being made.

use crate::ports::Value;

/// The parameters of a statement that is being made.
pub(super) struct Params(pub Vec<Value>);

impl Params {
    /// Adds one, and gives how the statement names it.
    pub fn add(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }
}
