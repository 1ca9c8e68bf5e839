//! The records that are found in lines of every form.

use super::format::{Cef, EnvelopeHolds, EnvelopeRule, Formats, KeyValue};
use super::own::Own;
use super::records;
use crate::record::{FieldPath, Projection, ValueTest};

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

fn formats() -> Formats {
    let envelope = |when: &[(&str, &str)], present: &[&str], holds| EnvelopeRule {
        name: "the service".into(),
        when: when
            .iter()
            .map(|(p, t)| (path(p), ValueTest { ignore_case: true, ..ValueTest::equals(t) }))
            .collect(),
        present: present.iter().map(|p| path(p)).collect(),
        holds,
        text: false,
    };
    Formats {
        envelopes: vec![
            envelope(&[("ok", "no")], &[], EnvelopeHolds::Error(vec![path("code"), path("why")])),
            envelope(&[("ok", "yes")], &[], EnvelopeHolds::Records(vec![path("r.items"), path("r")])),
            envelope(&[], &["page"], EnvelopeHolds::Records(vec![path("items")])),
            EnvelopeRule { text: true, ..envelope(&[], &["log"], EnvelopeHolds::Records(vec![path("log")])) },
        ],
        cef: Some(Cef {
            rename: vec![("rt".into(), "t".into())],
            milliseconds: vec![("rt".into(), None)],
            absent: vec!["None".into()],
        }),
        key_value: Some(KeyValue { lead: Some("t".into()) }),
        own: Own::default(),
    }
}

/// The records of a unit as `form bytes: t=.., a=..` or the error's code.
fn found(unit: &str) -> Vec<String> {
    let mut projection = Projection::default();
    projection.add(&path("t")).unwrap();
    projection.add(&path("a")).unwrap();
    let mut all = Vec::new();
    records(unit.as_bytes(), &formats(), &projection, &mut |record| {
        let at = &unit[record.range.clone()];
        let what = match record.fields {
            Ok(fields) => fields.iter().map(|f| f.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        let whole = if at == unit { "all" } else { at };
        all.push(format!("{} {whole} => {what}", record.format.name()));
    });
    all
}

#[test]
fn json_forms() {
    for (unit, expected) in [
        (r#"{"t":1,"a":"x"}"#, vec!["plain all => 1 x"]),
        (r#"[]"#, vec![]),
        (r#"[{"t":1}, {"a":2}]"#, vec![r#"array {"t":1} => 1 -"#, r#"array {"a":2} => - 2"#]),
        (
            r#"[[{"t":1}],7]"#,
            vec![
                r#"array [{"t":1}] => not-object: the record is an array, not an object"#,
                "array 7 => not-object: the record is a number, not an object",
            ],
        ),
        (r#"{"ok":"yes","r":[{"t":1}]}"#, vec![r#"envelope {"t":1} => 1 -"#]),
        (r#"{"ok":"yes","r":{"items":[{"t":1}],"page":{}}}"#, vec![r#"envelope {"t":1} => 1 -"#]),
        (r#"{"ok":"yes","r":{"items":[]}}"#, vec![]),
        (r#"{"ok":"yes","r":{"t":1}}"#, vec![r#"envelope {"t":1} => 1 -"#]),
        (r#"{"ok":"yes","r":5,"t":3}"#, vec!["plain all => 3 -"]),
        (r#"{"ok":"yes"}"#, vec!["plain all => - -"]),
        (r#"{"items":[{"t":1}],"page":null}"#, vec![r#"envelope {"t":1} => 1 -"#]),
        (r#"{"items":[{"t":1}]}"#, vec!["plain all => - -"]),
        (
            r#"{"ok":"no","code":7,"why":"late"}"#,
            vec!["plain all => api-error: the service reports an error: 7: late"],
        ),
        (r#"{"ok":"no"}"#, vec!["plain all => api-error: the service reports an error: nothing more"]),
        (
            r#"[{"ok":"yes","r":[{"ok":"no"},{"t":1}]}]"#,
            vec![
                r#"envelope {"ok":"no"} => api-error: the service reports an error: nothing more"#,
                r#"envelope {"t":1} => 1 -"#,
            ],
        ),
        (r#"{"log":"{\"t\":1}\n"}"#, vec!["envelope all => 1 -"]),
        (
            r#"{"log":"{\"t\":1}\r\n\nno\n{\"t\":2}"}"#,
            vec![
                r#"envelope "{\"t\":1}\r\n\nno\n{\"t\":2}" => 1 -"#,
                r#"envelope "{\"t\":1}\r\n\nno\n{\"t\":2}" => invalid-json: not valid JSON: expected a value (from byte 11 of the text on)"#,
                r#"envelope "{\"t\":1}\r\n\nno\n{\"t\":2}" => 2 -"#,
            ],
        ),
        (
            r#"{"log":["{\"t\":1}",{"t":2}]}"#,
            vec![r#"envelope "{\"t\":1}" => 1 -"#, r#"envelope {"t":2} => 2 -"#],
        ),
        (r#"{"log":"{\"log\":\"{\\\"t\\\":1}\"}"}"#, vec!["envelope all => 1 -"]),
        (r#"{"log":" \n"}"#, vec![]),
        (r#"{"log":7,"t":3}"#, vec!["plain all => 3 -"]),
        ("7", vec!["plain all => not-object: the record is a number, not an object"]),
        ("x", vec!["plain all => invalid-json: not valid JSON: expected a value"]),
    ] {
        assert_eq!(found(unit), expected, "{unit}");
    }
}

#[test]
fn text_forms() {
    for (unit, expected) in [
        (
            "Nov 23 02:47:28 vm CEF:0|V|P|1|s|n|5|cs1Label=a cs1=two words rt=1683648435123",
            "cef all => 1683648435.123 two words",
        ),
        ("CEF:0|V|P|1|||5|rt=None cs1Label=a cs1=None", "cef all => - -"),
        (r"CEF:0|V\|W|P|1|||5|a=x\=y\\z\n b=1 rt=5", "cef all => 0.005 x=y\\z\n"),
        (
            "CEF:0|V|P|1|||5|rt=soon",
            "cef all => bad-timestamp: `rt`: `soon` is not a whole number of milliseconds since 1970-01-01T00:00:00Z",
        ),
        ("CEF:0|V|P|1|||5|rt=soon t=1", "cef all => 1 -"),
        ("CEF:0|V|P|1|||5|", "cef all => - -"),
        (
            "CEF:0|V|P|1|",
            "cef all => invalid-json: neither JSON nor CEF: a CEF header has seven parts, each ended by `|`, before the extension",
        ),
        (r#"1683648435,a="x", b="y""#, "key-value all => 1683648435 x"),
        (r#"a="x",t="5""#, "key-value all => 5 x"),
        (r#"a="say "hi", b", t="5""#, r#"key-value all => 5 say "hi", b"#),
        (
            r#"a="x", "#,
            "plain all => invalid-json: not valid JSON: expected a value; this looks like key=value pairs, whose values need quotes",
        ),
        ("5, nothing", "plain all => invalid-json: not valid JSON: something follows the end of the value"),
        // Pairs with blanks and tabs between them.
        ("a=\"x\" t=\"5\"", "key-value all => 5 x"),
        ("a=\"x\"\tt=\"5\" ,\t b=\"\"", "key-value all => 5 x"),
    ] {
        assert_eq!(found(unit), vec![expected], "{unit}");
    }
}

#[test]
fn behind_headers() {
    let time = "Apr 18 17:21:32 host duo: ";
    for (unit, expected) in [
        (r#"{"t":1}"#, vec![r#"plain {"t":1} => 1 -"#]),
        (r#"[{"t":1},{"a":2}]"#, vec![r#"array {"t":1} => 1 -"#, r#"array {"a":2} => - 2"#]),
        (
            r#"{"t":1}{"t":2} {"t":3}"#,
            vec![r#"plain {"t":1} => 1 -"#, r#"plain {"t":2} => 2 -"#, r#"plain {"t":3} => 3 -"#],
        ),
        (r#"{"t":1}<1>{"t":2}"#, vec![r#"plain {"t":1} => 1 -"#, r#"plain {"t":2} => 2 -"#]),
        (r#"{"t":1,"a":"CEF:0|x"}"#, vec![r#"plain {"t":1,"a":"CEF:0|x"} => 1 CEF:0|x"#]),
        (r#"t="5", a="x""#, vec![r#"key-value t="5", a="x" => 5 x"#]),
        (r#"5,a="x""#, vec![r#"key-value 5,a="x" => 5 x"#]),
        // Whatever else follows a value makes it a broken one.
        (
            r#"{"t":1} x"#,
            vec![
                r#"plain {"t":1} x => invalid-json: not valid JSON: something follows the end of the value"#,
            ],
        ),
        (
            r#"{"t":1}CEF:0|V|P|1|||5|a=x"#,
            vec![
                r#"plain {"t":1}CEF:0|V|P|1|||5|a=x => invalid-json: not valid JSON: something follows the end of the value"#,
            ],
        ),
    ] {
        assert_eq!(found(&format!("{time}{unit}")), expected, "{unit}");
    }
}

#[test]
fn several_on_a_line() {
    let cef = "CEF:0|V|P|1|||5|rt=1000 cs1Label=a cs1=x";
    let one = |text: &str| format!("cef {text} => 1.000 x");
    let syslog = format!("Nov 23 02:47:28 vm {cef}");
    let strange = format!("vm1 {cef}");
    for (unit, expected) in [
        (format!("{cef}{cef}"), vec![one(cef), one(cef)]),
        (format!("{cef} {cef}"), vec![one(cef), one(cef)]),
        // A time that is a value is not the next record's.
        (
            format!("CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z {cef}"),
            vec!["cef CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z => - 2023-03-21T22:34:49Z".to_owned(), one(cef)],
        ),
        (
            format!("CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z{cef}"),
            vec!["cef CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z => - 2023-03-21T22:34:49Z".to_owned(), one(cef)],
        ),
        (format!("{syslog}{syslog}{syslog}"), vec![one(&syslog), one(&syslog), one(&syslog)]),
        (format!("{cef}<134>{syslog}"), vec![one(cef), one(&format!("<134>{syslog}"))]),
        (format!("{strange}{strange}"), vec![one(&strange), one(&strange)]),
        (
            r#"5,a="x"6,a="y" 7,a="z",b="""#.to_owned(),
            vec![
                r#"key-value 5,a="x" => 5 x"#.to_owned(),
                r#"key-value 6,a="y" => 6 y"#.to_owned(),
                r#"key-value 7,a="z",b="" => 7 z"#.to_owned(),
            ],
        ),
        (
            r#"t="1" a="x" t="2" a="y""#.to_owned(),
            vec![r#"key-value t="1" a="x" => 1 x"#.to_owned(), r#"key-value t="2" a="y" => 2 y"#.to_owned()],
        ),
        (
            r#"<5>t="1" b="x"<5>host app: a="y""#.to_owned(),
            vec![r#"key-value t="1" b="x" => 1 -"#.to_owned(), r#"key-value a="y" => - y"#.to_owned()],
        ),
    ] {
        assert_eq!(found(&unit), expected, "{unit}");
    }
    // Where one ends and the next begins can't be told.
    for unit in [
        format!("{syslog} other {cef}"),
        format!("{cef} CEF:0|x"),
        format!("{cef}{{\"t\":1}}"),
        format!("{cef} {{\"t\":1,\"a\":2}}"),
        format!("{cef} 5,a=\"x\""),
        format!("a=\"x\" {cef}"),
        r#"t="1" a="x" a="y""#.to_owned(),
        r#"t="1"a="x" t="2""#.to_owned(),
        r#"t="1" {"a":"x"} , a="y""#.to_owned(),
        r#"5,t="1",a="x",t="2""#.to_owned(),
    ] {
        let found = found(&unit);
        assert!(found.len() == 1 && found[0].contains("all => invalid-json"), "{unit}: {found:?}");
    }
    // JSON may be a value.
    assert_eq!(found("CEF:0|V|P|1|||5|rt=1000 a={\"b\":1}"), ["cef all => 1.000 {\"b\":1}"]);
}
