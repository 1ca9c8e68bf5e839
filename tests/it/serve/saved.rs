//! What is written: what is saved, and nothing else.

use super::Server;
use crate::support::{names, run};
use serde_json::json;
use std::fs;

#[test]
fn a_table_is_saved_where_it_was_opened_or_under_a_new_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let mine = "[mapping]\nname = \"mine\"\nextends = \"duo_telephony\"\n";
    fs::write(at("mine.toml"), mine).expect("a file");
    fs::write(at("other.toml"), "other").expect("a file");
    let server = Server::start(folder.path(), &["--mapping", "mine.toml"]);
    let start = server.call("start", &json!({}));
    assert_eq!((&start["mapping"]["file"], &start["mapping"]["text"]), (&json!("mine.toml"), &json!(mine)));
    let save = |text: &str, file: Option<&str>| json!({"kind": "mapping", "text": text, "file": file});
    let new = format!("{mine}# more\n");
    assert_eq!(server.call("save", &save(&new, None)), json!({"file": "mine.toml"}));
    assert_eq!(fs::read_to_string(at("mine.toml")).expect("a file"), new);
    assert_eq!(server.call("save", &save(&new, Some("mine.toml")))["file"], "mine.toml");
    // What the page has not opened is left alone.
    assert_eq!(server.refused("save", &save(&new, Some("other.toml"))).0, 409);
    assert_eq!(fs::read_to_string(at("other.toml")).expect("a file"), "other");
    assert_eq!(server.call("save", &save(&new, Some("new.toml")))["file"], "new.toml");
    assert_eq!(server.call("save", &save(mine, Some("new.toml")))["file"], "new.toml");
    assert_eq!(fs::read_to_string(at("new.toml")).expect("a file"), mine);
    // Somebody else has written it meanwhile.
    fs::write(at("mine.toml"), "by another editor").expect("a file");
    let (status, error) = server.refused("save", &save(&new, None));
    assert_eq!((status, error.as_str()), (409, "`mine.toml` has changed since the page opened or saved it"));
    assert_eq!(fs::read_to_string(at("mine.toml")).expect("a file"), "by another editor");
    for wrong in ["../x.toml", "/tmp/x.toml", "x.txt", "", ".x.toml", "no/such/folder/x.toml"] {
        let (status, error) = server.refused("save", &save(&new, Some(wrong)));
        assert!(matches!(status, 400 | 422), "{wrong}: {status} {error}");
    }
    assert_eq!(names(folder.path()), ["mine.toml", "new.toml", "other.toml"]);
}

#[test]
fn a_case_is_saved_and_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let (table, start) = (server.table(), server.call("start", &json!({})));
    let save = |name: &str, record: u64| json!({"kind": "case", "folder": "cases", "name": name, "mapping": table, "sample": start["sample"]["id"], "record": record});
    let saved = server.call("save", &save("first", 0));
    assert_eq!(saved["files"], json!(["events.ndjson", "input.ndjson"]));
    assert_eq!(saved["command"], "udmap test cases --mapping duo_telephony");
    let rejected = server.call("save", &save("rejected", 11));
    assert!(rejected["files"].as_array().expect("a list").contains(&json!("rejects.ndjson")), "{rejected}");
    let cases = folder.path().join("cases");
    let tested = run(&["test", cases.to_str().expect("a path"), "--mapping", "duo_telephony"]);
    assert_eq!(tested.status, 0, "{tested:?}");
    assert!(tested.stdout.contains('2') || tested.stderr.contains("2 "), "{tested:?}");
    assert_eq!(server.refused("save", &save("first", 1)).0, 409);
    for wrong in ["..", "a/b", "", ".a"] {
        assert_eq!(server.refused("save", &save(wrong, 0)).0, 400, "{wrong}");
    }
    assert_eq!(server.refused("save", &save("none", 99)).0, 404);
    assert_eq!(names(&cases), ["first", "rejected"]);
    // A case that can fail.
    fs::write(cases.join("first/events.ndjson"), "{}\n").expect("a file");
    assert_eq!(run(&["test", cases.to_str().expect("a path"), "--mapping", "duo_telephony"]).status, 1);
}

#[test]
fn nothing_else_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = tempfile::tempdir().expect("a folder");
    let mut command = crate::support::udmap();
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR"] {
        command.env(name, home.path());
    }
    let server = Server::start_as(command, folder.path(), &[]);
    let (table, start) = (server.table(), server.call("start", &json!({})));
    let id = &start["sample"]["id"];
    let golden = server.run(&table, id, 0)["record"]["event"].to_string();
    server.call(
        "run",
        &json!({"mapping": table, "sample": id, "record": 0, "golden": format!("{golden}\n{golden}")}),
    );
    server.call("profile", &json!({"sample": id}));
    server.call("sample", &json!({"name": "x", "text": "{}"}));
    server.call("rule", &json!({"mapping": table, "field": "txid", "udm": "principal.ip[]", "value": ""}));
    let shared =
        server.call("share", &json!({"mapping": table, "sample": id, "record": 0, "golden": golden}));
    assert!(shared["html"].as_str().is_some_and(|html| html.contains("metadata.product_event_type")));
    server.call("quit", &json!({}));
    assert_eq!(server.end().0, Some(0));
    assert_eq!((names(folder.path()), names(home.path())), (Vec::new(), Vec::new()));
}
