//! What must hold before a method does anything: If-Match and its kin (RFC 9110, 13), the `If`
//! header (RFC 4918, 10.4), and locks (RFC 4918, 7).

use super::Request;
use super::headers;
use super::mount::Mount;
use crate::error::{Error, Result};
use crate::store::{Address, Expect, Lock, Trail, View, ViewRequest};
use crate::transfer::if_header::{Condition, ConditionKind, IfHeader};
use crate::transfer::{Conditions, Verdict};

/// Other resources that an `If` header may speak of: each is read with the request's own.
const MOST_TAGGED: usize = 16;

/// The conditions of one request.
pub struct Preconditions {
    conditions: Conditions,
    if_header: Option<IfHeader>,
    /// The resources that the header tags, with their addresses where they are in this drive.
    tagged: Vec<(String, Option<Address>)>,
    conditional: bool,
}

impl Preconditions {
    /// Reads them: 400 for an `If` header that is malformed.
    pub fn read(request: &Request<'_>) -> Result<Self> {
        let if_header = headers::if_header(&request.cx.headers)?;
        let mut tagged: Vec<(String, Option<Address>)> = Vec::new();
        for tag in if_header.iter().flat_map(|header| &header.lists).filter_map(|list| list.resource.as_ref()) {
            if !tagged.iter().any(|(known, _)| known == tag) {
                tagged.push((tag.clone(), request.address_of(tag)?));
            }
        }
        if tagged.len() > MOST_TAGGED {
            return Err(Error::bad("the header If speaks of too many resources"));
        }
        let names_etag = |condition: &Condition| matches!(condition.kind, ConditionKind::EntityTag { .. });
        let conditional = ["if-match", "if-none-match", "if-unmodified-since"]
            .iter()
            .any(|name| request.cx.headers.contains_key(*name))
            || if_header.iter().flat_map(|header| &header.lists).flat_map(|list| &list.conditions).any(names_etag);
        Ok(Self { conditions: Conditions::from_headers(&request.cx.headers), if_header, tagged, conditional })
    }

    /// Adds to a request, behind its own addresses, what must be read to judge the `If` header.
    pub fn extend(&self, request: &mut ViewRequest) {
        request.addresses.extend(self.tagged.iter().filter_map(|(_, address)| address.clone()));
    }

    /// What the batch must guard: the entity tag, if the client named one.
    pub fn expect(&self) -> Expect {
        if self.conditional { Expect::Unchanged } else { Expect::Anything }
    }

    /// 412 where a condition does not hold. `own` is the number of the request's own addresses.
    pub fn check(&self, view: &View, own: usize) -> Result<()> {
        let current = view.trail()?.target().map(|node| (node.etag.as_str(), node.modified_at));
        if self.conditions.evaluate(current, false) != Verdict::Proceed {
            return Err(Error::PreconditionFailed("a condition of the request does not hold".to_owned()));
        }
        self.check_if(view, own)
    }

    /// 412 where the `If` header does not hold, for what reads by itself what it changes: one round trip where there is such
    /// a header. `own` is the resource of the request, if that has any state.
    pub async fn check_first(&self, request: &Request<'_>, own: Option<Address>) -> Result<()> {
        if self.if_header.is_none() {
            return Ok(());
        }
        let mut wanted = ViewRequest { addresses: own.into_iter().collect(), ..ViewRequest::default() };
        let own = wanted.addresses.len();
        self.extend(&mut wanted);
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        self.check_if(&view, own)
    }

    /// 412 where the `If` header does not hold.
    pub fn check_if(&self, view: &View, own: usize) -> Result<()> {
        let Some(header) = &self.if_header else { return Ok(()) };
        let holds = header.evaluate(|resource, condition| {
            let trail = match resource {
                None => view.trails.first().filter(|_| own > 0),
                Some(tag) => self.trail_of(view, own, tag),
            };
            trail.is_some_and(|trail| is_true(trail, condition))
        });
        if holds { Ok(()) } else { Err(Error::PreconditionFailed("the header If does not hold".to_owned())) }
    }

    fn trail_of<'v>(&self, view: &'v View, own: usize, tag: &str) -> Option<&'v Trail> {
        let in_drive: Vec<_> = self.tagged.iter().filter(|(_, address)| address.is_some()).collect();
        let index = in_drive.iter().position(|(known, _)| known == tag)?;
        view.trails.get(own + index)
    }

    /// Whether the client submitted the token (RFC 4918, 6.5: anywhere in the `If` header).
    fn submits(&self, token: &str) -> bool {
        self.if_header.iter().flat_map(IfHeader::tokens).any(|submitted| submitted == token)
    }

    /// 423 where locks hold for the target and the client submitted the token of none of them. The hrefs are those of the
    /// mount by which the client named it.
    pub fn unlocked(&self, mount: &Mount, trail: &Trail) -> Result<()> {
        self.allowed(mount, trail, trail.covering_target())
    }

    /// The same for the folder that the target is or would be a member of: its list of members
    /// changes.
    pub fn parent_unlocked(&self, mount: &Mount, trail: &Trail) -> Result<()> {
        match trail.parent_index() {
            Some(index) => self.allowed(mount, trail, trail.covering(index)),
            None => Ok(()),
        }
    }

    /// The same for a file that is to get a content: the file itself, or, where there is none yet, its folder.
    pub fn file_unlocked(&self, mount: &Mount, trail: &Trail) -> Result<()> {
        match trail.target() {
            Some(_) => self.unlocked(mount, trail),
            None => self.parent_unlocked(mount, trail),
        }
    }

    /// The same for everything below the target.
    pub fn below_unlocked(&self, mount: &Mount, trail: &Trail) -> Result<()> {
        let below = &trail.locks_below;
        // A client that shares a lock with others needs only its own token.
        let open = |node| below.iter().any(|lock| lock.node_id == node && self.submits(&lock.lock.token));
        let locked: Vec<_> = below.iter().filter(|lock| !open(lock.node_id)).collect();
        if locked.is_empty() {
            return Ok(());
        }
        Err(Error::Locked(locked.into_iter().map(|lock| mount.href_below(trail, lock)).collect()))
    }

    fn allowed<'t>(&self, mount: &Mount, trail: &Trail, locks: impl Iterator<Item = (usize, &'t Lock)>) -> Result<()> {
        let locks: Vec<_> = locks.collect();
        if locks.is_empty() || locks.iter().any(|(_, lock)| self.submits(&lock.token)) {
            return Ok(());
        }
        Err(Error::Locked(locks.iter().map(|(index, _)| mount.href_on(trail, *index)).collect()))
    }

    /// The one lock token that the header submits, for a refresh; 400 for none or several.
    pub fn only_token(&self) -> Result<&str> {
        let mut tokens = self.if_header.iter().flat_map(IfHeader::tokens);
        match (tokens.next(), tokens.next()) {
            (Some(token), None) => Ok(token),
            _ => Err(Error::bad("a LOCK without a body refreshes the one lock that the header If names")),
        }
    }
}

fn is_true(trail: &Trail, condition: &Condition) -> bool {
    match &condition.kind {
        ConditionKind::StateToken(token) => trail.covering_target().any(|(_, lock)| lock.token == *token),
        ConditionKind::EntityTag { weak, tag } => !weak && trail.target().is_some_and(|node| node.etag == *tag),
    }
}
