//! Unpredictable bytes.

/// A cryptographically secure random number generator.
pub trait Random {
    /// Fills `buffer`. An adapter whose source fails must panic rather than return: a predictable
    /// key is worse than a dropped request.
    fn fill(&self, buffer: &mut [u8]);
}
