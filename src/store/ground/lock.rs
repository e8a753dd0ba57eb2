//! What is known of locks. What they forbid is decided in `dav/`.

use serde::Deserialize;

use crate::ports::Millis;

/// A lock that has not expired (RFC 4918, 6).
#[derive(Debug, Clone, Deserialize)]
pub struct Lock {
    /// The lock token, a URI.
    pub token: String,
    exclusive: i64,
    infinite: i64,
    /// What the client said of the owner: XML that stands by itself.
    pub owner: String,
    /// Seconds that it was granted for, from the last refresh.
    pub timeout_s: i64,
    /// When it ends.
    pub expires_at: Millis,
    /// When it was taken.
    pub taken_at: Millis,
}

impl Lock {
    /// Exclusive; else shared.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive == 1
    }

    /// The lock without what identifies it.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { token: String::new(), owner: String::new(), ..self.clone() }
    }

    /// Whether it holds for everything below the locked folder (depth infinity).
    pub fn is_infinite(&self) -> bool {
        self.infinite == 1
    }
}

/// A lock to be taken.
#[derive(Debug, Clone)]
pub struct NewLock {
    /// The lock token, a URI.
    pub token: String,
    /// Exclusive or shared.
    pub exclusive: bool,
    /// Depth infinity or 0.
    pub infinite: bool,
    /// XML that stands by itself.
    pub owner: String,
    /// Seconds.
    pub timeout_s: i64,
}

impl NewLock {
    /// The lock as it is once taken at `now`.
    pub fn taken(&self, now: Millis) -> Lock {
        Lock {
            token: self.token.clone(),
            exclusive: self.exclusive.into(),
            infinite: self.infinite.into(),
            owner: self.owner.clone(),
            timeout_s: self.timeout_s,
            expires_at: now + self.timeout_s * 1000,
            taken_at: now,
        }
    }
}
