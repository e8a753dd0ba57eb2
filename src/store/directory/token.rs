//! Access tokens as rows. Making and reading them is in `auth/`.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ports::{Millis, Statement};
use crate::store::door::closing::Touched;
use crate::store::door::view::View;
use crate::store::ground::scope::Scopes;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// SHA-256 of the token in hexadecimal.
    pub hash: String,
    /// A name for people.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// The folder that it is confined to.
    pub folder_id: Option<i64>,
    /// When it ends.
    pub expires_at: Option<Millis>,
}

/// What is known of a token.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenInfo {
    /// Its number.
    pub id: i64,
    /// A name for people.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// The folder that it is confined to.
    pub folder_id: Option<i64>,
    /// When it was made.
    pub created_at: Millis,
    /// When it ends.
    pub expires_at: Option<Millis>,
    /// When it was last used, to the hour.
    pub used_at: Option<Millis>,
}

/// Tokens that an account may have.
const MOST: i64 = 1_000;

/// Whether the folder `folder`, a column or parameter, is `limit` or below it; where `limit` is NULL, any is. A folder in the
/// trash is below none that is not.
fn is_within(folder: &str, limit: &str) -> String {
    format!(
        "({limit} IS NULL OR {limit} IN (WITH RECURSIVE up(id) AS (SELECT {folder} UNION ALL \
           SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) SELECT id FROM up))"
    )
}

impl View {
    /// Makes a token. The folder must be one of this drive, and within the caller's: 404 if not. One round trip.
    pub async fn create_token(&self, token: &NewToken) -> Result<TokenInfo> {
        let sql = format!(
            "WITH RECURSIVE up(id) AS (SELECT ?5 WHERE ?5 IS NOT NULL UNION ALL \
               SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) \
             INSERT INTO tokens (account_id, hash, name, scopes, folder_id, created_at, expires_at) \
             SELECT d.account_id, ?2, ?3, ?4, ?5, ?6, ?7 FROM drives d WHERE d.account_id = ?1 AND {} AND (?5 IS NULL OR ( \
               EXISTS (SELECT 1 FROM nodes WHERE id = ?5 AND content_id IS NULL) \
               AND EXISTS (SELECT 1 FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.root_of = ?1))) \
             RETURNING id, name, scopes, folder_id, created_at, expires_at, used_at",
            is_within("?5", "?8")
        );
        let insert = Statement::write(
            sql,
            [
                self.account.into(),
                token.hash.as_str().into(),
                token.name.as_str().into(),
                token.scopes.column().into(),
                token.folder_id.into(),
                self.now.into(),
                token.expires_at.into(),
                self.caller.folder_id.into(),
            ],
        );
        let most = Statement::write(
            "INSERT INTO guard SELECT 'tokens' WHERE (SELECT count(*) FROM tokens WHERE account_id = ?1) > ?2",
            [self.account.into(), MOST.into()],
        );
        let results = self.commit(vec![insert, most], &Touched::nothing()).await?;
        results.one(0)?.ok_or(Error::NotFound("the account or folder"))
    }

    /// Revokes a token: 404 where `tokens` has none of that number. One round trip.
    pub async fn delete_token(&self, id: i64) -> Result<()> {
        let statement = Statement::write(
            format!(
                "DELETE FROM tokens WHERE id = ?1 AND account_id = ?2 AND {} RETURNING id",
                is_within("tokens.folder_id", "?3")
            ),
            [id.into(), self.account.into(), self.caller.folder_id.into()],
        );
        let results = self.commit(vec![statement], &Touched::ended_token(self, id)).await?;
        let is_deleted = results.first().is_some_and(|rows| !rows.is_empty());
        if is_deleted { Ok(()) } else { Err(Error::NotFound("the token")) }
    }

    /// All tokens of the account that the caller may make, by their folder: those that are confined to the caller's or one
    /// below it, for a caller without one all. In the order of their making. One round trip.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>> {
        let statement = Statement::read(
            format!(
                "SELECT id, name, scopes, folder_id, created_at, expires_at, used_at FROM tokens \
                 WHERE account_id = ?1 AND {} ORDER BY id",
                is_within("tokens.folder_id", "?2")
            ),
            [self.account.into(), self.caller.folder_id.into()],
        );
        let results = self.query(vec![statement]).await?;
        results.all(0)
    }
}
