//! Changing dead properties.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::{Error, Limit, Result};
use crate::ports::Statement;
use crate::store::door::commit::Held;
use crate::store::door::view::View;

/// Bytes of names, languages and values that one node may have, with 64 for each property: every listing reads them.
const NODE_LIMIT: usize = 64 * 1024;

/// One instruction of a PROPPATCH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PropertyChange {
    /// The namespace of the property's name.
    pub namespace: String,
    /// Its local name.
    pub name: String,
    /// The new value; none removes the property.
    pub value: Option<String>,
    /// The `xml:lang` of the value.
    pub lang: Option<String>,
}

impl View {
    /// Statements that set and remove properties of a node. Of two changes of one property, the later counts. 507 where
    /// the node would have more than 64 KiB of them.
    pub(super) fn change_properties(&self, held: &Held, changes: &[PropertyChange]) -> Result<Vec<Statement>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let last: HashMap<_, _> = changes.iter().map(|change| ((&change.namespace, &change.name), change)).collect();
        let changes = serde_json::to_string(&last.values().collect::<Vec<_>>()).map_err(Error::internal)?;
        // Before the database refuses so long a parameter.
        if changes.len() > 4 * NODE_LIMIT {
            return Err(Error::Limit(Limit::Properties));
        }
        Ok(vec![
            Statement::write(
                "DELETE FROM properties WHERE node_id = ?1 AND (namespace, name) IN \
                 (SELECT value ->> 'namespace', value ->> 'name' FROM json_each(?2))",
                [held.id.into(), changes.as_str().into()],
            ),
            Statement::write(
                "INSERT INTO properties (node_id, namespace, name, value, lang, account_id) \
                 SELECT ?1, value ->> 'namespace', value ->> 'name', value ->> 'value', value ->> 'lang', ?3 \
                 FROM json_each(?2) WHERE value ->> 'value' IS NOT NULL",
                [held.id.into(), changes.into(), self.account.into()],
            ),
            Statement::write(
                format!(
                    "INSERT INTO guard SELECT 'properties' WHERE {NODE_LIMIT} < (SELECT sum(64 + \
                       length(CAST(namespace AS BLOB)) + length(CAST(name AS BLOB)) + length(CAST(value AS BLOB)) + \
                       coalesce(length(CAST(lang AS BLOB)), 0)) FROM properties WHERE node_id = ?1)"
                ),
                [held.id.into()],
            ),
        ])
    }
}
