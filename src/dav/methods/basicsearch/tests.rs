use super::*;
use crate::dav::xml::parse;
use proptest::prelude::*;

fn read(inner: &str) -> Result<BasicSearch> {
    let document = format!(
        "<d:searchrequest xmlns:d='DAV:' xmlns:oc='{OWNCLOUD}' xmlns:s='urn:searchdav'><d:basicsearch>\
         <d:select><d:prop><oc:fileid/></d:prop></d:select>{inner}</d:basicsearch></d:searchrequest>"
    );
    BasicSearch::read(&parse(document.as_bytes()).unwrap(), 100)
}

fn found(condition: &str) -> Result<Filter> {
    read(&format!("<d:where>{condition}</d:where>")).map(|query| query.search.filter)
}

fn compare(operator: &str, property: &str, literal: &str) -> String {
    format!("<d:{operator}><d:prop><{property}/></d:prop><d:literal>{literal}</d:literal></d:{operator}>")
}

#[test]
fn a_query_is_read_whole() {
    let query = read(&format!(
        "<d:from><d:scope><d:href>/files/me/a</d:href><d:depth>infinity</d:depth></d:scope></d:from>\
         <d:where><d:and>{}<d:not>{}</d:not></d:and></d:where>\
         <d:orderby><d:order><d:prop><oc:size/></d:prop><d:descending/></d:order>\
         <d:order><d:prop><d:displayname/></d:prop></d:order></d:orderby>\
         <d:limit><d:nresults>20</d:nresults><s:firstresult>40</s:firstresult></d:limit>",
        compare("gte", "oc:size", "10"),
        compare("eq", "oc:favorite", "1"),
    ))
    .unwrap();
    assert_eq!(query.scope.as_deref(), Some("/files/me/a"));
    let search = Search {
        among: Among::Below(ANY_DEPTH),
        filter: Filter::And(vec![
            Filter::Number(Number::Size, Relation::Gte, 10),
            Filter::Not(Box::new(Filter::Favorite)),
        ]),
        order: vec![(SortKey::Size, Direction::Descending), (SortKey::Name, Direction::Ascending)],
        limit: 20,
        offset: 40,
    };
    assert_eq!(query.search, search);
}

#[test]
fn what_names_few_nodes_is_looked_up() {
    let among = |condition: &str| read(&format!("<d:where>{condition}</d:where>")).unwrap().search.among;
    let (favorite, id) = (compare("eq", "oc:favorite", "1"), compare("eq", "oc:fileid", "7"));
    assert_eq!(among(&favorite), Among::Tagged(vec![FAVORITE.to_owned()]));
    assert_eq!(among(&format!("<d:and>{id}<d:is-collection/></d:and>")), Among::Number(7));
    assert_eq!(among(&compare("eq", "oc:fileid", "00000007ocedgedrive")), Among::Number(7));
    assert_eq!(among(&format!("<d:or>{id}{favorite}</d:or>")), Among::Below(ANY_DEPTH));
    assert_eq!(among(&format!("<d:not>{favorite}</d:not>")), Among::Below(ANY_DEPTH));
}

#[test]
fn times_are_read_in_each_form() {
    for literal in ["784111777", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37+00:00"] {
        let filter = found(&compare("lt", "d:getlastmodified", literal)).unwrap();
        assert_eq!(filter, Filter::Number(Number::Modified, Relation::Lt, 784_111_777));
    }
}

#[test]
fn wrong_queries_are_refused() {
    let deep = format!("{}<d:is-collection/>{}", "<d:not>".repeat(8), "</d:not>".repeat(8));
    let wide = format!("<d:or>{}</d:or>", "<d:is-collection/>".repeat(MOST_CONDITIONS));
    for (condition, is_malformed) in [
        (compare("eq", "oc:size", "many"), true),
        (compare("gt", "d:getlastmodified", "soon"), true),
        (compare("eq", "oc:favorite", "perhaps"), true),
        ("<d:eq><d:prop><oc:size/></d:prop></d:eq>".to_owned(), true),
        ("<d:not/>".to_owned(), true),
        (compare("like", "oc:size", "1%"), false),
        (compare("gt", "d:displayname", "a"), false),
        (compare("eq", "d:getetag", "a"), false),
        (compare("contains", "d:displayname", "a"), false),
        (compare("like", "d:displayname", &format!("{}%a", "x".repeat(60))), false),
        (deep, false),
        (wide, false),
    ] {
        match found(&condition) {
            Err(Error::BadRequest(_)) => assert!(is_malformed, "{condition}"),
            Err(Error::Unprocessable(_)) => assert!(!is_malformed, "{condition}"),
            other => panic!("{condition}: {other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn any_query_is_survived(
        operators in prop::collection::vec("and|or|not|like|eq|gt|is-collection", 0..12),
        property in "d:displayname|oc:size|d:getlastmodified|oc:favorite|d:getcontenttype",
        literal in "[a-z0-9%_ -]{0,12}",
    ) {
        let inner = compare(operators.first().map_or("eq", String::as_str), &property, &literal);
        let condition = operators.iter().fold(inner, |inner, operator| format!("<d:{operator}>{inner}</d:{operator}>"));
        let _ = found(&condition);
    }
}
