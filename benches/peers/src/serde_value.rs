//! serde_json's `Value`, as most programs are written: parse to a tree, build a tree, serialize it.

use crate::time;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Appends the event of a record.
pub fn convert(line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    serde_json::to_writer(out, &event(&serde_json::from_slice(line).ok()?)?).ok()
}

/// A value's text; nothing if it is absent, or no text.
pub fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(word) => Some(word.to_string()),
        _ => None,
    }
}

fn event(record: &Value) -> Option<Value> {
    let field = |key: &str| text(record.get(key));
    let mut time = Vec::new();
    match (field("timestamp"), field("ts").or_else(|| field("isotimestamp"))) {
        (Some(seconds), _) => time::epoch(&seconds, &mut time)?,
        (None, iso) => time::iso(&iso?, &mut time)?,
    }
    let (context, host, phone) = (field("context"), field("host"), field("phone"));
    let event_type = match (&context, &host) {
        (Some(_), Some(_)) => "USER_UNCATEGORIZED",
        (None, Some(_)) => "STATUS_UPDATE",
        (_, None) => "GENERIC_EVENT",
    };
    let mut event = json!({
        "metadata": {
            "event_timestamp": String::from_utf8(time).ok()?,
            "event_type": event_type,
            "log_type": field("log_type").unwrap_or_else(|| "DUO_TELEPHONY".into()),
            "product_name": "Telephony",
            "vendor_name": "Duo",
        },
        "security_result": [{
            "summary": field("type").unwrap_or_else(|| "Duo Telephony".into()),
            "action": ["ALLOW"],
            "severity": "INFORMATIONAL",
        }],
        "extensions": {"auth": {"mechanism": ["MECHANISM_UNSPECIFIED"]}},
    });
    if let Some(context) = context {
        event["metadata"]["product_event_type"] = context.into();
    }
    if let Some(host) = host {
        if host.parse::<IpAddr>().is_ok() {
            event["principal"]["ip"] = json!([host]);
        } else {
            event["principal"]["hostname"] = host.into();
        }
    }
    if let Some(phone) = phone {
        event["principal"]["user"] = json!({"userid": phone, "phone_numbers": [phone]});
    }
    let labels = ["credits", "eventtype"];
    let labels = labels.map(|key| field(key).map(|value| json!({"key": key, "value": value})));
    let labels: Vec<Value> = labels.into_iter().flatten().collect();
    if !labels.is_empty() {
        event["security_result"][0]["detection_fields"] = labels.into();
    }
    Some(event)
}
