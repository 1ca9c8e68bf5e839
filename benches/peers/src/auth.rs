//! duo_auth's rules over simd-json's tape, for records of Duo's Admin API as `udmap generate --mix authentication` makes
//! them: one walk that picks the fields, and the event spliced.

use crate::nested60::simd_tape::{members, text};
use crate::record::Text;
use crate::simd_tape::Parser;
use crate::time;
use simd_json::Node;
use std::net::IpAddr;

/// The fields of a record.
#[derive(Default)]
struct Fields<'a> {
    event_type: Option<Text<'a>>,
    timestamp: Option<Text<'a>>,
    txid: Option<Text<'a>>,
    factor: Option<Text<'a>>,
    reason: Option<Text<'a>>,
    result: Option<Text<'a>>,
    application: Option<Text<'a>>,
    application_key: Option<Text<'a>>,
    user: Option<Text<'a>>,
    user_key: Option<Text<'a>>,
    groups: Vec<&'a str>,
    access: Device<'a>,
    auth: Device<'a>,
}

#[derive(Default)]
struct Device<'a> {
    browser: Option<Text<'a>>,
    hostname: Option<Text<'a>>,
    name: Option<Text<'a>>,
    ip: Option<Text<'a>>,
    os: Option<Text<'a>>,
    os_version: Option<Text<'a>>,
    city: Option<Text<'a>>,
    state: Option<Text<'a>>,
    country: Option<Text<'a>>,
}

/// Appends the event of a record.
pub fn convert(parser: &mut Parser, line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    parser.tape(line, |nodes| event(&fields(nodes), out))
}

fn fields<'a>(nodes: &[Node<'a>]) -> Fields<'a> {
    let mut found = Fields::default();
    members(nodes, |key, value| match key {
        "event_type" => found.event_type = text(value),
        "timestamp" => found.timestamp = text(value),
        "txid" => found.txid = text(value),
        "factor" => found.factor = text(value),
        "reason" => found.reason = text(value),
        "result" => found.result = text(value),
        "application" => members(value, |key, value| match key {
            "name" => found.application = text(value),
            "key" => found.application_key = text(value),
            _ => {}
        }),
        "user" => members(value, |key, value| match key {
            "name" => found.user = text(value),
            "key" => found.user_key = text(value),
            "groups" => {
                let group = |node: &Node<'a>| if let Node::String(text) = node { Some(*text) } else { None };
                found.groups.extend(value[1..].iter().filter_map(group));
            }
            _ => {}
        }),
        "access_device" => device(value, &mut found.access),
        "auth_device" => device(value, &mut found.auth),
        _ => {}
    });
    found
}

fn device<'a>(nodes: &[Node<'a>], found: &mut Device<'a>) {
    members(nodes, |key, value| match key {
        "browser" => found.browser = text(value),
        "hostname" => found.hostname = text(value),
        "name" => found.name = text(value),
        "ip" => found.ip = text(value),
        "os" => found.os = text(value),
        "os_version" => found.os_version = text(value),
        "location" => members(value, |key, value| match key {
            "city" => found.city = text(value),
            "state" => found.state = text(value),
            "country" => found.country = text(value),
            _ => {}
        }),
        _ => {}
    });
}

fn plain<'a>(text: Option<Text<'a>>) -> &'a str {
    if let Some(Text::Plain(text)) = text { text } else { "" }
}

/// Writes `before` and the value, if there is one.
fn put(out: &mut Vec<u8>, before: &str, value: Option<Text<'_>>) -> Option<()> {
    if let Some(value) = value {
        out.extend_from_slice(before.as_bytes());
        value.string(out)?;
    }
    Some(())
}

/// A location, if it has anything; `first` if it is its object's first member.
fn place(out: &mut Vec<u8>, first: bool, device: &Device<'_>) -> Option<()> {
    let parts = [("city", device.city), ("state", device.state), ("country_or_region", device.country)];
    let mut before = if first { "\"location\":{\"" } else { ",\"location\":{\"" };
    let mut any = false;
    for (name, value) in parts {
        if value.is_some() {
            out.extend_from_slice(before.as_bytes());
            put(out, &format!("{name}\":"), value)?;
            (before, any) = (",\"", true);
        }
    }
    if any {
        out.push(b'}');
    }
    Some(())
}

fn event(fields: &Fields<'_>, out: &mut Vec<u8>) -> Option<()> {
    let (access, auth) = (&fields.access, &fields.auth);
    put(out, "{\"metadata\":{\"product_event_type\":", fields.event_type)?;
    out.extend_from_slice(b",\"event_timestamp\":\"");
    let Some(Text::Integer(seconds)) = fields.timestamp else { return None };
    time::seconds(seconds, out)?;
    let event_type = match plain(fields.event_type) {
        "authentication" => "USER_LOGIN",
        "enrollment" if access.hostname.is_some() => "USER_CREATION",
        "enrollment" => "USER_UNCATEGORIZED",
        _ => "GENERIC_EVENT",
    };
    out.extend_from_slice(b"\",\"event_type\":\"");
    out.extend_from_slice(event_type.as_bytes());
    put(out, "\",\"product_log_id\":", fields.txid)?;
    out.extend_from_slice(b",\"log_type\":\"DUO_AUTH\",\"vendor_name\":\"DUO_SECURITY\",");
    out.extend_from_slice(b"\"product_name\":\"MULTI-FACTOR_AUTHENTICATION\"},\"principal\":{");

    let is_ip = |text: Option<Text<'_>>| plain(text).parse::<IpAddr>().is_ok();
    let start = out.len();
    put(out, "\"hostname\":", access.hostname)?;
    if is_ip(access.ip) {
        put(out, if out.len() == start { "\"ip\":[" } else { ",\"ip\":[" }, access.ip)?;
        out.push(b']');
    }
    place(out, out.len() == start, access)?;
    let os = plain(access.os).to_ascii_lowercase();
    let platforms = [("win", "WINDOWS"), ("lin", "LINUX"), ("mac", "MAC")];
    if let Some((_, platform)) = platforms.iter().find(|(part, _)| os.contains(part)) {
        out.extend_from_slice(b",\"platform\":\"");
        out.extend_from_slice(platform.as_bytes());
        out.push(b'"');
    }
    put(out, ",\"platform_version\":", access.os_version)?;
    out.push(b'}');
    let mut additional = ",\"additional\":{";
    if !is_ip(access.ip) {
        put(out, &format!("{additional}\"access_device.ip\":"), access.ip)?;
        additional = ",";
    }
    if !is_ip(auth.ip) && auth.ip.is_some() {
        put(out, &format!("{additional}\"auth_device.ip\":"), auth.ip)?;
        additional = ",";
    }
    if additional == "," {
        out.push(b'}');
    }

    put(out, ",\"target\":{\"application\":", fields.application)?;
    put(out, ",\"resource\":{\"id\":", fields.application_key)?;
    put(out, ",\"attribute\":{\"labels\":[{\"key\":\"access_device_browser\",\"value\":", access.browser)?;
    out.extend_from_slice(b"}]}}");
    if is_ip(auth.ip) {
        put(out, ",\"ip\":[", auth.ip)?;
        out.push(b']');
    }
    place(out, false, auth)?;
    let name = plain(auth.name);
    let number: String =
        name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '(' | ')' | '-')).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_phone = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_phone {
        put(out, ",\"user\":{\"phone_numbers\":[", Some(Text::Plain(&number)))?;
        put(out, "],\"userid\":", fields.user)?;
    } else {
        put(out, ",\"hostname\":", auth.name)?;
        put(out, ",\"user\":{\"userid\":", fields.user)?;
    }
    put(out, ",\"product_object_id\":", fields.user_key)?;
    let mut before = ",\"group_identifiers\":[";
    for group in fields.groups.iter().filter(|group| !group.is_empty()) {
        put(out, before, Some(Text::Plain(group)))?;
        before = ",";
    }
    if before == "," {
        out.push(b']');
    }
    put(out, "}},\"network\":{\"session_id\":", fields.txid)?;
    put(out, "},\"security_result\":[{\"summary\":", fields.reason)?;
    put(out, ",\"action_details\":", fields.result)?;
    let action = if matches!(plain(fields.result), "success" | "SUCCESS") { "ALLOW" } else { "BLOCK" };
    out.extend_from_slice(b",\"action\":[\"");
    out.extend_from_slice(action.as_bytes());
    out.extend_from_slice(b"\"]}],\"extensions\":{\"auth\":{\"type\":\"SSO\"");
    let mechanism = match plain(fields.factor) {
        "passcode" | "duo_mobile_passcode" | "sms_passcode" | "sms_refresh" | "bypass_code" => "OTP",
        "hardware_token" | "yubikey_passcode" | "u2f_token" | "webauthn_security_key" => "HARDWARE_KEY",
        "duo_push" | "verified_duo_push" | "phone_call" => "REMOTE_INTERACTIVE",
        "remembered_device" | "trusted_network" | "webauthn_chrome_touchid" => "LOCAL",
        _ => "",
    };
    if !mechanism.is_empty() {
        out.extend_from_slice(b",\"mechanism\":[\"");
        out.extend_from_slice(mechanism.as_bytes());
        out.extend_from_slice(b"\"]");
    }
    put(out, ",\"auth_details\":", fields.factor)?;
    out.extend_from_slice(b"}}}");
    Some(())
}
