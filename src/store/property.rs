//! Dead properties (RFC 4918, 4).

use serde::{Deserialize, Serialize};

use super::{Drive, Place};
use crate::error::Result;
use crate::ports::Statement;

/// A property that clients set and the server merely keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Property {
    /// The namespace of its name; may be empty.
    pub namespace: String,
    /// Its local name.
    pub name: String,
    /// The XML inside its element, with all namespaces declared.
    pub value: String,
    /// Its `xml:lang`.
    pub lang: Option<String>,
}

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

impl Drive {
    /// Sets and removes properties of a node, all or none. `place` is where it was found, none for
    /// a root. Of two changes of one property, the later counts. One round trip.
    pub async fn change_properties(&self, node: i64, place: Option<&Place>, changes: &[PropertyChange]) -> Result<()> {
        let mut last: Vec<&PropertyChange> = Vec::with_capacity(changes.len());
        for change in changes {
            last.retain(|earlier| (&earlier.namespace, &earlier.name) != (&change.namespace, &change.name));
            last.push(change);
        }
        let changes = serde_json::to_string(&last).map_err(crate::error::Error::internal)?;

        let mut batch = Vec::new();
        if let Some(place) = place {
            batch.push(Self::guard_occupant(place));
            batch.push(self.guard_locks(place));
        }
        batch.push(Statement::new(
            "DELETE FROM properties WHERE node_id = ?1 AND (namespace, name) IN \
             (SELECT value ->> 'namespace', value ->> 'name' FROM json_each(?2))",
            [node.into(), changes.as_str().into()],
        ));
        batch.push(Statement::new(
            "INSERT INTO properties (node_id, namespace, name, value, lang) \
             SELECT ?1, value ->> 'namespace', value ->> 'name', value ->> 'value', value ->> 'lang' FROM json_each(?2) \
             WHERE value ->> 'value' IS NOT NULL",
            [node.into(), changes.into()],
        ));
        self.database.batch(batch).await?;
        Ok(())
    }
}
