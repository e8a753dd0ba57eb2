//! What properties say of locks: `lockdiscovery` and `supportedlock` (RFC 4918, 15), and Nextcloud's `lock-*`.

use quick_xml::escape::escape;

use super::property::{Value, number, text, xml};
use super::resource::Resource;
use crate::ports::Millis;
use crate::store::Lock;

/// The content of `supportedlock`: all locks are write locks, exclusive or shared.
pub const SUPPORTED_LOCK: &str = "<d:lockentry xmlns:d=\"DAV:\"><d:lockscope><d:exclusive/></d:lockscope>\
     <d:locktype><d:write/></d:locktype></d:lockentry>\
     <d:lockentry xmlns:d=\"DAV:\"><d:lockscope><d:shared/></d:lockscope>\
     <d:locktype><d:write/></d:locktype></d:lockentry>";

/// A lock that a WebDAV client has taken, in `nc:lock-owner-type`.
pub const BY_WEBDAV: &str = "2";

/// The content of `lockdiscovery`, for locks with the hrefs that they were taken on.
pub fn lock_discovery(locks: &[(Lock, String)], now: Millis) -> String {
    locks.iter().map(|(lock, href)| active_lock(lock, href, now)).collect()
}

/// `activelock` (RFC 4918, 14.1)
fn active_lock(lock: &Lock, href: &str, now: Millis) -> String {
    let scope = if lock.is_exclusive() { "exclusive" } else { "shared" };
    let depth = if lock.is_infinite() { "infinity" } else { "0" };
    let seconds = ((lock.expires_at - now) / 1000).max(1);
    let owner = if lock.owner.is_empty() { String::new() } else { format!("<d:owner>{}</d:owner>", lock.owner) };
    let token = match lock.token.as_str() {
        "" => String::new(),
        token => format!("<d:locktoken><d:href>{}</d:href></d:locktoken>", escape(token)),
    };
    format!(
        "<d:activelock xmlns:d=\"DAV:\"><d:locktype><d:write/></d:locktype><d:lockscope><d:{scope}/></d:lockscope>\
         <d:depth>{depth}</d:depth>{owner}<d:timeout>Second-{seconds}</d:timeout>{token}\
         <d:lockroot><d:href>{}</d:href></d:lockroot></d:activelock>",
        escape(href)
    )
}

/// `lockdiscovery`
pub fn discovery<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    xml(lock_discovery(resource.locks, resource.viewer.now))
}

/// `nc:lock`
pub fn is_locked<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    number(i64::from(!resource.locks.is_empty()))
}

/// The lock that Nextcloud's properties, which know of one only, tell of.
pub fn lock<'a>(resource: &Resource<'a>) -> Option<&'a Lock> {
    resource.locks.first().map(|(lock, _)| lock)
}

/// `nc:lock-timeout`: the seconds from the beginning of the lock to its end.
pub fn timeout<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let lock = lock(resource)?;
    number((lock.expires_at - lock.taken_at) / 1000)
}

/// `nc:lock-token`, unless it is hidden from the caller.
pub fn token<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    text(&lock(resource).filter(|lock| !lock.token.is_empty())?.token)
}
