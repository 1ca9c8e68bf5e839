use super::*;
use crate::json::Tree;

fn meaning(text: &str, rules: &Rules) -> Meaning {
    let mut tree = Tree::default();
    Meaning::of(tree.read(text.as_bytes()).expect(text), rules)
}

fn found(a: &str, b: &str) -> Vec<(String, &'static str)> {
    let rules = Rules::default();
    differences(&meaning(a, &rules), &meaning(b, &rules))
        .into_iter()
        .map(|d| (d.path, d.how.name()))
        .collect()
}

#[test]
fn spelling_does_not_matter() {
    for (a, b) in [
        (r#"{"metadata":{"event_type":"STATUS_UPDATE"}}"#, r#"{"metadata":{"eventType":"STATUS_UPDATE"}}"#),
        (
            r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00.198Z"}}"#,
            r#"{"metadata":{"event_timestamp":"2024-01-01T02:00:00.198000+02:00"}}"#,
        ),
        (r#"{"security_result":[{"severity":"HIGH"}]}"#, r#"{"securityResult":[{"severity":400}]}"#),
        (r#"{"network":{"sent_bytes":"5"}}"#, r#"{"network":{"sentBytes":5.0}}"#),
        (r#"{"principal":{"ip":[],"port":0,"hostname":"","user":null}}"#, r#"{"principal":{}}"#),
        (r#"{"metadata":{"id":"-_8="}}"#, r#"{"metadata":{"id":"+/8"}}"#),
        (
            r#"{"network":{"http":{"parsedUserAgent":{"a":1}}}}"#,
            r#"{"network":{"http":{"parsed_user_agent":{"a":1.0}}}}"#,
        ),
        (r#"{"additional":{"a":1,"b":[true]}}"#, r#"{"additional":{"b":[true],"a":1e0}}"#),
        (r#"{"network":{"session_duration":"1.50s"}}"#, r#"{"network":{"session_duration":"1.5s"}}"#),
        (r#"{"principal":{"hostname":"\u0061"}}"#, r#"{ "principal" : {"hostname":"a"} }"#),
    ] {
        assert_eq!(found(a, b), [], "{a} {b}");
        let rules = Rules::default();
        assert_eq!(meaning(a, &rules).digest(), meaning(b, &rules).digest(), "{a}");
    }
}

/// `a, b -> paths and how`, and the other way round the same paths.
#[test]
fn every_difference_is_named() {
    type Differences = &'static [(&'static str, &'static str)];
    let cases: &[(&str, &str, Differences)] = &[
        (
            r#"{"principal":{"hostname":"a"}}"#,
            r#"{"principal":{"hostname":"b"}}"#,
            &[("principal.hostname", "changed")],
        ),
        (r#"{"principal":{"hostname":"a"}}"#, r#"{}"#, &[("principal", "only-in-a")]),
        (r#"{"extensions":{}}"#, r#"{"extensions":{"auth":{}}}"#, &[("extensions.auth", "only-in-b")]),
        (
            r#"{"principal":{"ip":["::1","::2"]}}"#,
            r#"{"principal":{"ip":["::2","::1"]}}"#,
            &[("principal.ip", "order")],
        ),
        (
            r#"{"principal":{"ip":["::1","::2"]}}"#,
            r#"{"principal":{"ip":["::2"]}}"#,
            &[("principal.ip[0]", "only-in-a")],
        ),
        (
            r#"{"security_result":[{"summary":"a"},{"summary":"b","action":["ALLOW"]}]}"#,
            r#"{"security_result":[{"summary":"a"},{"summary":"c","action":["BLOCK"]},{}]}"#,
            &[
                ("security_result[1].action[0]", "changed"),
                ("security_result[1].summary", "changed"),
                ("security_result[2]", "only-in-b"),
            ],
        ),
        (
            r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00.001Z"}}"#,
            r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00.002Z"}}"#,
            &[("metadata.event_timestamp", "changed")],
        ),
        (
            r#"{"security_result":[{"action":["UNKNOWN_ACTION"]}]}"#,
            r#"{"security_result":[{}]}"#,
            &[("security_result[0].action", "only-in-a")],
        ),
        (r#"{"principal":{"port":"x"}}"#, r#"{"principal":{"port":1}}"#, &[("principal.port", "changed")]),
    ];
    for (a, b, wanted) in cases {
        let wanted: Vec<(String, &str)> =
            wanted.iter().map(|(path, how)| ((*path).to_owned(), *how)).collect();
        assert_eq!(found(a, b), wanted, "{a} {b}");
        let turned: Vec<(String, &str)> = found(b, a)
            .into_iter()
            .map(|(path, how)| {
                (
                    path,
                    match how {
                        "only-in-a" => "only-in-b",
                        "only-in-b" => "only-in-a",
                        how => how,
                    },
                )
            })
            .collect();
        assert_eq!(turned, wanted, "{b} {a}");
    }
}

#[test]
fn sets_and_what_is_ignored() {
    let (a, b) = (
        r#"{"principal":{"ip":["::1","::2"],"hostname":"a"}}"#,
        r#"{"principal":{"ip":["::2","::1"],"hostname":"b"}}"#,
    );
    let mut rules = Rules::default();
    rules.set("principal.ip");
    let paths = |rules: &Rules| {
        differences(&meaning(a, rules), &meaning(b, rules)).into_iter().map(|d| d.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(&rules), ["principal.hostname"]);
    rules.ignore("principal.hostname");
    assert!(paths(&rules).is_empty());
    let mut rules = Rules::default();
    rules.all_sets();
    assert_eq!(paths(&rules), ["principal.hostname"]);
    rules.ignore("principal");
    assert!(paths(&rules).is_empty());
}
