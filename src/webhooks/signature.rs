//! Signatures, by which a receiver tells that a delivery comes from here and is whole.
//!
//! Each delivery has two: the one of `OpenCoperLock`, and that of Standard Webhooks 1.0, which also covers the id of the
//! event and the time of the attempt, so that a receiver can refuse replays.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a secret begins with that is a key in base64, as Standard Webhooks writes them.
pub const BASE64_SECRET: &str = "whsec_";

/// The headers of one attempt to deliver `body`. `id` names the event and is equal in all attempts; it holds no dot.
/// `sent_at` is the time of this attempt, in seconds.
pub fn sign(secret: &str, id: &str, sent_at: i64, body: &[u8]) -> [(&'static str, String); 4] {
    let of_body = hmac(secret.as_bytes(), &[body]);
    let of_all = hmac(&standard_key(secret), &[format!("{id}.{sent_at}.").as_bytes(), body]);
    [
        ("x-opencoperlock-signature", format!("sha256={}", HEXLOWER.encode(&of_body))),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", sent_at.to_string()),
        ("webhook-signature", format!("v1,{}", BASE64.encode(&of_all))),
    ]
}

/// The key that receivers by Standard Webhooks make of a secret. One that is not in its form is taken as it is.
fn standard_key(secret: &str) -> Vec<u8> {
    secret
        .strip_prefix(BASE64_SECRET)
        .and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok())
        .filter(|key| !key.is_empty())
        .unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// HMAC-SHA256 (RFC 2104) of the parts as one message.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(secret: &str, id: &str, sent_at: i64, body: &[u8], name: &str) -> String {
        sign(secret, id, sent_at, body).into_iter().find(|(other, _)| *other == name).unwrap().1
    }

    /// RFC 4231, section 4; case 5 truncates and is left out.
    #[test]
    fn hmac_gives_what_rfc_4231_says() {
        let counting: Vec<u8> = (1..=25).collect();
        let long_message = b"This is a test using a larger than block-size key and a larger than block-size data. \
            The key needs to be hashed before being used by the HMAC algorithm.";
        for (key, message, expected) in [
            (&[0x0b; 20][..], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (&[0xaa; 131], long_message, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        ] {
            assert_eq!(HEXLOWER.encode(&hmac(key, &[message])), expected);
            let (start, end) = message.split_at(message.len() / 3);
            assert_eq!(HEXLOWER.encode(&hmac(key, &[start, b"", end])), expected);
        }
    }

    /// The example that the libraries of Standard Webhooks are tested with.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let headers = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(
            headers[1..],
            [
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
                ("webhook-timestamp", "1614265330".to_owned()),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()),
            ]
        );
    }

    #[test]
    fn the_signature_of_opencoperlock_is_of_the_body_by_the_secret_as_typed() {
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let body = b"what do ya want for nothing?";
        assert_eq!(header("Jefe", "e1", 1, body, "x-opencoperlock-signature"), expected);
        assert_eq!(header("Jefe", "e2", 2, body, "x-opencoperlock-signature"), expected);
        let prefixed = "whsec_SmVmZQ==";
        assert_eq!(
            header(prefixed, "e1", 1, body, "x-opencoperlock-signature"),
            format!("sha256={}", HEXLOWER.encode(&hmac(prefixed.as_bytes(), &[body])))
        );
    }

    #[test]
    fn a_secret_is_decoded_only_if_it_is_base64_behind_the_prefix() {
        assert_eq!(standard_key("whsec_SmVmZQ=="), b"Jefe");
        for as_typed in
            ["Jefe", "SmVmZQ==", "whsec_", "whsec_SmVmZQ", "whsec_Sm Vm", "whsec_-_-_", "WHSEC_SmVmZQ==", "", "пароль"]
        {
            assert_eq!(standard_key(as_typed), as_typed.as_bytes(), "{as_typed}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_signed_in_the_form_of_the_specifications(
            secret in ".{0,80}", id in "[A-Za-z0-9_-]{1,40}", sent_at in 0_i64.., body in any::<Vec<u8>>(),
        ) {
            let signature = header(&secret, &id, sent_at, &body, "x-opencoperlock-signature");
            let hex = signature.strip_prefix("sha256=").unwrap();
            prop_assert!(hex.len() == 64 && hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')));
            let signature = header(&secret, &id, sent_at, &body, "webhook-signature");
            prop_assert_eq!(BASE64.decode(signature.strip_prefix("v1,").unwrap().as_bytes()).unwrap().len(), 32);
        }

        #[test]
        fn another_body_id_time_or_secret_is_another_signature(body in any::<Vec<u8>>(), byte in any::<u8>()) {
            let signature = |secret: &str, id: &str, at, body: &[u8]| header(secret, id, at, body, "webhook-signature");
            let longer = [&body[..], &[byte]].concat();
            let own = signature("s", "e1", 5, &body);
            for other in [
                signature("s", "e1", 5, &longer),
                signature("s", "e2", 5, &body),
                signature("s", "e1", 6, &body),
                signature("t", "e1", 5, &body),
            ] {
                prop_assert_ne!(&own, &other);
            }
        }
    }
}
