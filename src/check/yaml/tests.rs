use super::*;

fn json(text: &str) -> String {
    String::from_utf8(read(text.as_bytes(), 1 << 20).unwrap().json).unwrap()
}

#[test]
fn values_keep_their_lines() {
    for (yaml, expected) in [
        ("", "[]"),
        ("# nothing\n", "[]"),
        ("- a\n- b\n", "[[\"a\",\n\"b\"]]"),
        ("a: 1\n\nb:\n  c: 'x'\n", "[{\"a\":1,\n\n\"b\":\n{\"c\":\"x\"}}]"),
        ("a: 1\n---\nb: 2\n", "[{\"a\":1},\n\n{\"b\":2}]"),
        ("{a: [1, 2.5, true, null, ~, 'true'], b: }", "[{\"a\":[1,2.5,true,null,null,\"true\"],\"b\":null}]"),
        (
            "a: 09007199254740993\nb: 1e3\nc: 1.50\nd: 2024-01-01\n",
            "[{\"a\":\"09007199254740993\",\n\"b\":\"1e3\",\n\"c\":1.50,\n\"d\":\"2024-01-01\"}]",
        ),
        ("a: |\n  one\n  two\nb: x\n", "[{\"a\":\n\"one\\ntwo\\n\",\n\n\"b\":\"x\"}]"),
        ("a: &x\n  b: 1\nc: *x\n", "[{\"a\":\n{\"b\":1},\n\"c\":{\"b\":1}}]"),
        ("a: 1\na: 2\n", "[{\"a\":1,\n\"a\":2}]"),
        ("1: x\n", "[{\"1\":\"x\"}]"),
        ("- !!str 1\n- !!int '1'\n- !!bool YES\n- ! 2\n", "[[\"1\",\n1,\ntrue,\n\"2\"]]"),
        ("---\n---\na: y\n...\n", "[\n\n{\"a\":\"y\"}]"),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\n", "[{\"a\":{\"b\":1,\"c\":2},\n\"d\":{\"b\":3,\"c\":2}}]"),
        ("- &k b\n- *k : 1\n", "[[\"b\",\n{\"b\":1}]]"),
    ] {
        assert_eq!(json(yaml), expected, "{yaml}");
    }
}

/// What `udmap test --bless` writes is read as the same texts.
#[test]
fn what_is_written_is_read() {
    let texts =
        ["NO", "yes", "on", "1", "0x1F", "010", "1e3", ".inf", "null", "~", "", " a", "a: b", "- a", "#"];
    let times =
        ["2024-01-01", "2024-01-01T00:00:00Z", "12:30:45", "1_000", "\u{1b}", "a\nb\n", "<<", "*a", "&a"];
    let events = serde_json::json!({ "texts": texts, "times": times });
    let yaml = serde_saphyr::to_string(&events).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json(&yaml)).unwrap();
    assert_eq!(read[0], events, "{yaml}");
}

#[test]
fn places_are_those_of_the_file() {
    let text = "é: x\nlist:\n  - one\n  - two\n";
    let read = read(text.as_bytes(), 100).unwrap();
    let at = read.json.windows(3).position(|part| part == b"two").unwrap();
    let byte = text.find("two").unwrap() as u64;
    assert_eq!(read.place_of(at), YamlPlace { line: 4, column: 5, byte });
    assert_eq!(read.place_of(0), YamlPlace::START);
}

#[test]
fn errors_say_where() {
    for (yaml, line, message) in [
        (&b"a: 1\nb: [1,\n"[..], 2, "unclosed bracket"),
        (b"a: 1\n  b: 2\n", 2, ""),
        (b"a: *x\n", 1, ""),
        (b"a: 1\n\xff", 2, "not UTF-8"),
        (b"a:\n\t- 1\n", 2, ""),
    ] {
        let error = read(yaml, 1 << 20).unwrap_err();
        assert_eq!(error.place.line, line, "{error:?}");
        assert!(error.message.contains(message) && !error.message.contains("line "), "{error:?}");
    }
}

/// No guess: what readers of YAML take for different values is to be put in quotes.
#[test]
fn what_is_ambiguous_is_an_error() {
    for (yaml, message) in [
        ("port: 0443", "`0443` without quotes"),
        ("a: [1, +1]", "put it in quotes"),
        ("a: 12:30:45", "put it in quotes"),
        ("a: .inf", "put it in quotes"),
        ("on: push", "`on` without quotes"),
        ("0443: x", "put it in quotes"),
        ("? [a]\n: x", "the key is not a text"),
        ("a: !foo bar", "the tag `!foo` is not read"),
        ("a: !foo {b: 1}", "the tag `!foo` is not read"),
        ("a: !!binary aGk=", "the tag `!!binary` is not read"),
        ("a: !!timestamp 2024-01-01", "the tag `!!timestamp` is not read"),
        ("a: !!set {b}", "is not read"),
        ("a: !!int x", "is not a value for the tag `!!int`"),
        ("a: !!int 010", "is not a value for the tag"),
        ("a: &a [*a]", "a part of"),
        ("<<: 5", "is not a map"),
    ] {
        let error = read(yaml.as_bytes(), 1 << 20).unwrap_err();
        assert!(error.message.contains(message), "{yaml}: {error:?}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut bomb = String::from("a0: &a0 x\n");
    for n in 1..40 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
    }
    let long = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 900].join(","));
    let deep = "[".repeat(100_000);
    let deep_block = (0..2000).fold(String::new(), |all, n| all + &" ".repeat(n) + "a:\n");
    let many = "- 1\n".repeat(MOST_VALUES + 1);
    for yaml in [bomb, long, deep, deep_block, many] {
        let error = read(yaml.as_bytes(), 8 << 20).unwrap_err();
        assert!(
            error.message.starts_with("more than") || error.message.starts_with("recursion"),
            "{error:?}"
        );
    }
    let as_deep_as_json = format!("{}1{}", "[".repeat(DEEPEST - 1), "]".repeat(DEEPEST - 1));
    let read = read(as_deep_as_json.as_bytes(), 1 << 20).unwrap();
    assert!(crate::json::Tree::default().read(&read.json).is_ok());
}
