//! One request, and what it works with.

use std::rc::Rc;

use http::{HeaderMap, Method, Uri};

use crate::auth;
use crate::config::Config;
use crate::error::Result;
use crate::ports::Ports;
use crate::store::{Credentials, Drive, Meter};

/// One request without its body.
pub struct Context<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The runtime.
    pub ports: &'a Ports,
    /// Counts the request's SQL.
    pub meter: Rc<Meter>,
    /// The method.
    pub method: Method,
    /// The target.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
}

impl Context<'_> {
    /// The drive that the request's token names, and the token. 401 where there is none; nothing
    /// is read yet.
    pub fn drive(&self) -> Result<(Drive, Credentials)> {
        let credentials = auth::credentials(&self.headers)?;
        Ok((self.drive_of(credentials.account), credentials))
    }

    /// The drive of an account.
    pub fn drive_of(&self, account: i64) -> Drive {
        Drive::open(self.ports, &self.meter, account, self.config.kept)
    }

    /// A header as text; none where it is absent or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first value of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query()?;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}
