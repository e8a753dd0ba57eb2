//! How the segments of a sealed blob lie: lengths, ranges and nonces, no cryptography.
//!
//! The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption
//! and its Nonce-Reuse Misuse-Resistance", 2015), with the nonces of age: the plaintext is cut
//! into segments of 256 KiB, and only the last one may be shorter. Each is sealed under its number
//! and a flag that says whether it is the last, so that segments can neither be changed,
//! exchanged, left out at the end nor put on. The key belongs to one blob only, so that numbers
//! make good nonces. A blob of no bytes does not exist.

use std::ops::Range;

use crate::ports::SEGMENT_TAG;

/// Bytes of plaintext in each segment but the last.
pub const SEGMENT: u64 = 256 * 1024;

/// The same as the length of a piece in memory.
pub(super) const SEGMENT_LENGTH: usize = 256 * 1024;

const TAG: u64 = SEGMENT_TAG as u64;

/// The length of the blob that holds `plain` bytes of plaintext.
pub fn sealed_length(plain: u64) -> u64 {
    plain.saturating_add(plain.div_ceil(SEGMENT) * TAG)
}

/// The bytes of a blob to fetch for the bytes `plain_range` of its plaintext, which is
/// `plain_total` long. What lies beyond the end is left out; for an empty range nothing need be
/// fetched.
pub fn sealed_range(plain_range: Range<u64>, plain_total: u64) -> Range<u64> {
    let plain = within(plain_range, plain_total);
    if plain.is_empty() {
        return 0..0;
    }
    let first = plain.start / SEGMENT;
    let after_last = plain.end.div_ceil(SEGMENT);
    let end = after_last.saturating_mul(SEGMENT + TAG).min(sealed_length(plain_total));
    first.saturating_mul(SEGMENT + TAG)..end
}

/// The part of `range` that lies within `total` bytes.
pub(super) fn within(range: Range<u64>, total: u64) -> Range<u64> {
    range.start..range.end.min(total)
}

/// The nonce of segment `number`: 11 bytes of counter, most significant first, then the flag.
pub(super) fn nonce(number: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = last.into();
    nonce
}
