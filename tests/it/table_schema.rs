//! The JSON Schema of mapping tables: what ships passes, what is misspelt does not, and it knows the reader's keys.

use crate::support::{project, run};
use serde_json::{Value, json};
use std::fs;

/// Whether a value fits a schema, as far as this schema goes.
fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        return fits(root, &root["$defs"][name.trim_start_matches("#/$defs/")], value);
    }
    let all = |key: &str, fit: &dyn Fn(&Value) -> bool| schema.get(key).is_none_or(fit);
    let is = |kind: &Value| match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64(),
        kind => panic!("{kind:?}"),
    };
    let members = || value.as_object().into_iter().flatten();
    all("type", &is)
        && all("anyOf", &|any| any.as_array().expect("a list").iter().any(|one| fits(root, one, value)))
        && all("enum", &|values| values.as_array().expect("a list").contains(value))
        && all("required", &|names| {
            names
                .as_array()
                .expect("a list")
                .iter()
                .all(|name| value.get(name.as_str().expect("a name")).is_some())
        })
        && all("minProperties", &|least| members().count() as u64 >= least.as_u64().expect("a number"))
        && all("minimum", &|least| value.as_i64() >= least.as_i64())
        && all("items", &|items| value.as_array().into_iter().flatten().all(|item| fits(root, items, item)))
        && members().all(|(name, member)| match schema["properties"].get(name) {
            Some(known) => fits(root, known, member),
            None => match &schema["additionalProperties"] {
                Value::Bool(may) => *may,
                Value::Null => true,
                other => fits(root, other, member),
            },
        })
}

fn table(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).expect("TOML");
    let mut table = serde_json::to_value(table).expect("JSON");
    if table.get("mapping").is_none() {
        table["mapping"] = json!({ "name": "part" });
    }
    table
}

#[test]
fn tables_fit_and_misspelt_keys_do_not() {
    let printed = run(&["mappings", "schema"]);
    let schema: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let mut texts = Vec::new();
    for name in crate::support::names(&project("mappings")).iter().filter(|name| name.ends_with(".toml")) {
        texts.push(fs::read_to_string(project("mappings").join(name)).expect("a table"));
    }
    let shipped = texts.len();
    let document = fs::read_to_string(project("docs/mapping.md")).expect("a document");
    texts.extend(
        document.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("a block").to_owned()),
    );
    assert!(shipped >= 2 && texts.len() > shipped + 10);
    for text in &texts {
        assert!(fits(&schema, &schema, &table(text)), "{text}");
    }
    let rule = |rule: Value| json!({ "mapping": { "name": "x" }, "rule": [rule] });
    for (right, wrong) in [
        (json!({"udm":"a","from":"b"}), json!({"udm":"a","form":"b"})),
        (json!({"udm":"a","when":"ip"}), json!({"udm":"a","when":"ipv4"})),
        (json!({"udm":"a","when":{"b":{"in":["c"]}}}), json!({"udm":"a","when":{"b":{"is":"c"}}})),
        (json!({"udm":"a","cases":[{"value":"b"}]}), json!({"udm":"a","cases":[{"values":"b"}]})),
        (json!({"udm":"a","read":["lower"]}), json!({"udm":"a","read":["lowr"]})),
        (
            json!({"udm":"a","split":{"by":",","element":0}}),
            json!({"udm":"a","split":{"by":",","element":-1}}),
        ),
    ] {
        assert!(fits(&schema, &schema, &rule(right.clone())), "{right}");
        assert!(!fits(&schema, &schema, &rule(wrong.clone())), "{wrong}");
    }
}

/// The reader says which keys it knows when it meets one that it does not.
#[test]
fn the_schema_has_the_keys_of_the_reader() {
    let schema: Value = serde_json::from_str(&run(&["mappings", "schema"]).stdout).expect("JSON");
    let known = |table: &str| -> Vec<String> {
        let file = |_: &str| Err("none".to_owned());
        let error = udmap::mapping::Mapping::load("t.toml", table, &file).expect_err("misspelt");
        let mut problems = error.problems().iter().map(udmap::mapping::Problem::message);
        let message = problems.find(|text| text.starts_with("unknown key `zz`")).expect("a problem");
        let names = message.split_once("one of: ").expect("a list").1;
        let mut names: Vec<String> =
            names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
        names.sort();
        names
    };
    let of = |schema: &Value| {
        let mut names: Vec<String> =
            schema["properties"].as_object().expect("keys").keys().cloned().collect();
        names.sort();
        names
    };
    let head = "[mapping]\nname = \"t\"\nlog_type = \"T\"\n";
    let rule = "[[rule]]\nudm = \"principal.hostname\"\n";
    let properties = &schema["properties"];
    for (table, part) in [
        (format!("zz = 1\n{head}"), &schema),
        (format!("{head}zz = 1\n"), &properties["mapping"]),
        (format!("{head}[profile]\nzz = 1\n"), &properties["profile"]),
        (format!("{head}[own]\nzz = 1\n"), &properties["own"]),
        (format!("{head}[cef]\nzz = 1\n"), &properties["cef"]),
        (format!("{head}[key-value]\nzz = 1\n"), &properties["key-value"]),
        (format!("{head}[[shape]]\nzz = 1\n"), &properties["shape"]["items"]),
        (format!("{head}[[known]]\nzz = 1\n"), &properties["known"]["items"]),
        (format!("{head}[[envelope]]\nzz = 1\n"), &properties["envelope"]["items"]),
        (format!("{head}[[embedded]]\nzz = 1\n"), &properties["embedded"]["items"]),
        (format!("{head}[[test]]\nzz = 1\n"), &properties["test"]["items"]),
        (format!("{head}{rule}zz = 1\n"), &schema["$defs"]["rule"]),
        (format!("{head}{rule}cases = [{{ zz = 1 }}]\n"), &schema["$defs"]["case"]),
        (format!("{head}{rule}time = [{{ zz = 1 }}]\n"), &schema["$defs"]["time"]),
        (
            format!("{head}{rule}value = \"x\"\nwhen = {{ a = {{ present = true, zz = 1 }} }}\n"),
            &schema["$defs"]["test"],
        ),
    ] {
        assert_eq!(known(&table), of(part), "{table}");
    }
}
