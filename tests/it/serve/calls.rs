//! What each call gives.

use super::{Server, part};
use crate::support::{project, run_with};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

const V2: &str = r#"{"context":"verify","credits":1,"phone":"+15550100","ts":"2024-01-01T00:00:00Z","txid":"t-1","type":"sms"}"#;

fn started(args: &[&str]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), args);
    (folder, server)
}

#[test]
fn it_opens_with_an_example_or_a_file() {
    let (_folder, server) = started(&[]);
    let start = server.call("start", &json!({}));
    assert_eq!((&start["is_example"], &start["mapping"]["builtin"]), (&json!(true), &json!(true)));
    assert_eq!(start["mapping"]["name"], "duo_telephony");
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(start["sample"]["records"], 12);
    assert!(start["mappings"].as_array().expect("a list").contains(&json!("duo_auth")));

    // The table is the one that takes the records.
    let file = project("fixtures/duo_auth/user/input.ndjson");
    let (_folder, server) = started(&[file.to_str().expect("a path")]);
    let start = server.call("start", &json!({}));
    assert_eq!((&start["is_example"], &start["mapping"]["name"]), (&json!(false), &json!("duo_auth")));
    assert_eq!(start["sample"]["name"], file.to_str().expect("a path"));
    let table = server.call("mapping", &json!({"name": "duo_admin"}));
    assert!(table["text"].as_str().expect("a text").contains("name = \"duo_admin\""));
    assert_eq!(server.refused("mapping", &json!({"name": "../Cargo.toml"})).0, 404);
}

#[test]
fn values_lead_to_rules_and_bytes() {
    let (_folder, server) = started(&[]);
    let record = r#"{"é😀":"é","context":"vérify 😀","credits":1,"phone":"+15550100","ts":"2024-01-01T00:00:00Z","txid":"t-😀","type":"sms"}"#;
    let ran = server.run_text(&format!("{V2}\n{record}\n"), 1);
    let view = &ran["record"];
    assert_eq!((&view["raw"], &view["line"], &view["index"]), (&json!(record), &json!(2), &json!(1)));
    assert_eq!(view["cut"], false);
    let values = view["values"].as_array().expect("a list");
    assert!(values.len() > 8, "{view}");
    let mut with_raw = 0;
    for value in values {
        // The value is where the event's text has it.
        let shown = part(&view["event_text"], &value["from"], &value["to"]);
        assert_eq!(serde_json::from_str::<Value>(&shown).expect(&shown), value["value"], "{value}");
        if value["raw"]["from"].is_u64() {
            with_raw += 1;
            let raw = part(&view["raw"], &value["raw"]["from"], &value["raw"]["to"]);
            assert_eq!(raw.trim_matches('"'), value["raw"]["value"].as_str().expect("a text"), "{value}");
        }
        if !value["rule"].is_null() {
            assert_eq!(value["rule"]["here"], true);
            let line = value["rule"]["line"].as_u64().expect("a line") as usize;
            assert!(server.table().lines().nth(line - 1).is_some_and(|line| !line.is_empty()), "{value}");
        }
    }
    assert!(with_raw >= 5, "{view}");
    let left = view["left"].as_array().expect("a list");
    let names: Vec<&str> = left.iter().map(|field| field["field"].as_str().expect("a text")).collect();
    assert_eq!(names, ["é😀", "txid"]);
    assert_eq!(part(&view["raw"], &left[1]["from"], &left[1]["to"]), "\"t-😀\"");
    assert_eq!(
        serde_json::from_str::<Value>(view["event_text"].as_str().expect("a text")).expect("JSON"),
        view["event"]
    );
}

/// What the page shows is what `convert` writes, for every record of all fixtures.
#[test]
fn the_page_shows_what_convert_writes() {
    let (_folder, server) = started(&[]);
    for fixture in [
        "quickstart",
        "duo_auth/user",
        "duo_activity/target",
        "duo/mixed",
        "layout-pretty-objects",
        "layout-several",
        "real-log-sync-cef",
        "real-splunk-key-value",
        "real-demisto-v2-items",
        "real-datadog-wrapper",
        "value-text",
        "value-duplicates",
    ] {
        let folder = project("fixtures").join(fixture);
        let input = crate::support::names(&folder).into_iter().find(|name| name.starts_with("input."));
        let input = input.expect("an input");
        let bytes = std::fs::read(folder.join(&input)).expect("the input can be read");
        for name in ["duo_telephony", "duo_auth_extended", "duo_activity", "duo"] {
            let converted =
                run_with(&bytes, &["convert", "-", "-q", "--mapping", name, "--max-rejects", "1000"]);
            let expected: Vec<&str> = converted.stdout.lines().collect();
            let table =
                server.call("mapping", &json!({"name": name}))["text"].as_str().expect("a text").to_owned();
            let base64 = BASE64_STANDARD.encode(&bytes);
            let sample = server.call("sample", &json!({"name": input, "base64": base64, "mapping": table}));
            let mut events = Vec::new();
            for number in 0..sample["records"].as_u64().expect("a number") {
                let ran = server.run(&table, &sample["id"], number);
                assert_eq!(ran["record"]["index"], number);
                let event = &ran["record"]["event"];
                assert_ne!(event.is_null(), ran["record"]["reject"].is_null(), "{ran}");
                for value in ran["record"]["values"].as_array().expect("a list") {
                    let shown = part(&ran["record"]["event_text"], &value["from"], &value["to"]);
                    assert_eq!(
                        serde_json::from_str::<Value>(&shown).expect(&shown),
                        value["value"],
                        "{value}"
                    );
                }
                if !event.is_null() {
                    events.push(event.clone());
                }
            }
            let expected: Vec<Value> =
                expected.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert_eq!(events, expected, "{fixture} {name}");
        }
    }
}

#[test]
fn each_form_of_input_is_named() {
    let (_folder, server) = started(&[]);
    let (record, base64) = (V2.to_owned(), |text: &str| BASE64_STANDARD.encode(text));
    let forms = [
        (record.clone(), "NDJSON: a JSON object on each line"),
        (format!("[{record},{record}]"), "a JSON array of records"),
        (format!(r#"{{"stat":"OK","response":{{"items":[{record}]}}}}"#), "records in an envelope, such as an API's answer"),
        (serde_json::to_string_pretty(&serde_json::from_str::<Value>(&record).expect("JSON")).expect("JSON"), "JSON objects over several lines"),
        ("CEF:0|Duo Security|DuoLogSync|1.0|telephony|telephony|1|rt=1683648435000 cs1Label=context cs1=verify".to_owned(), "CEF lines"),
        (r#"1683648435,context="verify",phone="+15550100",type="sms""#.to_owned(), "lines of key=value pairs"),
        (format!(r#"{{"raw_logs":{{"entries":[{{"data":"{}"}}]}}}}"#, base64(&record)), "NDJSON: a JSON object on each line, in content-hub's file of raw logs"),
        (base64(&record), "NDJSON: a JSON object on each line, in base64"),
        ("no form at all".to_owned(), "text in a form that this table does not read"),
        (String::new(), "nothing: there is not one record"),
    ];
    for (text, form) in &forms {
        let sample = server.call("sample", &json!({"name": "pasted", "text": text}));
        assert_eq!(sample["form"], *form, "{text}");
        if *form != forms[8].1 && *form != forms[9].1 {
            let ran = server.run(&server.table(), &sample["id"], 0);
            assert!(ran["record"]["event"].is_object(), "{text}: {ran}");
        }
    }
    let mixed = format!("{record}\nno form\n{record}\n");
    let sample = server.call("sample", &json!({"name": "pasted", "text": mixed}));
    assert_eq!(sample["forms"][0]["count"], 2);
    assert!(sample["form"].as_str().is_some_and(|form| form.ends_with(", and other forms")), "{sample}");
    // Files, compressed or not.
    let gzip = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut out, text.as_bytes()).expect("memory takes it");
        BASE64_STANDARD.encode(out.finish().expect("memory takes it"))
    };
    let files = json!([{"name": "a.gz", "base64": gzip(&record)}, {"name": "b", "base64": base64(&record)}]);
    let sample = server.call("sample", &json!({"name": "folder", "files": files}));
    assert_eq!((&sample["records"], &sample["texts"]), (&json!(2), &json!(2)));
    assert_eq!(server.run(&server.table(), &sample["id"], 1)["record"]["source"], "b");
    let broken = server
        .call("sample", &json!({"name": "x.zip", "base64": BASE64_STANDARD.encode(b"PK\x03\x04\0\0\0\0")}));
    assert!(broken["failures"][0].as_str().is_some_and(|failure| failure.contains("x.zip")), "{broken}");
    assert_eq!(server.refused("sample", &json!({"name": "x", "base64": "?"})).0, 400);
    assert_eq!(server.refused("sample", &json!({"name": "x"})).0, 400);
    assert_eq!(server.refused("run", &json!({"mapping": "", "sample": "s999"})).0, 404);
}

#[test]
fn records_are_counted_and_rejects_found() {
    let (_folder, server) = started(&[]);
    let text: String = (0..3_000)
        .map(|n| if n % 1_000 == 500 { "{\"phone\":\"+15550100\"}\n".to_owned() } else { format!("{V2}\n") })
        .collect();
    let ran = server.run_text(&text, 600);
    let counts = &ran["counts"];
    assert_eq!(
        (&counts["records"], &counts["events"], &counts["rejects"]),
        (&json!(3_000), &json!(2_997), &json!(3))
    );
    assert_eq!(counts["by_reason"], json!([{"reason": "no-timestamp", "count": 3, "first": 500}]));
    assert_eq!((&counts["previous_reject"], &counts["next_reject"]), (&json!(500), &json!(1_500)));
    let sample = server.call("sample", &json!({"name": "pasted", "text": text}))["id"].clone();
    for number in [0, 499, 500, 501, 1_500, 2_499, 2_999, 3_000, u64::MAX] {
        let ran = server.run(&server.table(), &sample, number);
        let number = number.min(2_999);
        assert_eq!((&ran["record"]["index"], &ran["record"]["line"]), (&json!(number), &json!(number + 1)));
        assert_eq!(ran["record"]["reject"].is_null(), number % 1_000 != 500);
    }
    assert_eq!(ran["record"]["reject"], Value::Null);
}

#[test]
fn a_table_is_checked_with_places_and_a_mended_name() {
    let (_folder, server) = started(&[]);
    let sample = server.call("start", &json!({}))["sample"]["id"].clone();
    let table = server
        .table()
        .replace("udm = \"metadata.product_event_type\"", "udm = \"metadata.product_event_typ\"");
    let ran = server.run(&table, &sample, 0);
    let error = &ran["table"]["errors"][0];
    let line = table.lines().position(|line| line.contains("event_typ\"")).expect("the line") + 1;
    assert_eq!((&error["line"], &error["column"]), (&json!(line), &json!(7)), "{error}");
    assert_eq!(error["message"], "`metadata` has no field `product_event_typ`");
    assert_eq!(error["fix"]["replacement"], "product_event_type");
    assert_eq!((&error["fix"]["column"], &error["fix"]["end_column"]), (&json!(17), &json!(34)), "{error}");
    assert_eq!((&ran["record"], &ran["counts"]), (&Value::Null, &Value::Null));
    for (table, message) in [("", "not a mapping table"), ("[mapping]\nname = \"x\n", "")] {
        let ran = server.run(table, &sample, 0);
        let error = ran["table"]["errors"][0]["message"].as_str().expect("a message");
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn findings_say_what_secops_does() {
    let (_folder, server) = started(&[]);
    let table = format!("{}\n[[rule]]\nudm = \"principal.mac[]\"\nfrom = \"txid\"\n", server.table());
    let sample = server.call("sample", &json!({"name": "x", "text": V2}))["id"].clone();
    let ran = server.run(&table, &sample, 0);
    let finding = &ran["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|f| f["code"] == "invalid-mac")
        .expect("a finding");
    assert_eq!(finding["path"], "principal.mac[0]");
    assert_eq!(part(&ran["record"]["event_text"], &finding["from"], &finding["to"]), "\"t-1\"");
    assert!(finding["outcome"].as_str().is_some_and(|outcome| !outcome.is_empty()), "{finding}");
}

#[test]
fn expected_events_are_compared_field_by_field() {
    let (_folder, server) = started(&[]);
    let (table, sample) =
        (server.table(), server.call("sample", &json!({"name": "x", "text": V2}))["id"].clone());
    let event = server.run(&table, &sample, 0)["record"]["event"].clone();
    let compared =
        |golden: &str| server.call("run", &json!({"mapping": table, "sample": sample, "golden": golden}));
    let same = compared(&event.to_string());
    assert_eq!((&same["diff"]["same"], &same["diff"]["against"]), (&json!(true), &json!("golden")));
    let mut other = event.clone();
    other["principal"]["user"]["userid"] = json!("somebody");
    let wrapped = json!({"events": [{"event": {"idm": {"readOnlyUdm": other}}}]});
    let diff = compared(&wrapped.to_string())["diff"].clone();
    assert_eq!(
        diff["differences"],
        json!([{"path": "principal.user.userid", "ours": "\"+15550100\"", "theirs": "\"somebody\"", "kind": "changed"}])
    );
    let wrong = compared("nothing");
    assert!(wrong["golden_error"].is_string() && wrong["diff"].is_null(), "{wrong}");
    assert!(wrong["record"]["event"].is_object());
}

#[cfg(feature = "parser")]
#[test]
fn a_parser_runs_on_the_record() {
    let (_folder, server) = started(&[]);
    let (table, sample) =
        (server.table(), server.call("sample", &json!({"name": "x", "text": V2}))["id"].clone());
    let parser = r#"filter {
  json { source => "message" }
  mutate {
    replace => {
      "event.idm.read_only_udm.metadata.event_type" => "GENERIC_EVENT"
      "event.idm.read_only_udm.principal.user.userid" => "%{phone}"
    }
  }
  mutate { merge => { "@output" => "event" } }
}
"#;
    let ran =
        |parser: &str| server.call("run", &json!({"mapping": table, "sample": sample, "parser": parser}));
    let answer = ran(parser);
    assert_eq!(answer["parser_run"]["outcome"], "events", "{answer}");
    assert_eq!(answer["parser"], json!({"errors": [], "warnings": []}));
    let lines = answer["parser_run"]["lines"].as_array().expect("a list");
    let userid = lines.iter().find(|line| line["path"] == "principal.user.userid").expect("the field");
    assert_eq!(part(&answer["parser_run"]["event_text"], &userid["from"], &userid["to"]), "\"+15550100\"");
    assert_eq!(userid["line"], 3);
    assert_eq!(answer["diff"]["against"], "parser");
    assert_eq!(answer["diff"]["same"], false);
    let broken = ran(&parser.replace("json {", "jsn {"));
    assert_eq!(broken["parser"]["errors"][0]["line"], 2, "{broken}");
    assert_eq!(broken["parser_run"], Value::Null);
    // It runs also while the table has errors.
    let asked = json!({"mapping": "[mapping", "sample": sample, "parser": parser});
    let without = server.call("run", &asked);
    assert_eq!((&without["record"], &without["parser_run"]["outcome"]), (&Value::Null, &json!("events")));
    let dropped = ran("filter { drop { tag => \"TAG_NO_SECURITY_VALUE\" } }");
    assert_eq!(dropped["parser_run"]["outcome"], "dropped");
}

/// A rule for a field that no rule reads takes its value into the event.
#[test]
fn a_written_rule_converts() {
    let (_folder, server) = started(&[]);
    let sample = server.call("sample", &json!({"name": "x", "text": V2}))["id"].clone();
    for (udm, path, value) in [
        ("metadata.product_log_id", "/metadata/product_log_id", "t-1"),
        ("principal.user.group_identifiers[]", "/principal/user/group_identifiers/0", "t-1"),
        ("additional", "/additional/txid", "t-1"),
        ("target.labels[]", "/target/labels/0/value", "t-1"),
        ("security_result[0].priority", "/security_result/0/priority", "LOW_PRIORITY"),
    ] {
        let asked = json!({"mapping": server.table(), "field": "txid", "udm": udm, "value": "t-1", "becomes": "LOW_PRIORITY"});
        let written = server.call("rule", &asked);
        let table = written["mapping"].as_str().expect("a text");
        let ran = server.run(table, &sample, 0);
        assert_eq!(ran["table"]["errors"], json!([]), "{table}");
        assert_eq!(ran["record"]["event"].pointer(path), Some(&json!(value)), "{ran}");
        let line = written["line"].as_u64().expect("a line") as usize;
        assert_eq!(table.lines().nth(line - 1), Some("[[rule]]"));
        assert_eq!(ran["record"]["left"], json!([]));
    }
    let fields = server.call("fields", &json!({"query": "product log id"}));
    assert_eq!(fields["fields"][0]["path"], "metadata.product_log_id");
    assert_eq!(
        server.refused("rule", &json!({"mapping": server.table(), "field": "txid", "udm": "no.field"})).0,
        400
    );
}

#[test]
fn each_count_of_a_profile_leads_to_records() {
    let (_folder, server) = started(&[]);
    let text = format!("{V2}\n{{\"phone\":\"x\"}}\n{}\n", V2.replace("sms", "phone"));
    let sample = server.call("sample", &json!({"name": "x", "text": text}))["id"].clone();
    let profile = server.call("profile", &json!({"sample": sample}));
    assert_eq!(profile["records"], 3);
    assert_eq!(profile["rejects"], json!([{"reason": "no-timestamp", "count": 1, "records": [1]}]));
    assert_eq!(profile["forms"], json!([{"form": "plain", "count": 3, "records": [0, 1, 2]}]));
    let fields = profile["fields"].as_array().expect("a list");
    let field = |name: &str| fields.iter().find(|field| field["path"] == name).expect(name);
    assert_eq!((&field("phone")["count"], &field("phone")["records"]), (&json!(3), &json!([0, 1, 2])));
    assert_eq!((&field("txid")["read"], &field("phone")["read"]), (&json!(false), &json!(true)));
    let sms = field("type")["examples"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|e| e["value"] == "sms")
        .expect("sms")
        .clone();
    assert_eq!((&sms["count"], &sms["records"]), (&json!(1), &json!([0])));
    assert_eq!(profile["times"]["first"], "2024-01-01T00:00:00Z");
}

#[test]
fn a_command_line_shows_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "a b's log.ndjson";
    std::fs::write(folder.path().join(name), format!("{V2}\n{V2}\n")).expect("a file");
    let server = Server::start(folder.path(), &[name]);
    let start = server.call("start", &json!({}));
    let asked = |what: &str| {
        let asked = json!({"sample": start["sample"]["id"], "record": 1, "what": what});
        server.call("command", &asked)["command"].as_str().expect("a text").to_owned()
    };
    let shell = |command: &str| {
        let udmap = env!("CARGO_BIN_EXE_udmap");
        let script = format!("udmap() {{ '{udmap}' \"$@\"; }}\n{command}");
        let output =
            std::process::Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output();
        crate::support::Run::of(&output.expect("bash starts"))
    };
    let explain = asked("explain");
    assert_eq!(explain, r"udmap explain 'a b'\''s log.ndjson:2' --mapping duo_telephony");
    assert_eq!(shell(&explain).status, 0);
    assert_eq!(shell(&asked("convert")).stdout.lines().count(), 2);
    // A record that was pasted is in the command.
    let pasted = server
        .call("sample", &json!({"name": "x", "text": V2.replace("verify", "it's $HOME `id`")}))["id"]
        .clone();
    let command = server.call("command", &json!({"sample": pasted, "record": 0, "what": "convert"}));
    assert_eq!(command["note"], Value::Null);
    let run = shell(command["command"].as_str().expect("a text"));
    assert!(run.stdout.contains("it's $HOME `id`"), "{run:?}");
    // A table that is not saved can't be named yet.
    let other = format!("{}# more\n", server.table());
    let asked = json!({"sample": pasted, "record": 0, "what": "convert", "mapping": other});
    let command = server.call("command", &asked);
    assert!(command["command"].as_str().is_some_and(|command| command.ends_with("--mapping mine.toml")));
    assert_eq!(command["note"], "save the table as `mine.toml` first");
    server.call("save", &json!({"kind": "mapping", "text": other, "file": "mine.toml"}));
    let command = server.call("command", &asked);
    assert_eq!(command["note"], Value::Null);
    assert_eq!(shell(command["command"].as_str().expect("a text")).status, 0);
}
