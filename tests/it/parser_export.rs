//! `udmap parser export`: tables as parsers that give the same events.

use crate::support::{project, run};
use std::fs;
use udmap::cbn::{Log, Outcome, Parser, RunOptions, Runner, export};
use udmap::check::compare::{Meaning, Rules, differences};
use udmap::convert::{Converter, MAX_RECORD_BYTES, Options};
use udmap::json::{Kind, Tree, Value};
use udmap::lab::{Generator, Mix};
use udmap::mapping::{Mapping, builtin_mappings};
use udmap::time::Instant;

/// The tables that a parser can say.
const EXPORTED: [&str; 8] = [
    "duo_activity",
    "duo_admin",
    "duo_auth",
    "duo_auth_extended",
    "duo_offline_enrollment",
    "duo_telephony",
    "duo_telephony_extended",
    "duo_trust_monitor",
];

/// What holds records, so that a log with it is none itself.
const WRAPPERS: [&str; 14] = [
    "stat",
    "response",
    "items",
    "authlogs",
    "events",
    "message",
    "MESSAGE",
    "@message",
    "log",
    "event",
    "logEvents",
    "jsonPayload",
    "textPayload",
    "_raw",
];

/// A table in both forms, with what came of the records.
struct Both {
    converter: Converter,
    runner: Runner,
    same: u64,
    rejected: u64,
    too_long: u64,
    /// Records with what the language can't keep: those with the same event, and the others.
    odd: [u64; 2],
}

impl Both {
    fn builtin(table: &str) -> Both {
        Both::new(&Mapping::builtin(table).expect(table))
    }

    fn new(mapping: &Mapping) -> Both {
        let table = mapping.name();
        let text = export(mapping).unwrap_or_else(|why| panic!("{table}: {why}"));
        let parser = Parser::read(&text).unwrap_or_else(|why| panic!("{table}: {why}\n{text}"));
        assert_eq!(parser.warnings(), [], "{table}");
        let mut options = RunOptions::default();
        options.adds_platform_fields = false;
        Both {
            converter: Converter::new(mapping, &Options::default()),
            runner: parser.runner(&options),
            same: 0,
            rejected: 0,
            too_long: 0,
            odd: [0, 0],
        }
    }

    /// Compares what becomes of a line, if it is one record alone.
    fn line(&mut self, name: &str, line: &str) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        // Neither `convert` nor the platform takes longer ones; the runner does.
        if line.len() >= MAX_RECORD_BYTES {
            self.too_long += 1;
            return;
        }
        let mut event = Vec::new();
        let outcome = self.runner.run(&Log::new(line, Instant::EPOCH), &mut event);
        let mut tree = Tree::default();
        let Ok(record) = tree.read(line.as_bytes()) else {
            assert!(matches!(outcome, Outcome::Dropped(_)), "{name}: {line}: {outcome:?}");
            self.rejected += 1;
            return;
        };
        if record.kind() != Kind::Object || WRAPPERS.iter().any(|key| record.member(key).is_some()) {
            return;
        }
        let batch = self.converter.convert(line.as_bytes());
        let expected: Vec<_> = batch.records().collect();
        let [expected] = &expected[..] else { panic!("{name}: one record: {line}") };
        let found = match (expected, &outcome) {
            (Err(_), Outcome::Dropped(tag)) => {
                assert_eq!(tag, "TAG_MALFORMED_MESSAGE");
                self.rejected += 1;
                return;
            }
            (Ok(expected), Outcome::Events(1)) => {
                let mut trees = (Tree::default(), Tree::default());
                let rules = Rules::default();
                let expected = Meaning::of(trees.0.read(expected).expect("an event"), &rules);
                let found = Meaning::of(trees.1.read(event.trim_ascii_end()).expect("an event"), &rules);
                differences(&expected, &found).iter().map(|found| format!("{found:?}")).collect::<Vec<_>>().join("\n")
            }
            (expected, outcome) => format!("{outcome:?} for {:?}", expected.map_err(|reject| reject.reason)),
        };
        match (is_odd(record), found.is_empty()) {
            (true, is_same) => self.odd[usize::from(!is_same)] += 1,
            (false, true) => self.same += 1,
            (false, false) => panic!("{name}: {line}\n{found}"),
        }
    }
}

/// Whether something is in it that the language can't keep: a number whose text a double does not have, or a key with
/// dots. Texts that are JSON themselves count, too.
fn is_odd(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Number => value.raw().parse::<f64>().map_or(true, |number| number.to_string() != value.raw()),
        Kind::Text => {
            let text = value.text();
            let mut tree = Tree::default();
            text.trim_start().starts_with('{') && tree.read(text.as_bytes()).is_ok_and(is_odd)
        }
        Kind::Object => value.children().any(|member| member.key().contains('.') || is_odd(member)),
        _ => value.children().any(is_odd),
    }
}

/// Each line of the inputs of cases.
fn lines_of(folder: &str, each: &mut dyn FnMut(&str, &str)) {
    let mut folders = vec![project(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !["content-hub", "secops-toolkit", "parsers"].contains(&&*name) {
                folders.push(path);
            } else if name.starts_with("input.")
                && let Ok(text) = fs::read_to_string(&path)
            {
                text.lines().for_each(|line| each(&path.to_string_lossy(), line));
            }
        }
    }
}

#[test]
fn each_table_is_a_parser_or_refused() {
    for table in builtin_mappings() {
        let mapping = Mapping::builtin(table).unwrap();
        match export(&mapping) {
            Ok(text) => {
                assert!(EXPORTED.contains(&table), "{table}");
                let parser = Parser::read(&text).unwrap_or_else(|why| panic!("{table}: {why}\n{text}"));
                assert_eq!(parser.warnings(), [], "{table}");
            }
            Err(why) => {
                assert!(!EXPORTED.contains(&table), "{table}: {why}");
                let why = why.to_string();
                assert!(why.contains("a parser"), "{table}: {why}");
            }
        }
    }
}

#[test]
fn fixtures_give_the_same_events() {
    for table in EXPORTED {
        let mut both = Both::builtin(table);
        let folder = match table.starts_with("duo_telephony") {
            true => "fixtures".to_owned(),
            false => format!("fixtures/{table}"),
        };
        lines_of(&folder, &mut |name, line| both.line(name, line));
        println!("{table}: {} same, {} rejected, {:?} odd", both.same, both.rejected, both.odd);
        assert!(both.same > 0, "{table}");
        if table.starts_with("duo_telephony") {
            assert!(both.same > 100 && both.rejected > 20 && both.odd[1] > 0, "{table}: {} {}", both.same, both.rejected);
        }
    }
}

fn generated(table: &str, records: u64) {
    let mut both = Both::builtin(table);
    // v2, v1, awkward, shuffled and broken ones.
    let mut generator = Generator::new(11, &"v2=40,v1=30,awkward=15,shuffled=10,broken=5".parse::<Mix>().unwrap());
    let mut line = Vec::new();
    for _ in 0..records {
        line.clear();
        generator.line(1, &mut line);
        if let Ok(text) = std::str::from_utf8(&line) {
            both.line("generated", text);
        }
    }
    println!(
        "{table}: {} same, {} rejected, {} too long, {:?} odd",
        both.same, both.rejected, both.too_long, both.odd
    );
    assert!(both.same > records * 7 / 10 && both.rejected > records / 100, "{} {}", both.same, both.rejected);
}

#[test]
fn generated_records_give_the_same_events() {
    generated("duo_telephony", 10_000);
    generated("duo_telephony_extended", 10_000);
}

#[test]
#[ignore = "a million records take minutes in a debug build"]
fn a_million_generated_records_give_the_same_events() {
    generated("duo_telephony", 1_000_000);
}

#[test]
fn the_command_writes_what_it_can_and_refuses_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("p.conf").to_string_lossy().into_owned();
    let done = run(&["parser", "export", "--mapping", "duo_telephony", "-o", &conf]);
    assert_eq!((done.status, done.stdout.as_str()), (0, ""), "{}", done.stderr);
    let text = fs::read_to_string(&conf).unwrap();
    assert_eq!(run(&["parser", "export", "--mapping", "duo_telephony"]).stdout, text);
    assert!(text.starts_with("# duo_telephony: ") && text.contains("1.50 becomes 1.5"), "{text}");
    assert_eq!(run(&["parser", "check", &conf, "--deny-warnings"]).status, 0);

    let table = folder.path().join("t.toml").to_string_lossy().into_owned();
    let head = "[mapping]\nname = \"t\"\nextends = \"duo_telephony\"\n";
    for (more, why) in [
        ("[[rule]]\nudm = \"metadata.description\"\nfrom = \"a\"\nsplit = { by = \",\", element = 0 }\n", "t.toml:6: "),
        ("[[rule]]\nudm = \"metadata.description\"\nfrom = \"a\"\nwhen = { a = { cidr = \"10.0.0.0/8\" } }\n", "(`cidr`)"),
        ("[[rule]]\nudm = \"metadata.description\"\nvalue = \"100%{x}\"\nliteral = true\n", "`%{`"),
        ("[rest]\nudm = \"additional\"\n", "(`[rest]`)"),
    ] {
        fs::write(&table, format!("{head}{more}")).unwrap();
        let refused = run(&["parser", "export", "--mapping", &table]);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{more}{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{more}{}", refused.stderr);
    }
}

/// Rules of kinds that no built-in table has.
const KINDS: &str = r#"
[mapping]
name = "kinds"
log_type = "KINDS"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "us", read = "epoch-microseconds" }, { from = "t.at", read = "iso8601" }]

[[rule]]
udm = "metadata.event_type"
value = "GENERIC_EVENT"

[[rule]]
udm = "metadata.collected_timestamp"
time = [{ from = "seen", read = "epoch-milliseconds" }]
when = { a = { present = true } }

[[rule]]
udm = "metadata.description"
template = "${a} of \"${b.c}\" \\ %"

[[rule]]
udm = "metadata.product_version"
from = ["v", "w"]
absent = ["None", "\\\"-"]
capture = "^v([0-9.]+)"
order = 1

[[rule]]
udm = "metadata.product_version"
from = "a"
read = ["trim", "upper"]
default = "no version"
order = 2

[[rule]]
udm = "metadata.url_back_to_product"
from = "a"
when = { a = { matches = "^[a-z]+/\\d" }, "b.c" = { not = { contains = "\\s.[", ignore_case = true } } }

[[rule]]
udm = "principal.port"
from = "port"

[[rule]]
udm = "network.received_bytes"
from = "bytes"

[[rule]]
udm = "principal.ip[]"
from = "ips[]"
when = "ip"

[[rule]]
udm = "principal.user.email_addresses[]"
from = "users[].mail"
when = "email"
read = "lower"

[[rule]]
udm = "principal.user.phone_numbers[]"
from = "users[].phone"
read = "phone"

[[rule]]
udm = "principal.user.userid"
from = "dn"
read = "first-rdn"
when = { k = { in = ["kiosk", "K\"s\\"], ignore_case = true } }

[[rule]]
udm = 'additional."first one"'
from = "users[1].mail"

[[rule]]
udm = "about[1].hostname"
from = "host"
when = "not-phone"

[[rule]]
udm = "about[0].labels[]"
label = "a \"key\""
from = "ips[]"
map = { "10.0.0.1" = "one", "::1" = "two" }
otherwise = "none"

[[rule]]
udm = "security_result[0].severity"
from = "sev"
map = { none = "UNKNOWN_SEVERITY", low = "LOW", lower = "LOW" }
default = "HIGH"
"#;

#[test]
fn other_kinds_of_rules_give_the_same_events() {
    let mapping = Mapping::load("kinds.toml", KINDS, &|_| Err("no other file".into())).unwrap();
    let mut both = Both::new(&mapping);
    let values = [
        r#""a":" x ","v":"v1.2-rc","seen":1700000000123"#,
        r#""a":"b/7","b":{"c":"d"},"v":"None","w":"v3""#,
        r#""a":"b/7","b":{"c":"x\\S.[y"},"v":"w3","seen":"x""#,
        r#""seen":1700000000123,"v":"\\\"-","dn":"CN=Doe\\, J,OU=x","k":"KIOSK""#,
        r#""dn":"cn=a","k":"k\"S\\","port":443,"bytes":"18446744073709551615""#,
        r#""dn":"cn=a","k":"\u212aiosk","port":"443","bytes":0"#,
        r#""port":"x""#,
        r#""port":"-1""#,
        r#""port":"007""#,
        r#""bytes":-1"#,
        r#""ips":["10.0.0.1",null,"","::1","x",5],"host":"h""#,
        r#""ips":"::1","host":"+1 (734) 555-0100""#,
        r#""ips":[{"a":1}]"#,
        r#""ips":{"a":1}"#,
        r#""users":[{"mail":"A@b.c","phone":"+1 (734) 555-0100"},"x",{"mail":"a b@c"},{"phone":"123456"}]"#,
        r#""users":[null,"",{"mail":"z@b"},{"mail":"y@b"}]"#,
        r#""users":{"mail":"a\u00a0b@c","phone":"734\u20035550100"}"#,
        r#""users":[{"mail":["a"]}]"#,
        r#""sev":"none""#,
        r#""sev":"lower""#,
        r#""sev":"other""#,
        r#""sev":true,"a":"\u00e9 ß""#,
        r#""b":"c","a":"x""#,
        r#""b":["c"],"a":"x""#,
        r#""b":{"c":{}},"a":"x""#,
    ];
    for values in values {
        for time in [r#""us":1700000000123456"#, r#""us":null,"t":{"at":"2024-01-01T00:00:00,5+01"}"#, r#""t":"x""#] {
            both.line("kinds", &format!("{{{time},{values}}}"));
        }
    }
    assert!(both.same > 30 && both.rejected > 30, "{} {}", both.same, both.rejected);
    assert_eq!(both.odd, [0, 0]);
}
