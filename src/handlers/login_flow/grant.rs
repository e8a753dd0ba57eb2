//! Who grants a client a token, and the token. Until the client asks for it, it is kept sealed under the master keys.

use serde::{Deserialize, Serialize};

use crate::auth;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::store::{NewToken, Scope, Scopes, View, ViewRequest};

/// A person who has shown a token of the account that they say is theirs.
pub struct Approval {
    view: View,
    /// The token that was shown.
    token: String,
}

/// What a client is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Granted {
    /// The account's login.
    pub login: String,
    /// The token that it is to use as password.
    pub token: String,
    /// The number of the token, where it is a new one.
    id: Option<i64>,
}

impl Approval {
    /// 401 or 404 where the two do not belong together, 403 for a token that may not read and write.
    pub async fn read(cx: &Context<'_>, login: &str, token: &str) -> Result<Self> {
        let credentials = auth::credentials_of(token)?;
        let drive = cx.drive_of(credentials.account);
        drive.expect_login(login);
        let view = drive.view(&credentials, &ViewRequest::default(), Vec::new()).await?;
        view.caller.scopes.require(Scope::Read)?;
        view.caller.scopes.require(Scope::Write)?;
        Ok(Self { view, token: token.to_owned() })
    }

    /// A new token that may read and write, no more and no longer than the one that was shown. One that may not make others
    /// is handed on itself: a copy of it would outlive it.
    pub async fn grant(&self, cx: &Context<'_>, client: &str) -> Result<Granted> {
        let caller = &self.view.caller;
        let login = caller.login.clone();
        if !caller.scopes.has(Scope::Manage) {
            return Ok(Granted { login, token: self.token.clone(), id: None });
        }
        let token = auth::new_secret(cx.ports, self.view.account());
        let new = NewToken {
            hash: auth::hash_token(&token),
            name: client.to_owned(),
            scopes: Scopes::new(&[Scope::Read, Scope::Write]).ok_or_else(|| Error::internal("no scopes"))?,
            folder_id: caller.folder_id,
            expires_at: caller.expires_at,
        };
        let id = self.view.create_token(&new).await?.id;
        Ok(Granted { login, token, id: Some(id) })
    }

    /// Revokes a new token that nobody will be told.
    pub async fn revoke(&self, granted: &Granted) {
        if let Some(id) = granted.id
            && let Err(error) = self.view.delete_token(id).await
        {
            log::warn!("a token that nobody knows was not revoked: {error}");
        }
    }
}

impl Granted {
    /// As it is kept for the client whose secret has the hash `poll`.
    pub fn seal(&self, cx: &Context<'_>, poll: &str) -> String {
        let mut nonce = [0; 12];
        cx.ports.random.fill(&mut nonce);
        let plain = serde_json::json!(self).to_string();
        cx.config.keys.seal(plain.as_bytes(), &aad(poll), nonce)
    }

    /// What was sealed for that client.
    pub fn open(cx: &Context<'_>, sealed: &str, poll: &str) -> Result<Self> {
        let plain = cx.config.keys.open(sealed, &aad(poll)).map_err(Error::internal)?;
        serde_json::from_slice(&plain).map_err(|_| Error::internal("what was sealed for a login is malformed"))
    }
}

fn aad(poll: &str) -> String {
    format!("login:{poll}")
}
