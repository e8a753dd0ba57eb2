//! AES-GCM and hashes by the Web Crypto API: many times faster than wasm.

use adler2::Adler32;
use async_trait::async_trait;
use bytes::Bytes;
use js_sys::futures::JsFuture;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AesGcmParams, CryptoKey, SubtleCrypto, WritableStreamDefaultWriter};
use worker_sys::DigestStream;

use super::js;
use crate::ports::{ContentHasher, Crypto, CryptoError, Digests, SegmentCipher};

const AES_GCM: &str = "AES-GCM";

/// The Web Crypto API.
pub struct WebCrypto;

#[async_trait(?Send)]
impl Crypto for WebCrypto {
    async fn cipher(&self, key: &[u8; 32]) -> Result<Box<dyn SegmentCipher>, CryptoError> {
        let subtle = js::CRYPTO.with(web_sys::Crypto::subtle);
        let usages = Array::of2(&"encrypt".into(), &"decrypt".into());
        let raw = Uint8Array::new_from_slice(key);
        let imported = subtle.import_key_with_str("raw", &raw, AES_GCM, false, &usages).map_err(failed)?;
        let key = imported.await.map_err(failed)?.unchecked_into();
        Ok(Box::new(AesGcm { subtle, key }))
    }

    fn hasher(&self) -> Box<dyn ContentHasher> {
        Box::new(Hasher {
            sha1: Digest::new("SHA-1"),
            md5: Digest::new("MD5"),
            sha256: Digest::new("SHA-256"),
            adler32: Adler32::new(),
        })
    }
}

struct AesGcm {
    subtle: SubtleCrypto,
    key: CryptoKey,
}

// The arrays are handed over as views of wasm's memory: WebCrypto takes its own copy at once.
#[async_trait(?Send)]
impl SegmentCipher for AesGcm {
    async fn seal(&self, nonce: [u8; 12], plain: Bytes) -> Result<Bytes, CryptoError> {
        let sealed = self.subtle.encrypt_with_object_and_u8_array(&params(nonce), &self.key, &plain).map_err(failed)?;
        Ok(bytes(&sealed.await.map_err(failed)?))
    }

    async fn open(&self, nonce: [u8; 12], sealed: Bytes) -> Result<Bytes, CryptoError> {
        let plain = self.subtle.decrypt_with_object_and_u8_array(&params(nonce), &self.key, &sealed).map_err(failed)?;
        Ok(bytes(&plain.await.map_err(refused)?))
    }
}

fn params(nonce: [u8; 12]) -> AesGcmParams {
    let params = AesGcmParams::new(AES_GCM, &Uint8Array::new_from_slice(&nonce));
    params.set_tag_length(128);
    params
}

/// Moves an `ArrayBuffer` into wasm's memory.
fn bytes(buffer: &JsValue) -> Bytes {
    let array = Uint8Array::new(buffer);
    let bytes = array.to_vec().into();
    js::free(&array.buffer());
    bytes
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(thrown: JsValue) -> CryptoError {
    log::error!("Web Crypto: {}", js::message(&thrown));
    CryptoError::Failed
}

/// A tag that does not match is an `OperationError`.
fn refused(thrown: JsValue) -> CryptoError {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) if error.name() == "OperationError" => CryptoError::Tag,
        _ => failed(thrown),
    }
}

/// One hash that is being computed.
struct Digest {
    writer: Result<WritableStreamDefaultWriter, JsValue>,
    promise: Promise,
}

impl Digest {
    fn new(algorithm: &str) -> Self {
        let stream = DigestStream::new(algorithm);
        Self { writer: stream.get_writer(), promise: stream.digest() }
    }

    fn writer(&self) -> Result<&WritableStreamDefaultWriter, CryptoError> {
        self.writer.as_ref().map_err(|thrown| failed(thrown.clone()))
    }

    async fn finish<const N: usize>(self) -> Result<[u8; N], CryptoError> {
        JsFuture::from(self.writer()?.close()).await.map_err(failed)?;
        let digest = bytes(&JsFuture::from(self.promise).await.map_err(failed)?);
        <[u8; N]>::try_from(&digest[..]).map_err(|_| CryptoError::Failed)
    }
}

struct Hasher {
    sha1: Digest,
    md5: Digest,
    sha256: Digest,
    /// WebCrypto has none.
    adler32: Adler32,
}

#[async_trait(?Send)]
impl ContentHasher for Hasher {
    async fn update(&mut self, data: &Bytes) -> Result<(), CryptoError> {
        self.adler32.write_slice(data);
        // One copy out of wasm's memory, which all three read.
        let shared = Uint8Array::new_from_slice(data);
        let mut writes = Vec::with_capacity(3);
        for digest in [&self.sha1, &self.md5, &self.sha256] {
            writes.push(JsFuture::from(digest.writer()?.write_with_chunk(&shared)));
        }
        for write in writes {
            write.await.map_err(failed)?;
        }
        js::free(&shared.buffer());
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Digests, CryptoError> {
        Ok(Digests {
            sha1: self.sha1.finish().await?,
            md5: self.md5.finish().await?,
            sha256: self.sha256.finish().await?,
            adler32: self.adler32.checksum().to_be_bytes(),
        })
    }
}
