use super::*;
use proptest::prelude::*;

fn reads(text: &[u8]) -> Result<String, JsonError> {
    let mut tree = Tree::default();
    tree.read(text).map(|value| rebuilt(value).to_string())
}

/// The value again, from what the tree says.
fn rebuilt(value: Value<'_>) -> serde_json::Value {
    match value.kind() {
        Kind::Object => {
            serde_json::Value::Object(value.children().map(|c| (c.key().into_owned(), rebuilt(c))).collect())
        }
        Kind::Array => serde_json::Value::Array(value.children().map(rebuilt).collect()),
        Kind::Text => serde_json::Value::String(value.text().into_owned()),
        _ => serde_json::from_str(value.raw()).unwrap(),
    }
}

/// Strict as serde_json is, which `record::exact` reads by.
fn agrees(text: &[u8]) {
    let theirs = crate::record::exact::check(text);
    let ours = reads(text);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}: {ours:?} {theirs:?}", String::from_utf8_lossy(text));
    if let (Ok(ours), Ok(value)) = (ours, serde_json::from_slice::<serde_json::Value>(text)) {
        assert_eq!(ours, value.to_string());
    }
}

#[test]
fn it_reads_what_serde_json_reads() {
    let nested = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
    agrees(&nested(127));
    agrees(&nested(128));
    for text in [
        "",
        " ",
        "{}",
        " [] ",
        "{",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "1 2",
        "01",
        "-",
        "-0",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1e5",
        "1E-5",
        "1e999",
        "tru",
        "true",
        "nul",
        "null",
        "\"",
        "\"\\\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83dx\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"a\tb\"",
        "\"a\u{7f}é\u{2028}\"",
        "{\"a\":{\"a\":[1,\"x\"]}}",
        "{\"\\u0061\":1,\"a\":2}",
        "\u{feff}{}",
        "[1]]",
        "{\"a\":1}//",
        "\"12345678\"",
        "\"1234567\u{1f}\"",
    ] {
        agrees(text.as_bytes());
    }
    agrees(b"\"\xff\"");
    agrees(b"\"\xed\xa0\x80\"");
}

#[test]
fn it_knows_where_things_stand() {
    let text = br#" {"a": [1, {"b\n": "x\ty"}], "a":true} "#;
    let mut tree = Tree::default();
    let root = tree.read(text).unwrap();
    let list = root.children().next().unwrap();
    assert_eq!(
        (list.key().as_ref(), list.start(), list.key_start(), list.raw()),
        ("a", 7, 2, r#"[1, {"b\n": "x\ty"}]"#)
    );
    let inner = list.children().nth(1).unwrap().children().next().unwrap();
    assert_eq!((inner.key().as_ref(), inner.text().as_ref()), ("b\n", "x\ty"));
    assert_eq!(root.member("a").unwrap().raw(), "true");
    assert_eq!(Tree::default().read(b"{\"a\":x}").unwrap_err().at, 5);
}

proptest! {
    #[test]
    fn changed_texts_too(at in 0usize..120, byte in any::<u8>(), cut in any::<bool>()) {
        let mut text = br#"{"k":"v\u00e9\\ \ud83d\ude00 long enough","n":[-1.5e+10,0,null,true,false,{}],"o":{"p":"q"}}"#.to_vec();
        let at = at % text.len();
        if cut { text.truncate(at) } else { text[at] = byte }
        agrees(&text);
    }
}
