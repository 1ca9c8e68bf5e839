//! Records of Duo's authentication log: nested objects and a list, 1.3 to 1.9 kB each.
//!
//! The keys are those of Duo's Admin API, "Authentication Logs"; the values are made up.

use super::fields::{RecordFields, Rng, put_number, put_time, put_uuid};
use std::io::Write as _;

/// How many users a tenant has.
const USERS: u64 = 4000;
const FIRST_NAMES: [&str; 8] = ["ana", "ben", "chloe", "dmitri", "eve", "farid", "grace", "hiro"];
const LAST_NAMES: [&str; 8] = ["adams", "brown", "costa", "diaz", "evans", "fischer", "garcia", "hansen"];
const GROUPS: [&str; 12] = [
    "Duo Users",
    "CorpHQ Users",
    "AD Sync",
    "Engineering",
    "Sales (EMEA)",
    "IT Operations",
    "Contractors",
    "VPN",
    "Finance & Controlling",
    "Helpdesk",
    "Remote",
    "On Call",
];
/// Names and keys of applications.
const APPLICATIONS: [[&str; 2]; 5] = [
    ["Microsoft Azure Active Directory", "DIY231J8BR23QK4UKBY8"],
    ["Duo Access Gateway Launcher", "DI8TXQ0C1LVVIM6PQ4XC"],
    ["Cisco ASA SSL VPN", "DI1MGOBAEAVE5NK51DZH"],
    ["Splunk", "DIK3CRWLZPKHOTB56MJP"],
    ["1Password", "DI0QV2WY9KBFFH4PRVCT"],
];
/// Systems and their versions.
const SYSTEMS: [[&str; 2]; 6] = [
    ["Mac OS X", "10.14.1"],
    ["Windows", "10"],
    ["Windows", "11"],
    ["Linux", ""],
    ["iOS", "17.5.1"],
    ["Android", "14"],
];
const BROWSERS: [[&str; 2]; 4] = [
    ["Chrome", "126.0.6478.127"],
    ["Firefox", "127.0"],
    ["Safari", "17.5"],
    ["Edge Chromium", "126.0.2592.81"],
];
/// Cities, states and countries.
const PLACES: [[&str; 3]; 12] = [
    ["Ann Arbor", "Michigan", "United States"],
    ["Austin", "Texas", "United States"],
    ["London", "England", "United Kingdom"],
    ["Berlin", "Land Berlin", "Germany"],
    ["Zürich", "Zurich", "Switzerland"],
    ["Reston", "Virginia", "United States"],
    ["New York", "New York", "United States"],
    ["San Jose", "California", "United States"],
    ["Toronto", "Ontario", "Canada"],
    ["Sydney", "New South Wales", "Australia"],
    ["Singapore", "", "Singapore"],
    ["Chicago", "Illinois", "United States"],
];
/// Factors, by how often each comes up.
const FACTORS: [&str; 8] = [
    "duo_push",
    "duo_push",
    "duo_push",
    "verified_duo_push",
    "remembered_device",
    "sms_passcode",
    "yubikey_passcode",
    "phone_call",
];
/// Results and their reasons, by how often each comes up.
const RESULTS: [[&str; 2]; 16] = [
    ["success", "user_approved"],
    ["success", "user_approved"],
    ["success", "user_approved"],
    ["success", "user_approved"],
    ["success", "user_approved"],
    ["success", "user_approved"],
    ["success", "user_approved"],
    ["success", "valid_passcode"],
    ["success", "valid_passcode"],
    ["success", "remembered_device"],
    ["success", "trusted_location"],
    ["success", "bypass_user"],
    ["denied", "no_response"],
    ["denied", "location_restricted"],
    ["denied", "user_cancelled"],
    ["fraud", "user_marked_fraud"],
];

/// Appends a record, as compact JSON.
pub(super) fn record(fields: &RecordFields, rng: &mut Rng, out: &mut Vec<u8>) {
    let user = rng.below(USERS);
    let (first, last) = (FIRST_NAMES[(user % 8) as usize], LAST_NAMES[(user / 8 % 8) as usize]);
    let name = format!("{first}.{last}{}", user / 64);
    let [application, key] = rng.pick(&APPLICATIONS);
    let [result, reason] = rng.pick(&RESULTS);
    let factor = if reason == "user_marked_fraud" { "duo_push" } else { rng.pick(&FACTORS) };
    let event_type = if rng.one_in(50) { "enrollment" } else { "authentication" };
    // A user has one phone.
    let phone = format!("+1{}555{:04}", 201 + user % 700, user * 7 % 10_000);

    out.extend_from_slice(b"{\"access_device\":{");
    access_device(user, rng, out);
    put(out, format_args!("}},\"adaptive_trust_assessments\":{{"));
    for (n, kind) in ["more_secure_auth", "remember_me"].into_iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        put(
            out,
            format_args!(
                "{comma}\"{kind}\":{{\"features_version\":\"3.0\",\"model_version\":\"2022.07.19.001\",\
                 \"policy_enabled\":false,\"reason\":\"Normal level of trust; no detection of known attack pattern\",\
                 \"trust_level\":\"NORMAL\"}}"
            ),
        );
    }
    put(
        out,
        format_args!(
            "}},\"alias\":\"unknown\",\"application\":{{\"key\":\"{key}\",\"name\":\"{application}\"}},\
             \"auth_device\":{{\"ip\":\"{}\",\"key\":\"DP{:018X}\",\"location\":{},\"name\":\"",
            Address(user ^ 0x55),
            u128::from(user) * 0x9e37_79b9_7f4a_7c15 % (1 << 72),
            Place(user as usize / 3),
        ),
    );
    match user % 8 {
        0 => put(out, format_args!("My iPhone {} ({})", user % 16, &phone[2..])),
        1 => put(out, format_args!("{} {} {} {}", &phone[..2], &phone[2..5], &phone[5..8], &phone[8..])),
        _ => put(out, format_args!("{phone}")),
    }
    put(
        out,
        format_args!(
            "\"}},\"email\":\"{name}@example.com\",\"event_type\":\"{event_type}\",\"factor\":\"{factor}\",\
             \"isotimestamp\":\""
        ),
    );
    put_time(fields.seconds(), b'T', out);
    out.push(b'.');
    put_number(fields.micros.rem_euclid(1_000_000).unsigned_abs(), 6, out);
    put(
        out,
        format_args!(
            "+00:00\",\"ood_software\":null,\"reason\":\"{reason}\",\"result\":\"{result}\",\"timestamp\":{},\
             \"trusted_endpoint_status\":\"{}\",\"txid\":\"",
            fields.seconds(),
            if user.is_multiple_of(3) { "trusted" } else { "not trusted" },
        ),
    );
    put_uuid(fields.txid, out);
    out.extend_from_slice(b"\",\"user\":{\"groups\":[");
    // Most users are in two or three groups, always the same ones.
    for n in 0..[2, 2, 3, 1, 3, 2, 5, 0][(user / 5 % 8) as usize] {
        let comma = if n > 0 { "," } else { "" };
        put(out, format_args!("{comma}\"{}\"", GROUPS[((user + n * 5) % 12) as usize]));
    }
    put(out, format_args!("],\"key\":\"DU{:018X}\",\"name\":\"{name}\"}}}}", user << 20));
}

fn access_device(user: u64, rng: &mut Rng, out: &mut Vec<u8>) {
    let [os, version] = SYSTEMS[(user % 6) as usize];
    let [browser, browser_version] = BROWSERS[(user / 6 % 4) as usize];
    let known = ["true", "false", "\"unknown\""][(user % 3) as usize];
    put(
        out,
        format_args!(
            "\"browser\":\"{browser}\",\"browser_version\":\"{browser_version}\",\"epkey\":\"EP{:018X}\",\
             \"flash_version\":\"uninstalled\",\"hostname\":",
            user << 12,
        ),
    );
    if user.is_multiple_of(4) {
        put(out, format_args!("\"LT-{:05}\"", user * 7));
    } else {
        out.extend_from_slice(b"null");
    }
    // Now and then with a port, as Duo gives it.
    let port = if rng.one_in(200) { ":1234" } else { "" };
    put(
        out,
        format_args!(
            ",\"ip\":\"{}{port}\",\"is_encryption_enabled\":{known},\"is_firewall_enabled\":{known},\
             \"is_password_set\":{known},\"java_version\":\"uninstalled\",\"location\":{},\"os\":\"{os}\",\
             \"os_version\":\"{version}\",\"security_agents\":[",
            Address(user * 31 + rng.below(4)),
            Place(user as usize),
        ),
    );
    if user.is_multiple_of(3) {
        out.extend_from_slice(
            b"{\"security_agent\":\"Cisco AMP for Endpoints\",\"version\":\"7.2.7.11687\"}",
        );
    }
    out.push(b']');
}

/// An address of those that documents use.
struct Address(u64);

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let network = ["203.0.113", "198.51.100", "192.0.2"][(self.0 / 251 % 3) as usize];
        write!(f, "{network}.{}", self.0 % 251)
    }
}

/// A location, as Duo has it.
struct Place(usize);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [city, state, country] = PLACES[self.0 % PLACES.len()];
        write!(f, "{{\"city\":\"{city}\",\"country\":\"{country}\",\"state\":\"{state}\"}}")
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory can't fail.
    let _ = out.write_fmt(text);
}
