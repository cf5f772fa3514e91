use super::*;

const THINGS: List = List {
    fields: &[
        Field::new("name", Kind::Text).searched(),
        Field::new("kind", Kind::OneOf(&["real", "simulated"])).bare(),
        Field::new("seen_at", Kind::Time),
        Field::new("watts", Kind::Number),
        Field::new("armed", Kind::Boolean),
        Field::new("site", Kind::Id),
        Field::new("deleted", Kind::View).bare(),
    ],
    form: Form::Pages,
    includes: &["site"],
    labelled: true,
};

const TIMED: List = List { form: Form::Cursor, includes: &[], labelled: false, ..THINGS };

fn ask(list: &List, query: &[(&str, &str)]) -> Result<Listing, Vec<Fault>> {
    let shown = || ["id", "name", "kind"].map(str::to_owned).into();
    let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    parse(list, &["window"], shown, pairs)
}

fn refusal(list: &List, name: &str, value: &str) -> (&'static str, String) {
    let faults = ask(list, &[(name, value)]).unwrap_err();
    assert_eq!((faults.len(), faults[0].parameter.as_str()), (1, name), "{faults:?}");
    (faults[0].code, faults[0].message.clone())
}

#[test]
fn a_question_is_read_whole() {
    let asked = ask(
        &THINGS,
        &[
            ("page", "2"),
            ("window", "9"),
            ("kind", "real"),
            ("filter[seen_at][lt]", "2024-01-15T12:30:00Z"),
            ("filter[watts][in]", "1,2.5"),
            ("filter[site][exists]", "false"),
            ("filter[deleted]", "true"),
            ("q", "rack"),
            ("sort", "-seen_at,name"),
            ("fields", "name"),
            ("include", "site,site"),
            ("labels", "rack in (a,b)"),
        ],
    );
    let mut asked = asked.unwrap();
    assert!(asked.take_view("deleted") && !asked.take_view("deleted"));
    let drawn: Vec<_> = asked
        .filters
        .iter()
        .map(|filter| (filter.field.name, filter.operator.name(), filter.values.clone()))
        .collect();
    assert_eq!(
        drawn,
        [
            ("kind", "eq", vec![Value::Text("real".into())]),
            ("seen_at", "lt", vec![Value::Time(1_705_321_800_000)]),
            ("watts", "in", vec![Value::Number(1.0), Value::Number(2.5)]),
            ("site", "exists", vec![Value::Boolean(false)]),
        ]
    );
    let order: Vec<_> = asked.order.iter().map(|one| (one.field.name, one.descending)).collect();
    assert_eq!(order, [("seen_at", true), ("name", false)]);
    assert_eq!((asked.text.as_deref(), asked.include.as_slice()), (Some("rack"), &["site"][..]));
    assert!(asked.fields.unwrap().contains("name") && asked.labels.is_some());
}

#[test]
fn what_is_refused_is_named_with_what_would_be_taken() {
    for (name, value, code, says) in [
        ("filter[nme]", "a", "unknown_field", "name, kind, seen_at, watts, armed, site, deleted"),
        ("filter[kind][lt]", "real", "unknown_operator", "eq, ne, in, exists"),
        ("filter[kind][like]", "real", "unknown_operator", "real or simulated"),
        ("filter[kind]", "other", "invalid_value", "is real or simulated"),
        ("filter[kind][in]", "real,other", "invalid_value", "each is real or simulated"),
        ("filter[watts]", "NaN", "invalid_value", "a number"),
        ("filter[seen_at][gte]", "yesterday", "invalid_value", "RFC 3339"),
        ("filter[armed]", "1", "invalid_value", "true or false"),
        ("filter[name][exists]", "maybe", "invalid_value", "true or false"),
        ("filter[site]", "7", "invalid_value", "an id"),
        ("filter[name]", "a\u{0}b", "invalid_value", "control"),
        ("filter[name", "a", "unknown_parameter", "filter[…]"),
        ("name", "a", "unknown_parameter", "page, per_page, pageSize, limit, filter[…], q, sort"),
        ("cursor", "a", "unknown_parameter", "no parameter of this list"),
        ("sort", "name,size", "invalid_value", "name, kind, seen_at, watts, armed, site;"),
        ("sort", "deleted", "invalid_value", "is of name"),
        ("fields", "name,secret", "invalid_value", "`secret` is none of id, kind, name"),
        ("include", "owner", "invalid_value", "is of site"),
        ("labels", "rack like a", "invalid_value", "is no requirement"),
    ] {
        let (found, message) = refusal(&THINGS, name, value);
        assert_eq!(found, code, "{name}={value}: {message}");
        assert!(message.contains(says), "{name}={value}: {message}");
    }
}

#[test]
fn a_list_in_the_order_of_time_is_not_sorted_and_says_so() {
    let (code, message) = refusal(&TIMED, "sort", "name");
    assert_eq!(code, "unknown_parameter");
    assert!(message.contains("order of time"), "{message}");
    assert_eq!(refusal(&TIMED, "labels", "a=b").0, "unknown_parameter");
    assert!(ask(&TIMED, &[("cursor", "c"), ("limit", "3"), ("filter[armed]", "true")]).is_ok());
}

#[test]
fn a_question_has_bounds() {
    let many = vec!["a"; MAX_VALUES + 1].join(",");
    assert_eq!(refusal(&THINGS, "filter[name][in]", &many).0, "out_of_range");
    assert_eq!(refusal(&THINGS, "q", &"a".repeat(MAX_TEXT + 1)).0, "invalid_value");
    assert_eq!(refusal(&THINGS, "sort", &["name"; 9].join(",")).0, "out_of_range");
    let operators = ["eq", "ne", "in", "contains", "starts_with"];
    let mut query: Vec<(String, String)> = Vec::new();
    for operator in operators {
        query.push((format!("filter[name][{operator}]"), "a".into()));
    }
    for field in ["seen_at", "watts"] {
        for operator in ["eq", "ne", "in", "lt", "lte", "gt"] {
            query.push((format!("filter[{field}][{operator}]"), "1".into()));
        }
    }
    let query: Vec<(&str, &str)> = query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let faults = ask(&THINGS, &query).unwrap_err();
    assert!(faults[0].message.contains("at most 16"), "{faults:?}");
    let twice = ask(&THINGS, &[("q", "a"), ("q", "b")]).unwrap_err();
    assert_eq!(twice[0].message, "stands there more than once");
}
