//! Sealing and opening together: what was sealed opens, and nothing else does.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use proptest::prelude::*;
use std::ops::Range;

use super::*;
use crate::ports::{ByteSource, Chunks, ContentHasher, CryptoError, Digests, SegmentCipher, StreamError};

const SEGMENT_LENGTH: usize = 256 * 1024;
const SEALED_SEGMENT: usize = SEGMENT_LENGTH + 16;
const KEY: [u8; 32] = [42; 32];

/// Lengths around the borders of segments.
const LENGTHS: [usize; 11] = [
    0,
    1,
    17,
    SEGMENT_LENGTH - 1,
    SEGMENT_LENGTH,
    SEGMENT_LENGTH + 1,
    2 * SEGMENT_LENGTH - 1,
    2 * SEGMENT_LENGTH,
    2 * SEGMENT_LENGTH + 1,
    3 * SEGMENT_LENGTH - 16,
    3 * SEGMENT_LENGTH,
];

struct Cipher(Aes256Gcm);

impl Cipher {
    fn new(key: [u8; 32]) -> Self {
        Self(Aes256Gcm::new(&key.into()))
    }
}

#[async_trait(?Send)]
impl SegmentCipher for Cipher {
    async fn seal(&self, nonce: [u8; 12], plain: Bytes) -> Result<Bytes, CryptoError> {
        self.0.encrypt(&Nonce::from(nonce), &*plain).map(Bytes::from).map_err(|_| CryptoError::Failed)
    }

    async fn open(&self, nonce: [u8; 12], sealed: Bytes) -> Result<Bytes, CryptoError> {
        self.0.decrypt(&Nonce::from(nonce), &*sealed).map(Bytes::from).map_err(|_| CryptoError::Tag)
    }
}

/// Keeps what it is given to hash.
#[derive(Default)]
struct Recorder(Vec<u8>);

#[async_trait(?Send)]
impl ContentHasher for Recorder {
    async fn update(&mut self, data: &Bytes) -> Result<(), CryptoError> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Digests, CryptoError> {
        Err(CryptoError::Failed)
    }
}

/// Yields its chunks, then fails.
struct Failing(Chunks);

#[async_trait(?Send)]
impl ByteSource for Failing {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        match self.0.next().await? {
            Some(chunk) => Ok(Some(chunk)),
            None => Err(StreamError::Io("cable pulled".to_owned())),
        }
    }
}

/// The pieces that came before the end or the error.
fn drain(source: &mut dyn ByteSource) -> (Vec<Bytes>, Result<(), StreamError>) {
    let mut pieces = Vec::new();
    let result = loop {
        match source.next().now_or_never().expect("nothing waits") {
            Ok(Some(piece)) => pieces.push(piece),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert_eq!(source.next().now_or_never(), Some(Ok(None)), "the source did not stay finished");
    (pieces, result)
}

/// Bytes whose pattern does not fit a segment, so that no two segments are equal.
fn plaintext(length: usize) -> Vec<u8> {
    (0_u8..251).chain(1..=251).cycle().take(length).collect()
}

fn chunks(data: &[u8], sizes: &[usize]) -> Chunks {
    let mut rest = Bytes::copy_from_slice(data);
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        pieces.push(rest.split_to((*size).min(rest.len())));
    }
    Chunks::new(pieces)
}

struct Sealed {
    pieces: Vec<Bytes>,
    result: Result<(), StreamError>,
    plain_length: u64,
    hashed: Vec<u8>,
}

fn seal(source: &mut dyn ByteSource, length: Length) -> Sealed {
    let (cipher, mut hasher) = (Cipher::new(KEY), Recorder::default());
    let mut sealing = SealingSource::new(source, length, &cipher, &mut hasher);
    let (pieces, result) = drain(&mut sealing);
    Sealed { pieces, result, plain_length: sealing.plain_length(), hashed: hasher.0 }
}

fn sealed_bytes(plain: &[u8]) -> Vec<u8> {
    seal(&mut chunks(plain, &[70_001]), Length::AtMost(u64::MAX)).pieces.concat()
}

/// The format once more, as its description says it.
fn sealed_by_the_book(plain: &[u8]) -> Vec<u8> {
    let segments: Vec<&[u8]> = plain.chunks(SEGMENT_LENGTH).collect();
    let cipher = Aes256Gcm::new(&KEY.into());
    let seal = |(number, segment): (usize, &&[u8])| {
        let mut nonce = [0; 12];
        nonce[10] = u8::try_from(number).unwrap();
        nonce[11] = u8::from(number + 1 == segments.len());
        cipher.encrypt(&Nonce::from(nonce), *segment).unwrap()
    };
    segments.iter().enumerate().flat_map(seal).collect()
}

/// Opens `range` from `blob` as a store would: by fetching the bytes that `sealed_range` names,
/// as far as there are any.
fn open(blob: &[u8], range: Range<usize>, total: usize, key: [u8; 32]) -> (Vec<u8>, Result<(), StreamError>) {
    let (range, total) = (range.start as u64..range.end as u64, total as u64);
    let fetch = sealed_range(range.clone(), total);
    let start = usize::try_from(fetch.start).unwrap().min(blob.len());
    let end = usize::try_from(fetch.end).unwrap().min(blob.len());
    let source = Box::new(chunks(&blob[start..end], &[99_991, 1, 300_000]));
    let mut opening = OpeningSource::new("b/one".to_owned(), range, total, source, Box::new(Cipher::new(key)));
    let (pieces, result) = drain(&mut opening);
    (pieces.concat(), result)
}

/// Opens all of a damaged blob: it must fail by name, after nothing but true bytes.
fn assert_refused(damaged: &[u8], plain: &[u8], what: &str) {
    let (opened, result) = open(damaged, 0..plain.len(), plain.len(), KEY);
    match result {
        Err(StreamError::Corrupt(message) | StreamError::Truncated(message)) => {
            assert!(message.contains("b/one"), "{what}: {message}");
        }
        other => panic!("{what}: {other:?}"),
    }
    assert!(opened.len() < plain.len() && plain.starts_with(&opened), "{what}: bytes that are not true");
}

#[test]
fn every_length_around_the_borders_is_sealed_by_the_book_and_opens() {
    for length in LENGTHS {
        let plain = plaintext(length);
        let book = sealed_by_the_book(&plain);
        assert_eq!(sealed_length(length as u64), book.len() as u64, "{length}");
        for announced in [Length::Exactly(length as u64), Length::AtMost(length as u64), Length::AtMost(u64::MAX)] {
            for sizes in [vec![SEGMENT_LENGTH], vec![usize::MAX], vec![65_536], vec![100_003, 1]] {
                let sealed = seal(&mut chunks(&plain, &sizes), announced);
                assert_eq!(sealed.result, Ok(()));
                assert_eq!(sealed.plain_length, length as u64);
                assert!(sealed.hashed == plain, "{length} in {sizes:?}: hashed other bytes");
                assert!(sealed.pieces.concat() == book, "{length} in {sizes:?}: sealed otherwise");
            }
        }
        let (opened, result) = open(&book, 0..length, length, KEY);
        assert_eq!(result, Ok(()));
        assert!(opened == plain, "{length}: opened otherwise");
    }
}

#[test]
fn pieces_are_whole_segments() {
    let sealed = seal(&mut chunks(&plaintext(2 * SEGMENT_LENGTH + 5), &[1_000]), Length::AtMost(u64::MAX));
    let lengths: Vec<usize> = sealed.pieces.iter().map(Bytes::len).collect();
    assert_eq!(lengths, [SEALED_SEGMENT, SEALED_SEGMENT, 5 + 16]);
}

#[test]
fn a_chunk_that_is_a_segment_is_not_copied() {
    struct SamePlace(*const u8);
    #[async_trait(?Send)]
    impl SegmentCipher for SamePlace {
        async fn seal(&self, _: [u8; 12], plain: Bytes) -> Result<Bytes, CryptoError> {
            assert_eq!(plain.as_ptr(), self.0);
            Ok(plain)
        }
        async fn open(&self, _: [u8; 12], _: Bytes) -> Result<Bytes, CryptoError> {
            Err(CryptoError::Failed)
        }
    }
    let chunk = Bytes::from(plaintext(SEGMENT_LENGTH));
    let (cipher, mut hasher) = (SamePlace(chunk.as_ptr()), Recorder::default());
    let mut source = Chunks::new([chunk]);
    let (pieces, result) = drain(&mut SealingSource::new(&mut source, Length::AtMost(1 << 20), &cipher, &mut hasher));
    assert_eq!((pieces.len(), result), (1, Ok(())));
}

#[test]
fn a_plaintext_over_the_limit_stops_as_soon_as_it_is() {
    for limit in [0, 1, SEGMENT_LENGTH - 1, SEGMENT_LENGTH, 2 * SEGMENT_LENGTH - 1] {
        for length in [Length::AtMost(limit as u64), Length::Exactly(limit as u64)] {
            let sealed = seal(&mut chunks(&plaintext(3 * SEGMENT_LENGTH), &[65_536]), length);
            assert_eq!(sealed.result, Err(StreamError::TooLong), "{length:?}");
            assert!(sealed.plain_length <= limit as u64 + 65_536, "{length:?}: read on");
        }
    }
}

#[test]
fn a_plaintext_that_breaks_off_never_gets_a_last_segment() {
    let plain = plaintext(2 * SEGMENT_LENGTH);
    for came in [0, 1, SEGMENT_LENGTH, SEGMENT_LENGTH + 1, 2 * SEGMENT_LENGTH - 1] {
        let early = seal(&mut chunks(&plain[..came], &[SEGMENT_LENGTH]), Length::Exactly(plain.len() as u64));
        assert!(matches!(early.result, Err(StreamError::Truncated(_))), "{came}: {:?}", early.result);
        let mut failing = Failing(chunks(&plain[..came], &[SEGMENT_LENGTH]));
        let failed = seal(&mut failing, Length::AtMost(u64::MAX));
        assert_eq!(failed.result, Err(StreamError::Io("cable pulled".to_owned())));
        for blob in [early.pieces.concat(), failed.pieces.concat()] {
            assert!(came == 0 || open(&blob, 0..came, came, KEY).1.is_err(), "{came}: it passes for a whole blob");
        }
    }
}

#[test]
fn flipped_bytes_are_noticed_wherever_they_are() {
    let plain = plaintext(2 * SEGMENT_LENGTH + 100);
    let blob = sealed_bytes(&plain);
    let borders = [0, 1, SEALED_SEGMENT - 17, SEALED_SEGMENT - 1, SEALED_SEGMENT, 2 * SEALED_SEGMENT, blob.len() - 1];
    for at in borders {
        let mut damaged = blob.clone();
        damaged[at] ^= 1;
        assert_refused(&damaged, &plain, &format!("byte {at} flipped"));
    }
}

#[test]
fn a_cut_tail_is_noticed_wherever_it_is() {
    for length in [5, SEGMENT_LENGTH, SEGMENT_LENGTH + 5, 2 * SEGMENT_LENGTH] {
        let plain = plaintext(length);
        let blob = sealed_bytes(&plain);
        for cut in [1, 16, 17, SEALED_SEGMENT, blob.len()] {
            assert_refused(&blob[..blob.len().saturating_sub(cut)], &plain, &format!("{length} cut by {cut}"));
        }
    }
}

#[test]
fn exchanged_repeated_and_missing_segments_are_noticed() {
    let plain = plaintext(4 * SEGMENT_LENGTH);
    let blob = sealed_bytes(&plain);
    let segments: Vec<&[u8]> = blob.chunks(SEALED_SEGMENT).collect();
    for order in [[1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2], [3, 1, 2, 0], [0, 0, 2, 3], [0, 1, 1, 3], [0, 1, 2, 2]] {
        let damaged = order.map(|i| segments[i]).concat();
        assert_refused(&damaged, &plain, &format!("order {order:?}"));
    }
    assert_refused(&[segments[0], segments[2], segments[3]].concat(), &plain, "segment 1 left out");
}

#[test]
fn a_blob_does_not_pass_for_a_shorter_or_longer_one() {
    let plain = plaintext(3 * SEGMENT_LENGTH);
    let blob = sealed_bytes(&plain);
    // Cut at a segment's end, with the length forged to match: the flag tells.
    let (opened, result) = open(&blob, 0..2 * SEGMENT_LENGTH, 2 * SEGMENT_LENGTH, KEY);
    assert!(matches!(result, Err(StreamError::Corrupt(_))), "{result:?}");
    assert_eq!(opened.len(), SEGMENT_LENGTH);
    // The last segment in the place of a middle one.
    let longer = [blob.as_slice(), &blob[2 * SEALED_SEGMENT..]].concat();
    let (opened, result) = open(&longer, 0..4 * SEGMENT_LENGTH, 4 * SEGMENT_LENGTH, KEY);
    assert!(matches!(result, Err(StreamError::Corrupt(_))), "{result:?}");
    assert_eq!(opened.len(), 2 * SEGMENT_LENGTH);
}

#[test]
fn appended_bytes_change_nothing() {
    for length in [5, SEGMENT_LENGTH, SEGMENT_LENGTH + 5] {
        let plain = plaintext(length);
        let blob = [sealed_bytes(&plain), vec![7; 40]].concat();
        assert!(open(&blob, 0..length, length, KEY) == (plain, Ok(())), "{length}");
    }
}

#[test]
fn another_key_opens_nothing() {
    let plain = plaintext(SEGMENT_LENGTH + 5);
    let (opened, result) = open(&sealed_bytes(&plain), 0..plain.len(), plain.len(), [43; 32]);
    assert!(matches!(result, Err(StreamError::Corrupt(_))), "{result:?}");
    assert_eq!(opened.len(), 0);
}

#[test]
fn a_failing_store_breaks_the_opening_off() {
    let plain = plaintext(2 * SEGMENT_LENGTH);
    let blob = sealed_bytes(&plain);
    let source = Box::new(Failing(chunks(&blob[..SEALED_SEGMENT + 9], &[1_000])));
    let total = plain.len() as u64;
    let (pieces, result) =
        drain(&mut OpeningSource::new("b".to_owned(), 0..total, total, source, Box::new(Cipher::new(KEY))));
    assert_eq!(result, Err(StreamError::Io("cable pulled".to_owned())));
    assert!(pieces.concat() == plain[..SEGMENT_LENGTH]);
}

#[test]
fn lengths_and_ranges_bear_any_number() {
    assert_eq!(sealed_length(0), 0);
    assert_eq!(sealed_length(SEGMENT), SEGMENT + 16);
    assert_eq!(sealed_length(SEGMENT + 1), SEGMENT + 33);
    assert_eq!(sealed_length(u64::MAX), u64::MAX);
    assert_eq!(sealed_range(0..u64::MAX, u64::MAX), 0..u64::MAX);
    assert_eq!(sealed_range(3..3, 10), 0..0);
    assert_eq!(sealed_range(10..20, 10), 0..0);
    assert_eq!(sealed_range(0..u64::MAX, 10), 0..26);
    assert_eq!(sealed_range(SEGMENT - 1..SEGMENT, 3 * SEGMENT), 0..SEGMENT + 16);
    assert_eq!(sealed_range(SEGMENT..SEGMENT + 1, 3 * SEGMENT), SEGMENT + 16..2 * (SEGMENT + 16));
}

/// As often a border as not.
fn some_length() -> impl Strategy<Value = usize> {
    prop_oneof![prop::sample::select(LENGTHS.to_vec()), 0..3 * SEGMENT_LENGTH]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_chunking_gives_the_same_blob(
        length in some_length(),
        sizes in prop::collection::vec(prop_oneof![1..5_000_usize, 1..600_000_usize], 1..8),
    ) {
        // Sizes that are all tiny would take long.
        let sizes = [sizes, vec![200_000]].concat();
        let plain = plaintext(length);
        let sealed = seal(&mut chunks(&plain, &sizes), Length::Exactly(length as u64));
        prop_assert_eq!(sealed.result, Ok(()));
        prop_assert!(sealed.hashed == plain);
        prop_assert!(sealed.pieces.concat() == sealed_by_the_book(&plain));
    }

    #[test]
    fn any_range_opens_to_its_bytes(length in some_length(), a in any::<prop::sample::Index>(), b in some_length()) {
        let plain = plaintext(length);
        let start = a.index(length + 1);
        let end = b.clamp(start, length);
        let (opened, result) = open(&sealed_bytes(&plain), start..end, length, KEY);
        prop_assert_eq!(result, Ok(()));
        prop_assert!(opened == plain[start..end]);
    }

    #[test]
    fn any_flipped_bit_is_noticed(length in 1..600_000_usize, at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let plain = plaintext(length);
        let mut blob = sealed_bytes(&plain);
        let at = at.index(blob.len());
        blob[at] ^= 1_u8 << bit;
        assert_refused(&blob, &plain, &format!("bit {bit} of byte {at} of {length}"));
    }
}
