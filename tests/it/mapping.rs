//! Mapping tables as files: what they change, and what is refused.

use crate::support::{json_lines, run, run_with};
use std::fs;

const HEAD: &str = "[mapping]\nname = \"t\"\nlog_type = \"T\"\n";
const TIME: &str =
    "[[rule]]\nudm = \"metadata.event_timestamp\"\ntime = [{ from = \"t\", read = \"epoch-seconds\" }]\n";
const TYPE: &str = "[[rule]]\nudm = \"metadata.event_type\"\nvalue = \"GENERIC_EVENT\"\n";

/// A table that is right, with these rules more. They begin on line 10.
fn table(rules: &str) -> String {
    format!("{HEAD}{TIME}{TYPE}{rules}")
}

/// `rules -> line:column, words`.
#[test]
fn faulty_tables_are_refused_with_their_place() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "[[rule]]\nudm = \"metadata.event_tpe\"\nvalue = \"x\"",
            "11:7",
            &["has no field `event_tpe`", "`metadata.event_type`"],
        ),
        (
            "[[rule]]\nudm = \"pricipal.hostname\"\nfrom = \"h\"",
            "11:7",
            &["UDM has no field `pricipal`", "`principal`"],
        ),
        (
            "[[rule]]\nudm = \"principal.ip\"\nfrom = \"h\"",
            "11:7",
            &["`principal.ip` is repeated", "`principal.ip[]`"],
        ),
        ("[[rule]]\nudm = \"principal.hostname[]\"\nfrom = \"h\"", "11:7", &["takes no index"]),
        (
            "[[rule]]\nudm = \"security_result.summary\"\nfrom = \"h\"",
            "11:7",
            &["is repeated", "`security_result[0]`"],
        ),
        ("[[rule]]\nudm = \"security_result[].summary\"\nfrom = \"h\"", "11:7", &["`security_result[0]`"]),
        ("[[rule]]\nudm = \"security_result[1].summary\"\nfrom = \"h\"", "11:7", &["no rule fills `[0]`"]),
        ("[[rule]]\nudm = \"principal\"\nfrom = \"h\"", "11:7", &["is a message (Noun)", "hostname"]),
        ("[[rule]]\nudm = \"principal.hostname.x\"\nfrom = \"h\"", "11:7", &["not a message"]),
        ("[[rule]]\nudm = \"additional\"\nfrom = \"h\"", "11:7", &["holds texts by their names"]),
        ("[[rule]]\nudm = \"metadata.id\"\nfrom = \"h\"", "11:7", &["holds bytes"]),
        ("[[rule]]\nudm = \"security_result[0].variables\"\nfrom = \"h\"", "11:7", &["is a map"]),
        (
            "[[rule]]\nudm = \"security_result[0].severity\"\nvalue = \"INFORMATIONL\"",
            "11:7",
            &["`INFORMATIONL` is not a value of the enum", "`INFORMATIONAL`"],
        ),
        (
            "[[rule]]\nudm = \"security_result[0].severity\"\nfrom = \"h\"",
            "11:7",
            &["enum", "`value` or `cases`"],
        ),
        (
            "[[rule]]\nudm = \"principal.port\"\nvalue = \"many\"",
            "11:7",
            &["expected a whole number", "found `many`"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nvalue = \"\"",
            "11:7",
            &["value is empty", "leave the rule out"],
        ),
        (
            "[[rule]]\nudm = \"metadata.event_type\"\nvalue = \"GENERIC_EVENT\"",
            "11:7",
            &["filled on line 8 too", "order"],
        ),
        (
            "[[rule]]\nudm = \"metadata.description\"\nfrom = \"a\"\n[[rule]]\nudm = \"metadata.description\"\nfrom = \"b\"\norder = 1",
            "14:7",
            &["filled on line 11 too"],
        ),
        ("[[rule]]\nudm = \"about[0].labels[]\"\nfrom = \"h\"", "11:7", &["label = "]),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nlabel = \"x\"\nfrom = \"h\"",
            "11:7",
            &["does not hold labels"],
        ),
        ("[[rule]]\nudm = \"metadata.collected_timestamp\"\nfrom = \"h\"", "11:7", &["is a time", "time = "]),
        (
            "[[rule]]\nudm = \"principal.hostname\"\ntime = [{ from = \"h\", read = \"iso8601\" }]",
            "11:7",
            &["is not a time"],
        ),
        (
            "[[rule]]\nudm = \"metadata.collected_timestamp\"\ntime = [{ from = \"h\", read = \"iso\" }]",
            "12:30",
            &["unknown time format `iso`", "`iso8601`"],
        ),
        ("[[rule]]\nudm = \"principal.hostname\"\nform = \"h\"", "12:1", &["unknown key `form`", "`from`"]),
        ("[[rule]]\nudm = \"principal.hostname\"\nfrom = \"h\"\nvalue = \"x\"", "11:7", &["exactly one of"]),
        ("[[rule]]\nudm = \"principal.hostname\"", "11:7", &["exactly one of", "found none"]),
        ("[[rule]]\nfrom = \"h\"", "10:1", &["`udm`", "is missing"]),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nfrom = \"h\"\nwhen = \"ipv4\"",
            "13:8",
            &["unknown condition `ipv4`"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nvalue = \"h\"\nwhen = \"ip\"",
            "13:8",
            &["goes only with `from`"],
        ),
        ("[[rule]]\nudm = \"principal.hostname\"\nfrom = \"a..b\"", "12:8", &["`a..b` is not a field"]),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nfrom = 7",
            "12:8",
            &["expected a text in quotes, found an integer"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nfrom = \"t.x\"",
            "11:7",
            &["`t` and `t.x` can't both be read"],
        ),
        ("[[rule]]\nudm = \"principal..x\"\nfrom = \"h\"", "11:7", &["a step is empty"]),
        (
            "[[rule]]\nudm = \"principal.platform\"\ncases = [{ value = \"LINUX\" }, { present = [\"t\"], value = \"MAC\" }]",
            "12:20",
            &["fits every record"],
        ),
        (
            "[[rule]]\nudm = \"principal.hostname\"\nfrom = \"h\"\nreplace = true",
            "11:7",
            &["nothing to replace"],
        ),
        ("[[shape]]\nname = \"s\"\npresent = [\"zzz\"]", "10:1", &["`zzz`, which no rule reads"]),
        ("[[envelope]]\nname = \"e\"\nrecords = \"r\"", "10:1", &["neither `when` nor `present`"]),
        ("[[envelope]]\nname = \"e\"\npresent = \"r\"", "10:1", &["either `records` or an `error`"]),
        ("[[rules]]\nudm = \"x\"", "10:3", &["unknown key `rules`", "`rule`"]),
        ("[[rule]\nudm = 1", "10:8", &[]),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("t.toml");
    let name = file.to_string_lossy().into_owned();
    fs::write(&file, table("")).expect("written");
    assert_eq!(run(&["mappings", "check", &name]).status, 0, "the table without more rules is right");
    for (rules, place, words) in cases {
        fs::write(&file, table(rules)).expect("written");
        for args in [vec!["mappings", "check", &name], vec!["convert", "-", "--mapping", &name]] {
            let run = run(&args);
            assert_eq!(run.status, 2, "{rules}: {}", run.stderr);
            assert!(
                run.stderr.contains(&format!("t.toml:{place}\n")),
                "{rules} is at {place}: {}",
                run.stderr
            );
            for word in *words {
                assert!(run.stderr.contains(word), "{rules} says {word}: {}", run.stderr);
            }
        }
    }
    for (text, words) in [
        (format!("{TIME}{TYPE}"), "no `[mapping]`"),
        (HEAD.to_owned(), "no rules"),
        (format!("{HEAD}{TYPE}"), "metadata.event_timestamp"),
        (format!("{HEAD}{TIME}"), "metadata.event_type"),
        ("[mapping]\nlog_type = \"T\"\n".to_owned() + TIME + TYPE, "`name` is missing"),
        ("[mapping]\nname = \"t\"\nextends = \"nothing\"\n".to_owned(), "no built-in table"),
        ("[mapping]\nname = \"t\"\nextends = \"t.toml\"\n".to_owned(), "extend each other"),
        (
            "[mapping]\nname = \"t\"\nextends = \"duo_telephony\"\nwithout = \"principal.hostnme\"\n"
                .to_owned(),
            "`principal.hostname`",
        ),
    ] {
        fs::write(&file, text).expect("written");
        let run = run(&["mappings", "check", &name]);
        assert_eq!(run.status, 2, "{words}");
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

/// `rules | record -> what the event holds at a pointer`; `!` and a reason for a reject.
#[test]
fn every_kind_of_rule_does_what_it_says() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("from = [\"a\", \"b\"]", r#"{"t":1,"b":2,"a":""}"#, "2", "principal.hostname"),
        ("from = \"a\"\ndefault = \"d\"", r#"{"t":1,"a":null}"#, "d", "principal.hostname"),
        ("from = \"o.\\\"x.y\\\".z\"", r#"{"t":1,"o":{"x.y":{"z":"deep"}}}"#, "deep", "principal.hostname"),
        ("from = \"o.z\"", r#"{"t":1,"o":{"z":{}}}"#, "!field-type", "principal.hostname"),
        ("from = \"a\"", r#"{"t":1,"a":8080}"#, "8080", "principal.port"),
        ("from = \"a\"", r#"{"t":1,"a":"8080"}"#, "8080", "principal.port"),
        ("from = \"a\"", r#"{"t":1,"a":80.5}"#, "!field-type", "principal.port"),
        ("from = \"a\"", r#"{"t":1,"a":4294967296}"#, "!field-type", "principal.port"),
        ("from = \"a\"", r#"{"t":1,"a":"007"}"#, "!field-type", "principal.port"),
        (
            "from = \"a\"",
            r#"{"t":1,"a":"18446744073709551615"}"#,
            "18446744073709551615",
            "network.sent_bytes",
        ),
        ("from = \"a\"", r#"{"t":1,"a":-1}"#, "!field-type", "network.sent_bytes"),
        ("from = \"a\"", r#"{"t":1,"a":true}"#, "true", "network.is_proxy"),
        ("from = \"a\"", r#"{"t":1,"a":"yes"}"#, "!field-type", "network.is_proxy"),
        ("from = \"a\"", r#"{"t":1,"a":7.25}"#, "7.25", "security_result[0].risk_score"),
        ("from = \"a\"", r#"{"t":1,"a":"high"}"#, "!field-type", "security_result[0].risk_score"),
        (
            "cases = [{ present = \"a\", absent = \"b\", value = \"LINUX\" }, { present = \"b\", value = \"MAC\" }]",
            r#"{"t":1,"a":1,"b":1}"#,
            "MAC",
            "principal.platform",
        ),
        (
            "cases = [{ present = \"a\", absent = \"b\", value = \"LINUX\" }, { present = \"b\", value = \"MAC\" }]",
            r#"{"t":1}"#,
            "null",
            "principal.platform",
        ),
        (
            "time = [{ from = \"c\", read = \"epoch-milliseconds\" }]",
            r#"{"t":1,"c":1500}"#,
            "1970-01-01T00:00:01.500Z",
            "metadata.collected_timestamp",
        ),
        (
            "time = [{ from = \"c\", read = \"iso8601\" }]",
            r#"{"t":1}"#,
            "null",
            "metadata.collected_timestamp",
        ),
        (
            "time = [{ from = \"c\", read = \"iso8601\" }]",
            r#"{"t":1,"c":"soon"}"#,
            "!bad-timestamp",
            "metadata.collected_timestamp",
        ),
        ("value = \"EMAIL\"", r#"{"t":1}"#, "EMAIL", "about[0].object_reference.namespace"),
        (
            "from = \"a\"\norder = 2\n[[rule]]\nudm = \"principal.hostname\"\nfrom = \"b\"\norder = 1",
            r#"{"t":1,"a":"second","b":"first"}"#,
            "first",
            "principal.hostname",
        ),
        (
            "from = \"a\"\norder = 2\n[[rule]]\nudm = \"principal.hostname\"\nfrom = \"b\"\norder = 1",
            r#"{"t":1,"a":"second"}"#,
            "second",
            "principal.hostname",
        ),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("t.toml");
    let rejects = folder.path().join("rejects").to_string_lossy().into_owned();
    let name = file.to_string_lossy().into_owned();
    for (rule, record, expected, target) in cases {
        if *expected == "EMAIL" {
            continue;
        }
        fs::write(&file, table(&format!("[[rule]]\nudm = \"{target}\"\n{rule}\n"))).expect("written");
        let run = run_with(record.as_bytes(), &["convert", "-", "--mapping", &name, "--rejects", &rejects]);
        if let Some(reason) = expected.strip_prefix('!') {
            let reject = &json_lines(&fs::read_to_string(&rejects).expect("rejects"))[0];
            assert_eq!(reject["reason"], reason, "{rule} of {record}");
            continue;
        }
        assert_eq!(run.status, 0, "{rule} of {record}: {}", run.stderr);
        let pointer = format!("/{}", target.replace("[0]", "/0").replace('.', "/"));
        let event = json_lines(&run.stdout).remove(0);
        let got = event.pointer(&pointer).cloned().unwrap_or_default();
        let got = got.as_str().map_or_else(|| got.to_string(), str::to_owned);
        assert_eq!(got, *expected, "{rule} of {record}");
    }
}

#[test]
fn a_changed_row_changes_the_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml").to_string_lossy().into_owned();
    let source = run(&["mappings", "show", "duo_telephony", "--source"]).stdout;
    let record = br#"{"ts":"2024-01-01T00:00:00Z","phone":"+15550100"}"#;
    fs::write(&file, &source).expect("written");
    let same = run_with(record, &["convert", "-", "--mapping", &file]).stdout;
    assert_eq!(same, run_with(record, &["convert", "-"]).stdout);
    fs::write(
        &file,
        source.replace("principal.user.userid", "target.user.userid").replace("\"Duo\"", "\"Cisco\""),
    )
    .expect("written");
    let event = json_lines(&run_with(record, &["convert", "-", "--mapping", &file]).stdout).remove(0);
    assert_eq!(event["target"]["user"]["userid"], "+15550100");
    assert_eq!(event["metadata"]["vendor_name"], "Cisco");
}

#[test]
fn tables_build_on_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(
        at("base.toml"),
        "[mapping]\nname = \"base\"\nextends = \"duo_telephony\"\nwithout = [\"principal.user.userid\"]\n\
         [[rule]]\nudm = \"metadata.vendor_name\"\nvalue = \"Cisco\"\nreplace = true\n",
    )
    .expect("written");
    fs::write(
        at("top.toml"),
        "[mapping]\nname = \"top\"\nextends = \"base.toml\"\n\
         [[rule]]\nudm = \"security_result[0].detection_fields[]\"\nlabel = \"credits\"\nfrom = \"telephony_id\"\nreplace = true\n",
    )
    .expect("written");
    let record =
        br#"{"ts":"2024-01-01T00:00:00Z","phone":"+1","credits":3,"telephony_id":"id","eventtype":"telephony"}"#;
    let run = run_with(record, &["convert", "-", "--mapping", &at("top.toml")]);
    let event = json_lines(&run.stdout).remove(0);
    assert_eq!(event["metadata"]["vendor_name"], "Cisco");
    assert_eq!(event["principal"], serde_json::json!({"user": {"phone_numbers": ["+1"]}}));
    let fields =
        serde_json::json!([{"key": "credits", "value": "id"}, {"key": "eventtype", "value": "telephony"}]);
    assert_eq!(event["security_result"][0]["detection_fields"], fields);
    let shown = crate::support::run(&["mappings", "show", &at("top.toml")]).stdout;
    assert!(shown.contains("builds on base.toml") && shown.contains("T"), "{shown}");
}

#[test]
fn the_extended_table_adds_what_it_says() {
    let record =
        br#"{"ts":"2024-01-01T00:00:00Z","host":"2001:db8::1","telephony_id":"id","txid":"tx","credits":1}"#;
    let event = |args: &[&str]| {
        let args: Vec<&str> = [&["convert", "-"], args].concat();
        json_lines(&run_with(record, &args).stdout).remove(0)
    };
    let mut extended = event(&["--mapping", "duo_telephony_extended"]);
    assert_eq!(extended["metadata"]["product_log_id"], "id");
    assert_eq!(extended["principal"]["asset"]["ip"][0], "2001:db8::1");
    let fields = extended["security_result"][0]["detection_fields"].as_array_mut().expect("fields");
    assert_eq!(fields.pop(), Some(serde_json::json!({"key": "txid", "value": "tx"})));
    extended["metadata"].as_object_mut().expect("metadata").remove("product_log_id");
    extended["principal"].as_object_mut().expect("principal").remove("asset");
    assert_eq!(extended, event(&[]), "and nothing else");
}

#[test]
fn mappings_are_listed_and_shown() {
    let list = run(&["mappings"]).stdout;
    assert!(list.contains("duo_telephony ") && list.contains("duo_telephony_extended"), "{list}");
    assert_eq!(list, run(&["mappings", "list"]).stdout);
    let shown = run(&["mappings", "show", "duo_telephony"]).stdout;
    for words in [
        "principal.ip[]",
        "host, if it is an IP address",
        "else \"Duo Telephony\"",
        "GENERIC_EVENT otherwise",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}
