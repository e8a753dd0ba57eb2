//! REPORT (RFC 3253, 3.6): the favourites and tagged files below a folder, as Nextcloud and ownCloud report them.

use http::Response;

use crate::body::Body;
use crate::dav::answer::found;
use crate::dav::props::wanted::Wanted;
use crate::dav::request::Request;
use crate::dav::xml::{DAV, Element, NEXTCLOUD, OWNCLOUD};
use crate::error::{Error, Result};
use crate::store::{Among, FAVORITE, Filter, Search};

/// The most rules that a report may have.
const MOST_RULES: usize = 16;

/// Finds what all rules of a `filter-files` hold for, at any depth below the folder. 403 with `supported-report` for any
/// other report.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let document = request.xml(body).await?.ok_or_else(|| Error::bad("the body is empty"))?;
    if !document.is(OWNCLOUD, "filter-files") {
        return Err(Error::ForbiddenCondition("supported-report"));
    }
    let most = request.cx.config.propfind_limit;
    let report = Report::read(&document, most)?;
    found::answer(request, &report.search, report.wanted, most).await
}

/// A `filter-files`.
struct Report {
    search: Search,
    wanted: Wanted,
}

impl Report {
    /// 400 for rules that are missing, unknown or senseless. `most` is the most results that an answer may have.
    fn read(document: &Element, most: i64) -> Result<Self> {
        let rules = document.child(OWNCLOUD, "filter-rules").into_iter().flat_map(Element::elements);
        let mut tags = rules.map(tag).collect::<Result<Vec<_>>>()?;
        tags.sort_unstable();
        tags.dedup();
        if tags.is_empty() || tags.len() > MOST_RULES {
            return Err(Error::bad(format!("filter-rules must have 1 to {MOST_RULES} rules")));
        }
        let bounds = document.child(DAV, "limit");
        let bound = |namespace, name| {
            let bound = bounds.and_then(|bounds| bounds.child(namespace, name)).map(Element::text);
            bound.map(|text| text.parse::<u32>().map(i64::from)).transpose()
        };
        let malformed = |_| Error::bad("the limit is not a number");
        let limit = bound(DAV, "nresults").map_err(malformed)?;
        let offset = bound(NEXTCLOUD, "firstresult").map_err(malformed)?.unwrap_or_default();
        let search = Search {
            among: Among::Tagged(tags),
            filter: Filter::And(Vec::new()),
            order: Vec::new(),
            limit: limit.map_or(most + 1, |limit| limit.min(most + 1)),
            offset,
        };
        Ok(Self { search, wanted: Wanted::of_prop(document)? })
    }
}

/// The tag that a rule asks for.
fn tag(rule: &Element) -> Result<String> {
    let value = rule.text();
    match (rule.namespace.as_str(), rule.name.as_str()) {
        (OWNCLOUD, "favorite") if matches!(value.as_str(), "1" | "true") => Ok(FAVORITE.to_owned()),
        (OWNCLOUD, "favorite") => Err(Error::bad("the rule favorite must be 1")),
        (OWNCLOUD, "systemtag" | "tag" | "tags") if !value.is_empty() && value != FAVORITE => Ok(value),
        (OWNCLOUD, "systemtag" | "tag" | "tags") => Err(Error::bad("a tag has a name")),
        _ => Err(Error::bad(format!("the rule {} is not known", rule.name))),
    }
}
