//! Events checked against UDM's schema and the rules beyond it.

use udmap::check::validate::Validator;

fn main() {
    let mut validator = Validator::default();
    let events = br#"[
        {"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"},"principal":{"hostname":"h"}},
        {"metadata":{"event_timestamp":"2024-01-01","event_type":"GENERIC_EVENT"},"principal":{"ip":"10.0.0.1"}}
    ]"#;
    let checked = validator.check(events, &mut |finding| {
        println!(
            "event {}: {}: {}: {}",
            finding.event + 1,
            finding.code.name(),
            finding.path,
            finding.message
        );
    });
    println!("{checked} events");
}
