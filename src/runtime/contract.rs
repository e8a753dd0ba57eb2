//! Runs the ports' contract tests inside a runtime: `/__contract/sql` and so on, TCP with a peer that echoes:
//! `/__contract/tcp?echo=127.0.0.1:7`. Never deployed.

use http::Response;

use crate::body::Body;
use crate::ports::{Ports, contract};

/// Tests one port and tells the outcome: `{"ok": true}`, or `{"ok": false, "breach": …}`.
pub async fn run(port: &str, query: Option<&str>, ports: &Ports) -> Response<Body> {
    let outcome = match port {
        "sql" => contract::sql(&*ports.databases).await,
        "blobs" => contract::blobs(&*ports.blobs, &*ports.random).await,
        "crypto" => contract::crypto(&*ports.crypto).await,
        "clock-and-random" => contract::clock_and_random(&*ports.clock, &*ports.random).await,
        "tcp" => {
            let echo = query.and_then(|query| query.strip_prefix("echo=")).unwrap_or_default();
            contract::tcp(&*ports.tcp, &*ports.clock, echo).await
        }
        _ => Err(format!("there is no port {port}")),
    };
    let answer = serde_json::json!({ "ok": outcome.is_ok(), "breach": outcome.err() });
    Response::new(Body::from(answer.to_string()))
}
