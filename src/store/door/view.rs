//! Reading: the caller, the way to a node, its locks and a listing, in one round trip. The SQL is
//! in `query`.

use std::ops::Deref;

use serde::Deserialize;

use super::address::{Address, Credentials, Listing, ViewRequest};
use super::caller::Caller;
use super::drive::{Drive, Record};
use super::trail::Trail;
use crate::error::{Error, Result};
use crate::ports::{Millis, Rows, Statement};
use crate::store::ground::database::Results;
use crate::store::ground::node::Node;

/// The drive as it was read. Only what was read can be changed: the writing methods of the store are methods of a view.
pub struct View {
    drive: Drive,
    /// Who asks.
    pub caller: Caller,
    /// One for each address.
    pub trails: Vec<Trail>,
    /// The listing, without the folder itself.
    pub listing: Vec<Node>,
    /// What the statements gave that were sent along.
    pub also: Results,
}

impl View {
    /// The trail of the first address.
    pub fn trail(&self) -> Result<&Trail> {
        self.trails.first().ok_or_else(|| Error::internal("a view without a trail"))
    }
}

/// A view can be asked whatever the drive can.
impl Deref for View {
    type Target = Drive;

    fn deref(&self) -> &Drive {
        &self.drive
    }
}

#[derive(Deserialize)]
struct TrailRow {
    is_start: i64,
    #[serde(flatten)]
    node: Node,
}

impl Drive {
    /// Reads what `request` asks, for the caller of `credentials`: one round trip. An unknown or
    /// expired token is 401; a node of the drive outside the token's folder 403, one of another
    /// drive 404. `also` reads in the same batch, after that.
    pub async fn view(&self, credentials: &Credentials, request: &ViewRequest, also: Vec<Statement>) -> Result<View> {
        self.view_before_storing(credentials, request, also, Vec::new()).await
    }

    /// The same, and records the blobs that are about to be stored, in the same batch.
    pub async fn view_before_storing(
        &self,
        credentials: &Credentials,
        request: &ViewRequest,
        also: Vec<Statement>,
        records: Vec<Record>,
    ) -> Result<View> {
        let mut batch = vec![self.caller_statement(credentials)];
        for address in &request.addresses {
            batch.push(self.trail_statement(credentials, address, request.detail));
            if request.locks_below {
                batch.push(self.locks_below_statement(credentials, address));
            }
        }
        if let Some(address) = request.addresses.first() {
            batch.extend(self.listing_statement(credentials, address, request));
        }
        batch.extend(also);
        let mut results = self.look(batch, records).await?.0.into_iter();
        let mut rows = || results.next().ok_or_else(|| Error::internal("a batch gave too few results"));

        let caller: Caller = rows()?.first()?.ok_or(Error::Unauthorized)?;
        if caller.expires_at.is_some_and(|at| at <= self.now) {
            return Err(Error::Unauthorized);
        }
        if self.login.borrow().as_ref().is_some_and(|login| *login != caller.login) {
            return Err(Error::NoResource);
        }
        let mut trails = Vec::with_capacity(request.addresses.len());
        for address in &request.addresses {
            let mut trail = self.trail(address, &rows()?)?;
            if request.locks_below {
                trail.locks_below = rows()?.parse()?;
            }
            trails.push(trail);
        }
        let listing = match request.listing {
            Listing::Nothing => Vec::new(),
            _ => rows()?.parse()?,
        };
        self.record_use(&caller);
        Ok(View { drive: self.clone(), caller, trails, listing, also: Results(results.collect()) })
    }

    /// The drive for who needs no token: the operator's tools. `also` reads in the same batch. One round trip; 404 where
    /// there is no such drive.
    pub async fn view_as_operator(&self, also: Vec<Statement>) -> Result<View> {
        let batch = [self.operator_statement()].into_iter().chain(also).collect();
        let mut results = self.query(batch).await?.0.into_iter();
        let caller: Option<Caller> = results.next().map(|rows| rows.first()).transpose()?.flatten();
        let caller = caller.ok_or(Error::NotFound("the account"))?;
        Ok(View {
            drive: self.clone(),
            caller,
            trails: Vec::new(),
            listing: Vec::new(),
            also: Results(results.collect()),
        })
    }

    fn trail(&self, address: &Address, rows: &Rows) -> Result<Trail> {
        let rows: Vec<TrailRow> = rows.parse()?;
        let root = if matches!(address, Address::Trash(_)) { -self.account } else { self.account };
        let owned = rows.first().is_some_and(|row| row.node.root_of == Some(root));
        if !owned {
            return Err(Error::NoResource);
        }
        let start = rows.iter().position(|row| row.is_start == 1);
        let nodes: Vec<_> = rows.into_iter().map(|row| row.node).collect();
        let start = start.ok_or_else(|| Error::Forbidden("the token is confined to another folder".to_owned()))?;
        let names = match address {
            Address::Path(names) | Address::Trash(names) => names.clone(),
            Address::Id(_) => nodes.iter().skip(start + 1).map(|node| node.name.clone()).collect(),
            Address::Member(folder, name) => {
                let is_there = nodes.last().is_some_and(|node| node.parent_id == Some(*folder) && node.name == *name);
                let missing = (!is_there).then(|| name.clone());
                nodes.iter().skip(start + 1).map(|node| node.name.clone()).chain(missing).collect()
            }
        };
        Ok(Trail { nodes, start, names, locks_below: Vec::new() })
    }

    /// Notes that the token is in use, at most once an hour and after the answer.
    fn record_use(&self, caller: &Caller) {
        const HOUR: Millis = 3_600_000;
        if caller.used_at.is_some_and(|at| self.now - at < HOUR) {
            return;
        }
        let sql = "UPDATE tokens SET used_at = ?2 WHERE id = ?1";
        self.note_later(Record(Statement::write(sql, [caller.token_id.into(), self.now.into()])));
    }
}

/// Does `attempt`, and once more from the beginning when a guard fired because somebody else was faster.
pub async fn twice<T>(mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    match attempt().await {
        Err(Error::Raced(_)) => attempt().await,
        result => result,
    }
}

/// The same for who has read already, before a body came: the first attempt is made on that view, the second on a new one.
pub async fn twice_from<T>(
    first: View,
    mut reread: impl AsyncFnMut() -> Result<View>,
    mut attempt: impl AsyncFnMut(&View) -> Result<T>,
) -> Result<T> {
    match attempt(&first).await {
        Err(Error::Raced(_)) => attempt(&reread().await?).await,
        result => result,
    }
}
