//! `/api/v1/admin/keys`: which master keys are needed, for the bearer of `ADMIN_TOKEN`.

use std::collections::BTreeMap;

use http::Response;
use serde_json::{Map, Value, json};

use super::json;
use crate::auth::require_admin;
use crate::body::Body;
use crate::context::Context;
use crate::error::Result;
use crate::store::SealedKeys;

/// Each key that is configured or needed: where, and how often. Reads all that is sealed.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let mut places: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for used in SealedKeys::open(cx.ports, &cx.meter).count().await? {
        let counts = places.entry(used.id).or_default();
        let sum = counts.get(&used.place).and_then(Value::as_i64).unwrap_or_default() + used.count;
        counts.insert(used.place, sum.into());
    }
    let configured: Vec<&str> = cx.config.keys.ids().collect();
    for id in &configured {
        places.entry((*id).to_owned()).or_default();
    }
    let keys: Vec<Value> = places
        .into_iter()
        .map(|(id, counts)| {
            json!({
                "configured": configured.contains(&id.as_str()),
                "wraps": configured.first() == Some(&id.as_str()),
                "needed": counts.values().filter_map(Value::as_i64).sum::<i64>(),
                "places": counts,
                "id": id,
            })
        })
        .collect();
    Ok(json::ok(&json!({ "keys": keys })))
}

/// Ids that something was sealed under, and that are not configured.
pub async fn missing(cx: &Context<'_>) -> Result<Vec<String>> {
    let seen = SealedKeys::open(cx.ports, &cx.meter).seen().await?;
    Ok(seen.into_iter().filter(|id| !cx.config.keys.ids().any(|configured| configured == id)).collect())
}
