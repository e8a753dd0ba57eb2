//! Taking locks, and what becomes of them.

use crate::error::{Error, Result};
use crate::ports::{Statement, Value};
use crate::store::door::closing::Touched;
use crate::store::door::commit::{Held, LOCKS_UP, Place};
use crate::store::door::drive::Drive;
use crate::store::door::view::View;
use crate::store::ground::lock::{Lock, NewLock};
use crate::store::ground::node::Node;

impl View {
    /// Locks a node that exists. One round trip.
    pub async fn lock(&self, held: &Held, lock: &NewLock) -> Result<()> {
        let mut batch = self.guards_of_held(held);
        batch.push(self.purge_locks());
        batch.push(self.insert_lock("SELECT ?8", vec![held.id.into()], lock));
        self.commit(batch, &Touched::node(held.id)).await?;
        Ok(())
    }

    /// The statement that locks the node at `parent`/`name`, made earlier in the same batch.
    pub(in crate::store) fn lock_made(&self, place: &Place, lock: &NewLock) -> Statement {
        self.insert_lock(
            "SELECT id FROM nodes WHERE parent_id = ?8 AND name = ?9",
            vec![place.parent.into(), place.name.as_str().into()],
            lock,
        )
    }

    fn insert_lock(&self, node: &str, params: Vec<Value>, lock: &NewLock) -> Statement {
        let taken = lock.taken(self.now);
        let mut all = vec![
            taken.token.into(),
            self.account.into(),
            lock.exclusive.into(),
            lock.infinite.into(),
            taken.owner.into(),
            taken.timeout_s.into(),
            taken.expires_at.into(),
        ];
        all.extend(params);
        Statement::write(
            format!(
                "INSERT INTO locks (token, account_id, node_id, exclusive, infinite, owner, timeout_s, expires_at, \
                   taken_at) \
                 SELECT ?1, ?2, ({node}), ?3, ?4, ?5, ?6, ?7, ?7 - ?6 * 1000"
            ),
            all,
        )
    }

    /// Prolongs a lock; 412 where it is gone. One round trip.
    pub async fn refresh_lock(&self, lock: &Lock, timeout_s: i64) -> Result<Lock> {
        let expires_at = self.now + timeout_s * 1000;
        let statement = Statement::write(
            "UPDATE locks SET timeout_s = ?3, expires_at = ?4 \
             WHERE token = ?1 AND account_id = ?2 AND expires_at > ?5 RETURNING token",
            [lock.token.as_str().into(), self.account.into(), timeout_s.into(), expires_at.into(), self.now.into()],
        );
        if !self.gives_row(statement).await? {
            return Err(Error::PreconditionFailed("the lock has expired".to_owned()));
        }
        let mut refreshed = lock.clone();
        refreshed.timeout_s = timeout_s;
        refreshed.expires_at = expires_at;
        Ok(refreshed)
    }

    /// Removes a lock; 409 where it is gone. One round trip.
    pub async fn unlock(&self, token: &str) -> Result<()> {
        let statement = Statement::write(
            "DELETE FROM locks WHERE token = ?1 AND account_id = ?2 RETURNING token",
            [token.into(), self.account.into()],
        );
        if self.gives_row(statement).await? {
            Ok(())
        } else {
            Err(Error::ConflictCondition("lock-token-matches-request-uri"))
        }
    }

    async fn gives_row(&self, statement: Statement) -> Result<bool> {
        let results = self.commit(vec![statement], &Touched::nothing()).await?;
        Ok(results.first().is_some_and(|rows| !rows.is_empty()))
    }
}

impl Drive {
    /// Forgets locks that have expired.
    pub(super) fn purge_locks(&self) -> Statement {
        Statement::write(
            "DELETE FROM locks WHERE account_id = ?1 AND expires_at <= ?2",
            [self.account.into(), self.now.into()],
        )
    }

    /// Gives the locks of a node that goes away to the one that comes to its place: a lock ends when nothing is at its URL
    /// (RFC 4918, 6.1), and until then holds for what is moved or copied there (7.6). For a batch, before the node goes.
    pub(super) fn keep_locks(replaced: &Node, heir: i64) -> Option<Statement> {
        let tokens = tokens_of(replaced)?;
        Some(Statement::write(
            "UPDATE locks SET node_id = ?1 WHERE token IN (SELECT value FROM json_each(?2))",
            [heir.into(), tokens.into()],
        ))
    }

    /// The same for an heir that the batch has made at `place`: the locks were kept at the folder until then.
    pub(super) fn hand_over_locks(replaced: &Node, place: &Place) -> Option<Statement> {
        let tokens = tokens_of(replaced)?;
        Some(Statement::write(
            "UPDATE locks SET node_id = (SELECT id FROM nodes WHERE parent_id = ?1 AND name = ?2) \
             WHERE token IN (SELECT value FROM json_each(?3))",
            [place.parent.into(), place.name.as_str().into(), tokens.into()],
        ))
    }

    /// Removes all locks on a node and below it: they do not travel with a MOVE (RFC 4918, 7.5).
    pub(super) fn drop_locks(&self, node: i64) -> Statement {
        Statement::write(
            format!("WITH RECURSIVE {LOCKS_UP} DELETE FROM locks WHERE token IN (SELECT token FROM up WHERE id = ?3)"),
            [self.account.into(), self.now.into(), node.into()],
        )
    }
}

/// The tokens of the locks on a node as JSON; none where there are none.
fn tokens_of(node: &Node) -> Option<String> {
    let tokens: Vec<_> = node.locks.iter().map(|lock| lock.token.as_str()).collect();
    (!tokens.is_empty()).then(|| serde_json::json!(tokens).to_string())
}
