//! `/api/v1/admin/accounts`: accounts and their tokens, for the bearer of `ADMIN_TOKEN`.

use http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::Field;
use super::tokens::{self, Limits, TokenRequest};
use super::{json, paging, parse_id};
use crate::auth::require_admin;
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::ports::Count;
use crate::store::{Account, AccountChange, Accounts, Drive, NewAccount, QuotaChange};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountRequest {
    login: String,
    display_name: Option<String>,
    quota: Option<Count>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeRequest {
    display_name: Option<String>,
    #[serde(default)]
    quota: Field<Count>,
}

/// A page of all accounts; with `login`, the one that has it.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    let accounts = accounts(cx)?;
    let page = paging::Page::of(cx)?;
    let found = accounts.list(cx.query("login"), page.after_number()?, page.limit + 1).await?;
    let (found, next) = page.cut(found, |account| account.id.to_string());
    Ok(paging::answer(cx, "accounts", found.iter().map(account).collect(), next.as_deref()))
}

/// Makes an account: 409 where the login is taken.
pub async fn create(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let accounts = accounts(cx)?;
    let request: AccountRequest = json::read(body).await?;
    let login = request.login;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if login == "." || login == ".." {
        return Err(Error::Unprocessable("login may not be '.' or '..', which mean something else in URLs".to_owned()));
    }
    if login.is_empty() || login.len() > 64 || !login.bytes().all(plain) {
        return Err(Error::Unprocessable(
            "login must have 1 to 64 characters of a-z, 0-9, '.', '_' and '-'".to_owned(),
        ));
    }
    let display_name = match request.display_name {
        Some(name) => check_display_name(&name)?,
        None => login.clone(),
    };
    let new = NewAccount { login, display_name, quota: request.quota.map(Count::get) };
    Ok(json::created(&json!({ "account": account(&accounts.create(&new).await?) })))
}

/// One account.
pub async fn show(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let found = accounts(cx)?.get(parse_id(id, "the account")?).await?;
    Ok(json::ok(&json!({ "account": account(&found) })))
}

/// Changes an account's name or quota.
pub async fn change(cx: &Context<'_>, id: &str, body: Body) -> Result<Response<Body>> {
    let accounts = accounts(cx)?;
    let id = parse_id(id, "the account")?;
    let request: ChangeRequest = json::read(body).await?;
    let change = AccountChange {
        display_name: request.display_name.as_deref().map(check_display_name).transpose()?,
        quota: match request.quota {
            Field::Absent => QuotaChange::Keep,
            Field::Null => QuotaChange::Set(None),
            Field::Value(bytes) => QuotaChange::Set(Some(bytes.get())),
        },
    };
    Ok(json::ok(&json!({ "account": account(&accounts.change(id, &change).await?) })))
}

/// Deletes an account with all that it holds.
pub async fn delete(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    accounts(cx)?.delete(parse_id(id, "the account")?).await?;
    Ok(json::no_content())
}

/// All tokens of an account.
pub async fn list_tokens(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let view = drive(cx, id).await?.view_as_operator(Vec::new()).await?;
    Ok(json::ok(&json!({ "tokens": view.tokens().await?.iter().map(json::token).collect::<Vec<_>>() })))
}

/// Makes a token for an account.
pub async fn create_token(cx: &Context<'_>, id: &str, body: Body) -> Result<Response<Body>> {
    let view = drive(cx, id).await?.view_as_operator(Vec::new()).await?;
    let request: TokenRequest = json::read(body).await?;
    let scopes = tokens::scopes(&request)?;
    let folder = request.folder_id.as_deref().map(|id| parse_id(id, "the folder")).transpose()?;
    Ok(json::created(&tokens::make(cx, &view, &request, scopes, Limits { folder_id: folder, expires_at: None }).await?))
}

/// Revokes a token of an account.
pub async fn delete_token(cx: &Context<'_>, id: &str, token: &str) -> Result<Response<Body>> {
    let view = drive(cx, id).await?.view_as_operator(Vec::new()).await?;
    view.delete_token(parse_id(token, "the token")?).await?;
    Ok(json::no_content())
}

fn accounts(cx: &Context<'_>) -> Result<Accounts> {
    require_admin(cx.config, &cx.headers)?;
    Ok(Accounts::open(cx.ports, &cx.meter))
}

/// The drive of an account that exists.
async fn drive(cx: &Context<'_>, id: &str) -> Result<Drive> {
    let found = accounts(cx)?.get(parse_id(id, "the account")?).await?;
    Ok(cx.drive_of(found.id))
}

fn account(account: &Account) -> Value {
    json!({
        "id": account.id.to_string(),
        "login": account.login,
        "displayName": account.display_name,
        "quota": account.usage.quota,
        "usedBytes": account.usage.used,
        "createdAt": iso8601(account.created_at),
    })
}

fn check_display_name(name: &str) -> Result<String> {
    if name.chars().any(char::is_control) {
        return Err(Error::Unprocessable("displayName may not hold control characters".to_owned()));
    }
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::Unprocessable("displayName must have 1 to 200 characters".to_owned()));
    }
    Ok(name.to_owned())
}
