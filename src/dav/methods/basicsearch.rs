//! `searchrequest` with a `basicsearch` (RFC 5323, 5), in the extent that Nextcloud documents.

use crate::date;
use crate::dav::props::wanted::Wanted;
use crate::dav::xml::{DAV, Element, NEXTCLOUD, OWNCLOUD};
use crate::error::{Error, Result};
use crate::name::composed;
use crate::resource::INSTANCE;
use crate::store::{Among, Direction, FAVORITE, Filter, Number, Pattern, Relation, Search, SortKey};

/// How deep conditions may be nested, and how many there may be: the database has such limits, too.
const MOST_NESTED: usize = 8;
const MOST_CONDITIONS: usize = 32;

/// Beyond that, a level below the folder is as good as any.
const ANY_DEPTH: i64 = 1 << 20;

/// A query.
#[derive(Debug)]
pub struct BasicSearch {
    /// The href of the folder to look below; none for that of the request.
    pub scope: Option<String>,
    /// Which properties the answer is to tell.
    pub wanted: Wanted,
    /// What to look for.
    pub search: Search,
}

impl BasicSearch {
    /// Reads a query: 400 for one that is malformed, 422 for one that asks what cannot be answered. `most` is the most
    /// results that an answer may have.
    pub fn read(document: &Element, most: i64) -> Result<Self> {
        let query = Some(document).filter(|document| document.is(DAV, "searchrequest"));
        let query = query.ok_or_else(|| Error::bad("the body is no searchrequest"))?;
        let query = query.child(DAV, "basicsearch").ok_or_else(|| unsupported("only basicsearch is supported"))?;
        let select = query.child(DAV, "select").ok_or_else(|| Error::bad("the query selects nothing"))?;
        let (scope, depth) = scope(query)?;
        let (limit, offset) = limit(query)?;
        let mut left = MOST_CONDITIONS;
        let condition = query.child(DAV, "where").and_then(|place| place.elements().next());
        let filter = condition.map(|condition| filter(condition, MOST_NESTED, &mut left)).transpose()?;
        let filter = filter.unwrap_or(Filter::And(Vec::new()));
        let search = Search {
            among: among(&filter, depth),
            filter,
            order: order(query)?,
            limit: limit.map_or(most + 1, |limit| limit.min(most + 1)),
            offset,
        };
        Ok(Self { scope, wanted: Wanted::of_prop(select)?, search })
    }
}

fn unsupported(sentence: impl Into<String>) -> Error {
    Error::Unprocessable(sentence.into())
}

/// The href and depth of the one scope.
fn scope(query: &Element) -> Result<(Option<String>, i64)> {
    let scopes: Vec<_> = query.child(DAV, "from").into_iter().flat_map(Element::elements).collect();
    let scope = match scopes.as_slice() {
        [] => return Ok((None, ANY_DEPTH)),
        [scope] if scope.is(DAV, "scope") => scope,
        _ => return Err(unsupported("a query has one scope")),
    };
    let href = scope.child(DAV, "href").map(Element::text).filter(|href| !matches!(href.as_str(), "" | "."));
    let depth = match scope.child(DAV, "depth").map(Element::text).as_deref() {
        None => ANY_DEPTH,
        Some("1") => 1,
        Some(depth) if depth.eq_ignore_ascii_case("infinity") => ANY_DEPTH,
        Some(_) => return Err(unsupported("the depth of a scope is 1 or infinity")),
    };
    Ok((href, depth))
}

/// The most results, and how many to leave out before: `firstresult` comes from the library that Nextcloud searches with.
fn limit(query: &Element) -> Result<(Option<i64>, i64)> {
    let Some(limit) = query.child(DAV, "limit") else { return Ok((None, 0)) };
    let number = |element: Option<&Element>| {
        let number = element.map(Element::text).map(|text| text.parse::<u32>().map(i64::from));
        number.transpose().map_err(|_| Error::bad("the limit is not a number"))
    };
    let first = limit.elements().find(|element| element.name == "firstresult");
    Ok((number(limit.child(DAV, "nresults"))?, number(first)?.unwrap_or_default()))
}

/// Where a favourite or a number is asked for anyhow, only those are looked at.
fn among(filter: &Filter, depth: i64) -> Among {
    let all = match filter {
        Filter::And(all) => all.as_slice(),
        other => std::slice::from_ref(other),
    };
    let narrow = all.iter().find_map(|filter| match filter {
        Filter::Favorite => Some(Among::Tagged(vec![FAVORITE.to_owned()])),
        Filter::Number(Number::Id, Relation::Eq, id) => Some(Among::Number(*id)),
        _ => None,
    });
    narrow.filter(|_| depth == ANY_DEPTH).unwrap_or(Among::Below(depth))
}

/// D1 has no greater numbers, and nothing here has one.
const GREATEST: i64 = 1 << 53;

/// The conditions of `where`, of which `left` more may come.
fn filter(condition: &Element, nested: usize, left: &mut usize) -> Result<Filter> {
    let (Some(nested), Some(fewer)) = (nested.checked_sub(1), left.checked_sub(1)) else {
        return Err(unsupported("the query has too many conditions, or nests them too deep"));
    };
    *left = fewer;
    if condition.namespace != DAV {
        return Err(unsupported(format!("the operator {} is not known", condition.name)));
    }
    let mut inner = || condition.elements().map(|inner| filter(inner, nested, left)).collect::<Result<Vec<_>>>();
    match condition.name.as_str() {
        "and" => Ok(Filter::And(inner()?)),
        "or" => Ok(Filter::Or(inner()?)),
        "not" => match <[Filter; 1]>::try_from(inner()?) {
            Ok([only]) => Ok(Filter::Not(Box::new(only))),
            Err(_) => Err(Error::bad("not has one condition")),
        },
        "is-collection" => Ok(Filter::Folder),
        "like" => like(condition),
        "eq" => comparison(condition, Relation::Eq),
        "lt" => comparison(condition, Relation::Lt),
        "gt" => comparison(condition, Relation::Gt),
        "lte" => comparison(condition, Relation::Lte),
        "gte" => comparison(condition, Relation::Gte),
        other => Err(unsupported(format!("the operator {other} is not known"))),
    }
}

/// The property and the literal of a comparison.
fn operands(condition: &Element) -> Result<(Property, String)> {
    let property = condition.child(DAV, "prop").and_then(|prop| prop.elements().next());
    let literal = condition.child(DAV, "literal").map(Element::text);
    match (property, literal) {
        (Some(property), Some(literal)) => match Property::read(property)? {
            // As names are kept.
            Property::Name => Ok((Property::Name, composed(&literal).into_owned())),
            property => Ok((property, literal)),
        },
        _ => Err(Error::bad("a comparison has a property and a literal")),
    }
}

fn like(condition: &Element) -> Result<Filter> {
    let (property, pattern) = operands(condition)?;
    let pattern = Pattern::like(&pattern).ok_or_else(|| {
        unsupported("a pattern of more than 50 bytes has wildcards at its ends only; none ends with a backslash")
    })?;
    match property {
        Property::Name => Ok(Filter::Name(pattern)),
        Property::Type => Ok(Filter::Type(pattern)),
        _ => Err(unsupported("only displayname and getcontenttype can be like something")),
    }
}

fn comparison(condition: &Element, relation: Relation) -> Result<Filter> {
    let (property, literal) = operands(condition)?;
    let malformed = || Error::bad(format!("{literal:.40} is no value of the property"));
    let number = |text: &str| text.parse::<i64>().ok().map(|it| it.clamp(-GREATEST, GREATEST)).ok_or_else(malformed);
    let time = || date::parse(&literal).map(|at| at.div_euclid(1000)).ok_or_else(malformed);
    match (property, relation) {
        (Property::Name, Relation::Eq) => Ok(Filter::Name(Pattern::exactly(&literal))),
        (Property::Type, Relation::Eq) => Ok(Filter::Type(Pattern::exactly(&literal))),
        (Property::Favorite, Relation::Eq) => match literal.as_str() {
            "1" | "true" | "yes" => Ok(Filter::Favorite),
            "0" | "false" | "no" => Ok(Filter::Not(Box::new(Filter::Favorite))),
            _ => Err(malformed()),
        },
        // Some clients compare `oc:fileid` with what `oc:id` tells.
        (Property::Id, relation) => {
            Ok(Filter::Number(Number::Id, relation, number(literal.strip_suffix(INSTANCE).unwrap_or(&literal))?))
        }
        (Property::Size, relation) => Ok(Filter::Number(Number::Size, relation, number(&literal)?)),
        (Property::Modified, relation) => Ok(Filter::Number(Number::Modified, relation, time()?)),
        (Property::Created, relation) => Ok(Filter::Number(Number::Created, relation, time()?)),
        (Property::Name | Property::Type | Property::Favorite, _) => {
            Err(unsupported("names, types and favourites have no order"))
        }
    }
}

fn order(query: &Element) -> Result<Vec<(SortKey, Direction)>> {
    let orders = query.child(DAV, "orderby").into_iter().flat_map(Element::elements).filter(|e| e.is(DAV, "order"));
    let keys = orders.map(|order| {
        let property = order.child(DAV, "prop").and_then(|prop| prop.elements().next());
        let property = property.ok_or_else(|| Error::bad("an order has a property"))?;
        let key = match Property::read(property)? {
            Property::Name => SortKey::Name,
            Property::Id => SortKey::Id,
            Property::Size => SortKey::Size,
            Property::Modified => SortKey::ModifiedAt,
            Property::Created => SortKey::CreatedAt,
            Property::Type | Property::Favorite => {
                return Err(unsupported("results cannot be sorted by that property"));
            }
        };
        let descending = order.child(DAV, "descending").is_some();
        Ok((key, if descending { Direction::Descending } else { Direction::Ascending }))
    });
    keys.take(MOST_NESTED).collect()
}

/// A property that can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    Name,
    Type,
    Favorite,
    Id,
    Size,
    Modified,
    Created,
}

impl Property {
    fn read(element: &Element) -> Result<Self> {
        match (element.namespace.as_str(), element.name.as_str()) {
            (DAV, "displayname") => Ok(Self::Name),
            (DAV, "getcontenttype") => Ok(Self::Type),
            (OWNCLOUD, "favorite") => Ok(Self::Favorite),
            (OWNCLOUD, "fileid") => Ok(Self::Id),
            (OWNCLOUD, "size") | (DAV, "getcontentlength") => Ok(Self::Size),
            (DAV, "getlastmodified") => Ok(Self::Modified),
            (DAV, "creationdate") | (NEXTCLOUD, "creation_time") => Ok(Self::Created),
            (_, name) => Err(unsupported(format!("the property {name} cannot be searched"))),
        }
    }
}

#[cfg(test)]
mod tests;
