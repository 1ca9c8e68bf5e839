//! Sets that users make, and what is wrong with some.

use crate::support::{json_lines, run, run_with};
use serde_json::Value;
use std::fs;

const HEAD: &str = "[mapping]\nname = \"mine\"\n";
const DNS: &str = r#"
[mapping]
name = "dns"
log_type = "DNS"

[[envelope]]
name = "the shipper"
present = ["kind"]
records = "data"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "t", read = "epoch-seconds" }]

[[rule]]
udm = "metadata.event_type"
value = "NETWORK_DNS"

[[rule]]
udm = "metadata.log_type"
value = "DNS"

[[rule]]
udm = "principal.hostname"
from = "host"
"#;

/// Tables of one's own, which need no word of ours.
#[test]
fn users_make_sets_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("written");
        file.to_str().expect("a path").to_owned()
    };
    write("dns.toml", DNS);
    write(
        "web.toml",
        &DNS.replace("dns", "web").replace("NETWORK_DNS", "NETWORK_HTTP").replace("\"DNS\"", "\"WEB\""),
    );
    let set = format!(
        "{HEAD}log_field = \"kind\"\n\
         [[table]]\nname = \"web.toml\"\nlog = \"web\"\nown = [{{ url = {{ present = true }} }}]\n\
         [[table]]\nname = \"dns.toml\"\nlog = [\"dns\", \"resolver\"]\nown = [{{ q = {{ matches = \"^[a-z.]+$\" }} }}]\n\
         [[table]]\nname = \"duo_auth\"\nown = [{{ factor = {{ present = true }} }}]\n\
         [[test]]\nrecord = '{{\"t\":1,\"kind\":\"x\"}}'\nreject = \"other-log\"\n"
    );
    let file = write("set.toml", &set);
    let checked = run(&["mappings", "check", &file]);
    assert!(
        checked.status == 0 && checked.stdout.contains("3 tables, 1 test"),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    let shown = run(&["mappings", "show", &file]);
    for part in
        ["1. web", "2. dns", "named dns, resolver", "or if `url` is present", "3. duo_auth", "`kind` names"]
    {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let log = concat!(
        r#"{"t":1,"url":"u","q":"a.b"}"#,
        "\n",
        r#"{"t":2,"q":"a.b"}"#,
        "\n",
        r#"{"t":3,"q":"A"}"#,
        "\n",
        r#"{"kind":"resolver","data":[{"t":4},{"t":5,"kind":"web"}]}"#,
        "\n",
        r#"{"timestamp":6,"factor":"f"}"#,
        "\n",
    );
    let converted = run_with(log.as_bytes(), &["convert", "-", "--mapping", &file]);
    let types: Vec<Value> =
        json_lines(&converted.stdout).iter().map(|event| event["metadata"]["log_type"].clone()).collect();
    assert_eq!(types, ["WEB", "DNS", "DNS", "DUO_AUTH"], "{}", converted.stderr);
    assert!(converted.stderr.contains("other-log"), "{}", converted.stderr);
    // The files that it names are part of it: another table is another dump.
    let print = || {
        let mapping = udmap::mapping::files::load(&file).expect("the set").mapping;
        mapping.canonical()
    };
    let before = print();
    write("dns.toml", &DNS.replace("\"host\"", "\"h\""));
    assert_ne!(before, print());
    // What is wrong is said with its place.
    let ok = |name: &str| format!("[[table]]\nname = \"{name}\"\nown = [{{ x = \"{name}\" }}]\n");
    for (text, said) in [
        (format!("{HEAD}{}", ok("duo_auth")), "a set has at least two tables"),
        (format!("{HEAD}{}{}", ok("duo_auth"), ok("duo_auth")), "is in the set already"),
        (format!("{HEAD}{}{}", ok("duo_auth"), ok("duo")), "a set itself"),
        (format!("{HEAD}{}{}", ok("duo_auth"), ok("nothing")), "can't read `nothing`"),
        (format!("{HEAD}{}{}[[rule]]\nudm = \"a\"\n", ok("duo_auth"), ok("duo_admin")), "has no `rule`"),
        (format!("{HEAD}{}[[table]]\nname = \"duo_admin\"\n", ok("duo_auth")), "neither `log` nor `own`"),
        (
            format!("{HEAD}{}[[table]]\nname = \"duo_admin\"\nlog = \"a\"\n", ok("duo_auth")),
            "no field holds the name",
        ),
        (
            format!(
                "{HEAD}log_field = \"k\"\n[[table]]\nname = \"duo_auth\"\nlog = \"A\"\n[[table]]\nname = \"duo_admin\"\nlog = \"a\"\n"
            ),
            "calls its log `a`",
        ),
        (
            format!(
                "{HEAD}{}[[table]]\nname = \"duo_admin\"\nown = [{{ x = \"duo_auth\", y = \"1\" }}]\n",
                ok("duo_auth")
            ),
            "`duo_auth` comes before and takes all such records",
        ),
        (
            format!(
                "{HEAD}{}[[table]]\nname = \"duo_admin\"\nown = [{{ \"a[].b\" = \"1\" }}]\n",
                ok("duo_auth")
            ),
            "leads into a list",
        ),
        (
            format!("{HEAD}log_type = \"X\"\n{}{}", ok("duo_auth"), ok("duo_admin")),
            "`log_type` goes only with rules",
        ),
        (format!("{HEAD}extends = \"duo\"\n"), "it is a set of tables"),
        (format!("{HEAD}log_type = \"X\"\nlog_field = \"k\"\n"), "`log_field` goes only with `[[table]]`"),
        (format!("{HEAD}{}{}zz = 1\n", ok("duo_auth"), ok("duo_admin")), "unknown key `zz`"),
    ] {
        let faulty = write("faulty.toml", &text);
        let checked = run(&["mappings", "check", &faulty]);
        assert!(checked.status == 2 && checked.stderr.contains(said), "{said}: {}", checked.stderr);
        assert!(checked.stderr.contains("faulty.toml:") || said.contains("can't read"), "{}", checked.stderr);
    }
}
