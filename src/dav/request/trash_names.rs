//! How something in the trash is named in URLs.

use crate::error::Result;
use crate::name::MAX_NAME;
use crate::resource::parse_id;
use crate::store::{Address, Trashed};

/// The name of something in the trash: what it was called, and its number, which nothing else has.
pub fn item_name(trashed: &Trashed) -> String {
    let number = format!(".d{}", trashed.node.id);
    let name = trashed.original_name.as_str();
    let most = name.floor_char_boundary(MAX_NAME.saturating_sub(number.len()));
    format!("{}{number}", name.get(..most).unwrap_or(name))
}

/// The address of a path below the trash. The number of an item counts, alone or behind a name.
pub fn address(segments: &[String]) -> Address {
    Address::Trash(names(segments))
}

/// The names of a path below the trash, of which the first is the number of an item.
pub fn names(segments: &[String]) -> Vec<String> {
    let mut names = segments.to_vec();
    if let Some(item) = names.first_mut() {
        *item = number_in(item).to_owned();
    }
    names
}

/// The number of the item that a path is at or below: 404 where it names none.
pub fn number(segments: &[String]) -> Result<Option<i64>> {
    segments.first().map(|item| number_of(item)).transpose()
}

fn number_of(item: &str) -> Result<i64> {
    parse_id(number_in(item), "what was deleted")
}

fn number_in(item: &str) -> &str {
    item.rsplit_once(".d").map_or(item, |(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_known_by_its_number() {
        let names = |path: &[&str]| path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let address = |path: &[&str]| match address(&names(path)) {
            Address::Trash(names) => names.join("/"),
            other => panic!("{other:?}"),
        };
        assert_eq!(address(&[]), "");
        assert_eq!(address(&["a.txt.d42", "b.d7"]), "42/b.d7");
        assert_eq!(address(&["42"]), "42");
        assert_eq!(number(&names(&["x.d.d42"])).unwrap(), Some(42));
        assert!(number(&[]).unwrap().is_none());
        assert!(number(&names(&["a.txt"])).is_err());
    }
}
