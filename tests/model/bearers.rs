//! Tokens that the account makes beside its own, what is written by them, and their end.

use std::rc::Rc;

use edgedrive::body::Body;
use http::{Request, header};
use serde_json::json;

use crate::operation::{Data, Operation, Path, Tokens};
use crate::refusals::Refusals;
use crate::requests::{complete, id};
use crate::tree::Tree;
use crate::world::{World, request};

/// Who asks: the account's own token, or the one of that number among those that were made.
pub type Bearer = Option<usize>;

/// What cannot be a token's secret, whoever made it.
const NO_SECRET: &str = "ocl_1_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A number that no token has.
const NO_NUMBER: &str = "999999999";

/// What is done with tokens. `nth` counts all that were made, revoked or not.
#[derive(Debug, Clone)]
pub enum TokenUse {
    /// `POST /tokens`, for the whole drive or a folder.
    Make { folder: Option<Path> },
    /// PUT by the `nth`, below its folder.
    Put { nth: usize, path: Path, data: Data },
    /// `DELETE /tokens/{id}`
    Revoke { nth: usize },
}

/// A token that was made.
#[derive(Debug, Clone)]
pub struct Token {
    number: String,
    secret: String,
    folder: Option<u64>,
    is_revoked: bool,
}

/// Where the paths of a token begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// There is no such token.
    Revoked,
    /// Its folder is in the trash.
    Nowhere,
    /// At that path.
    At(String),
}

impl TokenUse {
    /// The request, without who asks.
    pub fn request(&self, tree: &Tree, world: &World) -> Request<Body> {
        match self {
            Self::Make { folder } => {
                let folder = folder.map(|folder| id(folder, world).to_string());
                let body = json!({ "name": "made", "scopes": ["read", "write"], "folderId": folder });
                complete(request("POST", "/api/v1/tokens"), body.to_string().into())
            }
            Self::Put { path, data, .. } => complete(request("PUT", &format!("/dav/{path}")), data.body(false)),
            Self::Revoke { nth } => {
                let number = tree.token(*nth).map_or(NO_NUMBER, |token| &token.number);
                complete(request("DELETE", &format!("/api/v1/tokens/{number}")), Body::empty())
            }
        }
    }

    /// Who asks.
    pub fn bearer(&self, tree: &Tree) -> Bearer {
        match self {
            Self::Put { nth, .. } => Some(tree.nth_bearer(*nth)),
            _ => None,
        }
    }
}

/// Says in a request who asks, unless it is the account itself.
pub fn sign(request: &mut Request<Body>, by: Bearer, tree: &Tree) {
    if let Some(nth) = by {
        let secret = tree.token(nth).map_or(NO_SECRET, |token| &token.secret);
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {secret}").parse().unwrap());
    }
}

impl Tree {
    fn token(&self, nth: usize) -> Option<&Token> {
        self.tokens.get(self.nth_bearer(nth))
    }

    /// The number of the `nth` token among those that were made.
    pub fn nth_bearer(&self, nth: usize) -> usize {
        nth % self.tokens.len().max(1)
    }

    /// Whether there is such a token. It goes with its folder.
    pub fn is_valid(&self, by: Bearer) -> bool {
        self.home(by) != Home::Revoked
    }

    /// Where the paths of a token begin.
    pub fn home(&self, by: Bearer) -> Home {
        let Some(nth) = by else { return Home::At(String::new()) };
        let Some(token) = self.token(nth).filter(|token| !token.is_revoked) else { return Home::Revoked };
        let Some(folder) = token.folder else { return Home::At(String::new()) };
        match self.nodes().find(|(_, node)| node.id == folder) {
            Some((path, _)) => Home::At(path.to_owned()),
            None if self.is_trashed(folder) => Home::Nowhere,
            None => Home::Revoked,
        }
    }

    /// The path that is `path` to a token.
    pub fn path_for(&self, by: Bearer, path: &str) -> Option<String> {
        let Home::At(home) = self.home(by) else { return None };
        Some(format!("{home}/{path}").trim_matches('/').to_owned())
    }

    /// The reasons against a use of tokens.
    pub fn refuse_token_use(&self, no: &mut Refusals, token_use: &TokenUse) {
        match token_use {
            TokenUse::Make { folder } => no.add(404, folder.is_some_and(|folder| !self.is_folder(folder))),
            TokenUse::Put { nth, path, data } => {
                let by = Some(self.nth_bearer(*nth));
                match self.home(by) {
                    Home::Revoked => no.add(401, true),
                    Home::Nowhere => no.add(404, true),
                    Home::At(_) => {
                        let path = self.path_for(by, path).expect("it has a home");
                        self.refuse_put(no, &path, Tokens::None);
                        no.add(507, data.length > self.available());
                    }
                }
            }
            TokenUse::Revoke { nth } => no.add(404, !self.is_valid(Some(self.nth_bearer(*nth)))),
        }
    }

    /// Does what is not refused, and gives the status. `given` is the number of a new token and its secret.
    pub fn use_token(&mut self, token_use: &TokenUse, given: &str) -> u16 {
        match token_use {
            TokenUse::Make { folder } => {
                let (number, secret) = given.split_once(' ').unwrap_or_default();
                let folder = folder.map(|at| self.nodes().find(|(path, _)| *path == at).map_or(0, |(_, node)| node.id));
                let (number, secret) = (number.to_owned(), secret.to_owned());
                self.tokens.push(Token { number, secret, folder, is_revoked: false });
                201
            }
            TokenUse::Put { nth, path, data } => {
                let path = self.path_for(Some(self.nth_bearer(*nth)), path).expect("it was not refused");
                if self.give(&path, Rc::new(data.bytes())) { 201 } else { 204 }
            }
            TokenUse::Revoke { nth } => {
                let nth = self.nth_bearer(*nth);
                self.tokens[nth].is_revoked = true;
                204
            }
        }
    }
}

/// Makes a token that is confined to a folder.
pub fn make_token(folder: Path) -> Operation {
    Operation::Token(TokenUse::Make { folder: Some(folder) })
}

/// PUT by the first token that was made.
pub fn write_by_token(path: Path) -> Operation {
    Operation::Token(TokenUse::Put { nth: 0, path, data: Data { length: 5, byte: b'5' } })
}

/// Revokes it.
pub fn revoke() -> Operation {
    Operation::Token(TokenUse::Revoke { nth: 0 })
}
