//! Unpredictable bytes, from the Web Crypto API.

use super::js;
use crate::ports::Random;

/// Bytes that `crypto.getRandomValues` gives a call.
const MOST_AT_ONCE: usize = 65_536;

/// `crypto.getRandomValues`
pub struct WebRandom;

impl Random for WebRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for piece in buffer.chunks_mut(MOST_AT_ONCE) {
            let filled = js::CRYPTO.with(|crypto| crypto.get_random_values_with_u8_array(piece));
            assert!(filled.is_ok(), "the source of random bytes failed");
        }
    }
}
