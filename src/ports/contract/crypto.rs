//! The contract of `Crypto`, with published test vectors.

use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{check, check_equal, done};
use crate::ports::{Crypto, CryptoError, Digests, SEGMENT_TAG, SegmentCipher};

/// Checks a runtime's cryptography.
pub async fn crypto(crypto: &dyn Crypto) -> Result<(), String> {
    gcm_vectors(crypto).await?;
    segments_round_trip(crypto).await?;
    tampering_is_noticed(crypto).await?;
    digest_vectors(crypto).await?;
    hashers_do_not_mix(crypto).await
}

struct GcmVector {
    key: &'static str,
    nonce: &'static str,
    plain: &'static str,
    sealed: &'static str,
}

/// Test cases 13 to 15 of "The Galois/Counter Mode of Operation (GCM)", the paper that proposed it.
const GCM_VECTORS: [GcmVector; 3] = [
    GcmVector {
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        plain: "",
        sealed: "530f8afbc74536b9a963b4f1c4cb738b",
    },
    GcmVector {
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        plain: "00000000000000000000000000000000",
        sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    },
    GcmVector {
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                 8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad\
                 b094dac5d93471bdec1a502270e3cc6c",
    },
];

async fn gcm_vectors(crypto: &dyn Crypto) -> Result<(), String> {
    for vector in GCM_VECTORS {
        let (plain, sealed) = (unhex(vector.plain)?, unhex(vector.sealed)?);
        let nonce = array(vector.nonce)?;
        let cipher = done(crypto.cipher(&array(vector.key)?).await, "cipher")?;
        check_equal(&done(cipher.seal(nonce, plain.clone()).await, "seal")?, &sealed, "seal of a test vector")?;
        check_equal(&done(cipher.open(nonce, sealed).await, "open")?, &plain, "open of a test vector")?;
    }
    Ok(())
}

async fn segments_round_trip(crypto: &dyn Crypto) -> Result<(), String> {
    let cipher = done(crypto.cipher(&[7; 32]).await, "cipher")?;
    for length in [1, 15, 16, 17, 65_537, 256 * 1024] {
        let plain: Bytes = (0_u8..=255).cycle().take(length).collect();
        let (before, shared) = (plain.to_vec(), plain.clone());
        let sealed = done(cipher.seal([1; 12], plain).await, "seal")?;
        check_equal(&sealed.len(), &(length + SEGMENT_TAG), "a tag of 16 bytes is appended")?;
        check(shared == before, "sealing leaves bytes alone that others hold")?;
        let opened = done(cipher.open([1; 12], sealed).await, "open")?;
        check(opened == before, &format!("{length} bytes open to what was sealed"))?;
    }
    Ok(())
}

async fn tampering_is_noticed(crypto: &dyn Crypto) -> Result<(), String> {
    let cipher = done(crypto.cipher(&[7; 32]).await, "cipher")?;
    let sealed = done(cipher.seal([1; 12], Bytes::from_static(b"twenty bytes of text")).await, "seal")?;
    for at in 0..sealed.len() {
        let flipped: Bytes = sealed.iter().enumerate().map(|(i, byte)| byte ^ u8::from(i == at)).collect();
        refused(&*cipher, [1; 12], flipped, &format!("byte {at} flipped")).await?;
        refused(&*cipher, [1; 12], sealed.slice(..at), &format!("cut to {at} bytes")).await?;
    }
    let longer: Bytes = sealed.iter().copied().chain([0]).collect();
    refused(&*cipher, [1; 12], longer, "a byte appended").await?;
    refused(&*cipher, [2; 12], sealed.clone(), "another nonce").await?;
    let other = done(crypto.cipher(&[8; 32]).await, "cipher")?;
    refused(&*other, [1; 12], sealed, "another key").await
}

async fn refused(cipher: &dyn SegmentCipher, nonce: [u8; 12], sealed: Bytes, what: &str) -> Result<(), String> {
    check_equal(&cipher.open(nonce, sealed).await, &Err(CryptoError::Tag), &format!("{what} is refused by the tag"))
}

struct DigestVector {
    data: &'static [u8],
    times: usize,
    sha1: &'static str,
    md5: &'static str,
    sha256: &'static str,
    adler32: [u8; 4],
}

/// FIPS 180-2, appendices A and B, and RFC 1321, A.5.
const DIGEST_VECTORS: [DigestVector; 3] = [
    DigestVector {
        data: b"",
        times: 0,
        sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        md5: "d41d8cd98f00b204e9800998ecf8427e",
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        adler32: [0, 0, 0, 1],
    },
    DigestVector {
        data: b"abc",
        times: 1,
        sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
        md5: "900150983cd24fb0d6963f7d28e17f72",
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        adler32: [0x02, 0x4d, 0x01, 0x27],
    },
    DigestVector {
        data: b"a",
        times: 1_000_000,
        sha1: "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
        md5: "7707d6ae4e027c70eea2a935c2296f21",
        sha256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        adler32: [0x15, 0xd8, 0x70, 0xf9],
    },
];

async fn digest_vectors(crypto: &dyn Crypto) -> Result<(), String> {
    for vector in DIGEST_VECTORS {
        let data = Bytes::from(vector.data.repeat(vector.times));
        let expected = Digests {
            sha1: array(vector.sha1)?,
            md5: array(vector.md5)?,
            sha256: array(vector.sha256)?,
            adler32: vector.adler32,
        };
        for sizes in [&[usize::MAX][..], &[262_144], &[1, 63, 64, 65, 4_095, 10_007]] {
            let digests = digest(crypto, data.clone(), sizes).await?;
            check_equal(&digests, &expected, &format!("digests in pieces of {sizes:?}"))?;
        }
    }
    Ok(())
}

async fn digest(crypto: &dyn Crypto, mut data: Bytes, sizes: &[usize]) -> Result<Digests, String> {
    let mut hasher = crypto.hasher();
    for size in sizes.iter().cycle() {
        if data.is_empty() {
            break;
        }
        done(hasher.update(&data.split_to(data.len().min(*size))).await, "update")?;
    }
    done(hasher.finish().await, "finish")
}

async fn hashers_do_not_mix(crypto: &dyn Crypto) -> Result<(), String> {
    let (mut one, mut other) = (crypto.hasher(), crypto.hasher());
    drop(crypto.hasher());
    for _ in 0..100 {
        done(one.update(&Bytes::from_static(b"1")).await, "update")?;
        done(other.update(&Bytes::from_static(b"2")).await, "update")?;
    }
    let (one, other) = (done(one.finish().await, "finish")?, done(other.finish().await, "finish")?);
    check_equal(&one, &digest(crypto, vec![b'1'; 100].into(), &[100]).await?, "two hashers do not mix")?;
    check_equal(&other, &digest(crypto, vec![b'2'; 100].into(), &[100]).await?, "two hashers do not mix")?;
    check(one.sha256 != other.sha256, "two contents have two digests")
}

fn unhex(text: &str) -> Result<Bytes, String> {
    done(HEXLOWER.decode(text.as_bytes()), "a test vector").map(Bytes::from)
}

fn array<const N: usize>(text: &str) -> Result<[u8; N], String> {
    done(<[u8; N]>::try_from(&*unhex(text)?), "a test vector")
}
