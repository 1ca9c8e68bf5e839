use super::*;

fn findings(text: &str) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    Validator::default().check(text.as_bytes(), &mut |f| all.push((f.code.name(), f.path)));
    all
}

/// An event with these members besides those that every event has.
fn event(event_type: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"metadata":{{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"{event_type}"}}{comma}{members}}}"#
    )
}

const GOOD: &str =
    r#""principal":{"hostname":"h","user":{"userid":"u"}},"target":{"hostname":"t","user":{"userid":"v"}}"#;

#[test]
fn what_is_valid_gives_nothing() {
    let types = &crate::udm::enumeration("Metadata.EventType").unwrap().values;
    let number = types.iter().find(|(name, _)| *name == "STATUS_UPDATE").unwrap().1.to_string();
    for text in [
        event("STATUS_UPDATE", GOOD),
        event("7000", GOOD).replace("\"7000\"", &number),
        event("USER_LOGIN", &format!(r#"{GOOD},"extensions":{{"auth":{{}}}}"#)),
        event("GENERIC_EVENT", GOOD).replace("event_timestamp", "eventTimestamp"),
        event("GENERIC_EVENT", r#""principal":{"port":"80","ip":["::1"],"location":null}"#),
        event("GENERIC_EVENT", r#""src":{"hostname":"a"},"additional":{"a":[null,{"b":1e300}]}"#),
    ] {
        assert_eq!(findings(&text), [], "{text}");
    }
}

/// Each code has a case that breaks its rule and nothing else, and the finding names the path.
#[test]
fn every_code_has_a_case_that_breaks_it_and_nothing_else() {
    let with = |members: &str| event("GENERIC_EVENT", &format!("{GOOD},{members}"));
    let principal = |members: &str| event("GENERIC_EVENT", &format!(r#""principal":{{{members}}}"#));
    let result = |members: &str| with(&format!(r#""security_result":[{{}},{{{members}}}]"#));
    let metadata = |members: &str| {
        event("GENERIC_EVENT", GOOD).replace("\"event_timestamp\"", &format!("{members},\"event_timestamp\""))
    };
    let nested = |n: usize| {
        format!(r#""process":{}{{"pid":"1"}}{}"#, r#"{"parent_process":"#.repeat(n), "}".repeat(n))
    };
    let cases = [
        ("invalid-json", "", "{\"metadata\":}".to_owned()),
        ("too-deep", "", format!("{}{}", "[".repeat(128), "]".repeat(128))),
        ("no-event", "", "[5]".into()),
        ("parser-error", "", r#"{"runParserResults":[{"error":{"code":3}}]}"#.into()),
        ("unknown-field", "principal.hostnam", principal(r#""hostnam":"x""#)),
        ("wrong-type", "principal.hostname", principal(r#""hostname":5"#)),
        ("wrong-type", "principal.user", principal(r#""user":"u""#)),
        ("wrong-type", "principal.port", principal(r#""port":1.5,"ip":["::1"]"#)),
        ("wrong-type", "additional", with(r#""additional":[]"#).replace("[]", "5")),
        ("list-expected", "principal.ip", principal(r#""ip":"10.0.0.1""#)),
        ("list-unexpected", "principal.hostname", principal(r#""hostname":["h"]"#)),
        ("null-in-list", "principal.ip[1]", principal(r#""ip":["::1",null]"#)),
        ("duplicate-field", "metadata.vendor_name", metadata(r#""vendor_name":"a","vendorName":"b""#)),
        ("duplicate-field", "additional.a", with(r#""additional":{"a":1,"b":2,"a":3}"#)),
        (
            "oneof-conflict",
            r#"security_result[1].variables["v"].bool_val"#,
            result(r#""variables":{"v":{"stringVal":"x","boolVal":true}}"#),
        ),
        ("out-of-range", "network.sent_bytes", with(r#""network":{"sent_bytes":-1}"#)),
        ("out-of-range", "additional.x", with(r#""additional":{"x":1e999}"#)),
        ("unknown-enum", "security_result[1].severity", result(r#""severity":"HUGE""#)),
        ("unknown-enum-number", "security_result[1].severity", result(r#""severity":987"#)),
        (
            "invalid-timestamp",
            "metadata.collected_timestamp",
            metadata(r#""collected_timestamp":"yesterday""#),
        ),
        ("invalid-duration", "network.session_duration", with(r#""network":{"session_duration":"5"}"#)),
        ("invalid-base64", "metadata.id", metadata(r#""id":"%%""#)),
        (
            "deprecated-field",
            "target.resource.type",
            with("").replace("\"userid\":\"v\"}},", "\"userid\":\"v\"},\"resource\":{\"type\":\"x\"}}"),
        ),
        (
            "no-timestamp",
            "metadata.event_timestamp",
            event("GENERIC_EVENT", GOOD)
                .replace("event_timestamp\":\"2024-01-01T00:00:00Z\"", "vendor_name\":\"x\""),
        ),
        ("no-event-type", "metadata.event_type", event("EVENTTYPE_UNSPECIFIED", GOOD)),
        ("no-noun", "principal", event("RESOURCE_READ", "")),
        ("no-noun-generic", "principal", event("GENERIC_EVENT", r#""principal":{}"#)),
        ("missing-part", "principal", event("STATUS_UPDATE", r#""principal":{"user":{"userid":"u"}}"#)),
        (
            "missing-part",
            "target",
            event("USER_LOGIN", r#""principal":{"hostname":"h"},"extensions":{"auth":{}}"#),
        ),
        (
            "documented-part",
            "target.user",
            event("USER_UNCATEGORIZED", r#""principal":{"hostname":"h","user":{"userid":"u"}}"#),
        ),
        (
            "hostname-too-long",
            "principal.hostname",
            principal(&format!(r#""hostname":"{}""#, "a".repeat(257))),
        ),
        (
            "value-too-long",
            "metadata.product_version",
            metadata(&format!(r#""product_version":"{}""#, "1".repeat(33))),
        ),
        ("invalid-hostname", "principal.asset.hostname", principal(r#""asset":{"hostname":"https://a"}"#)),
        ("invalid-ip", "principal.ip[1]", principal(r#""ip":["::1","10.0.0.300"]"#)),
        ("invalid-mac", "principal.mac[0]", principal(r#""mac":["aa"]"#)),
        ("invalid-url", "principal.url", principal(r#""url":"a/b""#)),
        (
            "invalid-email",
            "principal.user.email_addresses[0]",
            principal(r#""user":{"email_addresses":["a"]}"#),
        ),
        ("invalid-hash", "target.file.md5", event("GENERIC_EVENT", r#""target":{"file":{"md5":"x"}}"#)),
        ("invalid-asset-id", "principal.asset_id", principal(r#""asset_id":"1""#)),
        ("invalid-port", "principal.port", principal(r#""port":70000,"ip":["::1"]"#)),
        (
            "invalid-score",
            "extensions.vulns.vulnerabilities[0].cvss_base_score",
            with(r#""extensions":{"vulns":{"vulnerabilities":[{"cvss_base_score":11}]}}"#),
        ),
        ("port-without-ip", "intermediary[0].port", with(r#""intermediary":[{"port":80}]"#)),
        ("tags-set", "metadata.tags", metadata(r#""tags":{}"#)),
        ("principal-holds", "principal.email", principal(r#""email":"a@b.c""#)),
    ];
    for (code, path, text) in &cases {
        let text = text.replace("}},}", "}}}").replace(",}", "}");
        assert_eq!(findings(&text), [(*code, (*path).to_owned())], "{text}");
    }
    let deepest = format!("principal.process{}", ".parent_process".repeat(98));
    assert_eq!(findings(&principal(&nested(97))), []);
    assert_eq!(findings(&principal(&nested(98))), [("too-deep", deepest)]);
    // Only the code that reads files knows these.
    let elsewhere = ["too-long", "invalid-yaml"];
    for code in Code::all().map(Code::name) {
        assert!(cases.iter().any(|case| case.0 == code) || elsewhere.contains(&code), "no case for {code}");
    }
}

#[test]
fn places_are_bytes_of_the_text() {
    let text = format!(
        "[{},\n {}]",
        event("GENERIC_EVENT", GOOD),
        event("GENERIC_EVENT", r#""principal":{"ip":["x"]}"#)
    );
    let mut all = Vec::new();
    assert_eq!(Validator::default().check(text.as_bytes(), &mut |f| all.push(f)), 2);
    assert_eq!((all.len(), all[0].event, &text[all[0].at..all[0].at + 3]), (1, 1, "\"x\""));
    assert!(all[0].message.contains("`x` is not an IP address"));
}

/// YAML gives the findings of the same events in JSON, at its own lines and bytes.
#[cfg(feature = "cli")]
#[test]
fn places_in_yaml_are_those_of_the_file() {
    let yaml = |text: &str, limit| {
        let mut all = Vec::new();
        let events = Validator::default().yaml(text.as_bytes(), limit, &mut |placed| all.push(placed));
        let all: Vec<_> = all
            .iter()
            .map(|p| {
                (p.finding.code.name(), p.finding.path.as_str().to_owned(), p.line, p.byte as usize, p.event)
            })
            .collect();
        (events, all)
    };
    let text = "# two events\n\
                - events:\n    - event:\n        metadata:\n          eventTimestamp: '2024-01-01T00:00:00Z'\n          \
                eventType: STATUS_UPDATE\n        principal:\n          ip:\n            - ::1\n            - x\n\
                - events:\n    - event:\n        metadata: {eventTimestamp: '2024-01-01T00:00:00Z', eventType: NONE}\n        \
                principal: {hostname: h, hostname: h}\n";
    let at = |word: &str| text.rfind(word).unwrap();
    let expected = [
        ("invalid-ip", "principal.ip[1]".to_owned(), 10, at("x\n"), 1),
        ("unknown-enum", "metadata.event_type".to_owned(), 13, at("NONE}"), 2),
        ("duplicate-field", "principal.hostname".to_owned(), 14, at("hostname: h}"), 2),
    ];
    assert_eq!(yaml(text, 10_000), (2, expected.to_vec()));
    assert_eq!(yaml("", 10), (0, vec![]));
    for (text, limit, code, line) in [
        ("a: 1\n b: 2", 100, "invalid-yaml", 2),
        ("a: [\n", 100, "invalid-yaml", 1),
        ("a: 12345", 7, "too-long", 1),
    ] {
        let (events, found) = yaml(text, limit);
        assert_eq!((events, found.len(), found[0].0, found[0].2), (1, 1, code, line), "{text}");
    }
}

/// That a text looks like an earlier one changes nothing that is found in it.
#[cfg(feature = "cli")]
#[test]
fn in_known_texts_the_same_is_found_as_in_others() {
    let mut severities = Severities::default();
    severities.set(Code::DocumentedPart, Severity::Off);
    severities.allow(Code::InvalidHostname, "principal.hostname");
    let new = || Validator::new(severities.clone());
    let (mut learnt, mut known, mut found) = (new(), 0, 0);
    let texts = (0..4).flat_map(|seed| crate::check::mutated::events(seed, 500));
    for text in texts {
        known += usize::from(learnt.knows(&text));
        let check = |mut validator: Validator| {
            let mut all = Vec::new();
            let events = validator.check(&text, &mut |finding| all.push(finding));
            (events, all, validator)
        };
        let (events, all, _) = check(new());
        let (same_events, same, kept) = check(learnt);
        learnt = kept;
        found += all.len();
        assert_eq!((same_events, same), (events, all), "{}", String::from_utf8_lossy(&text));
    }
    assert!(known > 2_000 && found > 500, "{known} {found}");
    // Severities may change with the file.
    let text = event("USER_LOGIN", GOOD);
    for strict in [false, true] {
        let mut severities = Severities::default();
        if strict {
            severities.strict();
        }
        learnt.set_severities(severities);
        let mut all = Vec::new();
        learnt.check(text.as_bytes(), &mut |finding| all.push(finding.severity));
        assert!(all.iter().all(|severity| *severity == Severity::Warning) != strict, "{all:?}");
    }
}
