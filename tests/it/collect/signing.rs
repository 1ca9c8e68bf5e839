//! Signatures against the vectors of Duo's own clients (see tests/it/collect/duo-signing/README.md).

use super::signature::{Asked, expected};
use crate::support::project;
use serde_json::Value;
use std::fs;
use udmap::jobs::collect::sign::{Signature, Signed, authorization, canonical, canonical_params};

fn vectors(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(project(&format!("tests/it/collect/duo-signing/{name}.json"))).expect(name);
    let file: Value = serde_json::from_str(&text).expect(name);
    file["vectors"].as_array().expect(name).clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Parameters, whose values are texts or lists of them.
fn params(value: &Value) -> String {
    let pairs = value.as_object().into_iter().flatten().flat_map(|(key, value)| {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        values.into_iter().map(move |value| (key.clone(), text(&value).to_owned()))
    });
    canonical_params(pairs)
}

fn headers(value: &Value) -> Vec<(&str, &str)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), text(value))).collect()
}

/// The request of a vector; clients differ in what they call its parts.
fn with<T>(input: &Value, extra: &[(&str, &str)], act: impl FnOnce(&Signed<'_>) -> T) -> T {
    let first = |names: &[&str]| names.iter().map(|name| text(&input[*name])).find(|text| !text.is_empty());
    let mut headers =
        headers(if input["headers"].is_object() { &input["headers"] } else { &input["additional_headers"] });
    headers.extend(extra);
    act(&Signed {
        date: text(&input["date"]),
        method: text(&input["method"]),
        host: first(&["host", "api_host"]).expect("a host"),
        path: first(&["path", "uri"]).expect("a path"),
        params: &params(&input["params"]),
        body: text(&input["body"]).as_bytes(),
        headers: &headers,
    })
}

#[test]
fn every_vector_of_duos_clients() {
    let (mut judged, mut other) = (0, Vec::new());
    for name in ["duo_api_golang", "duo_api_nodejs", "duo_client_python"] {
        for vector in vectors(name) {
            let (input, wanted) = (&vector["input"], text(&vector["expected"]));
            let version = vector["sig_version"].as_u64().or(input["sig_version"].as_u64()).unwrap_or(2);
            let digest = vector["digest"].as_str().or(input["digestmod"].as_str()).unwrap_or("sha512");
            let signature = match (version, digest) {
                (2, "sha1") => Signature::V2Sha1,
                (2, _) => Signature::V2Sha512,
                (5, _) => Signature::V5,
                // Versions 1 and 4 are not spoken here.
                _ => {
                    other.push(version);
                    continue;
                }
            };
            let got = match text(&vector["fn"]) {
                "canon_params" => params(if input["params"].is_object() { &input["params"] } else { input }),
                "canonParams" => params(input),
                "canonicalize" | "canonicalizeV5" => with(input, &[], |signed| canonical(signature, signed)),
                "sign" | "signV5" => with(input, &[], |signed| {
                    authorization(signature, signed, text(&input["ikey"]), text(&input["skey"]))
                }),
                // The digest alone, which the canonical texts hold.
                "sha512_hex" => continue,
                unknown => panic!("{name}: {unknown}"),
            };
            assert_eq!(got, wanted, "{name}: {}", vector["test"]);
            judged += 1;
        }
    }
    assert_eq!((judged, other), (35, vec![1, 4]));
}

/// Duo's newest client signs `x-duo-date`, too.
#[test]
fn every_vector_of_duo_hmac() {
    let mut judged = 0;
    for vector in vectors("duo_hmac_python") {
        let (input, wanted) = (&vector["input"], &vector["expected"]);
        let body_alone = |body: &str| {
            let signed = Signed {
                date: "",
                method: "",
                host: "",
                path: "",
                params: "",
                body: body.as_bytes(),
                headers: &[],
            };
            canonical(Signature::V5, &signed).lines().nth(5).map(str::to_owned)
        };
        match text(&vector["fn"]) {
            "get_authentication_components" => {
                let date = [("x-duo-date", text(&input["date"]))];
                let mut input = input.clone();
                input["body"] = wanted["body"].clone();
                if text(&input["method"]) != "GET" {
                    // These are in the body.
                    input["params"] = Value::Null;
                }
                let got = with(&input, &date, |signed| {
                    authorization(Signature::V5, signed, text(&input["ikey"]), text(&input["skey"]))
                });
                assert_eq!(got, text(&wanted["headers"]["Authorization"]), "{}", vector["test"]);
            }
            "canonicalize_parameters" => assert_eq!(params(input), text(wanted)),
            "generate_canonical_string" => {
                assert_eq!(with(input, &[], |signed| canonical(Signature::V5, signed)), text(wanted));
            }
            "canonicalize_body" => assert_eq!(body_alone(text(input)).as_deref(), wanted.as_str()),
            "canonicalize_x_duo_headers" => {
                let headers = headers(input);
                let signed = Signed {
                    date: "",
                    method: "",
                    host: "",
                    path: "",
                    params: "",
                    body: b"",
                    headers: &headers,
                };
                let canonical = canonical(Signature::V5, &signed);
                assert_eq!(canonical.lines().nth(6), wanted.as_str());
            }
            unknown => panic!("{unknown}"),
        }
        judged += 1;
    }
    assert_eq!(judged, 19);
}

/// The very requests that the collector sends; and the fake service's own reading of the rules.
#[test]
fn the_requests_for_telephony_logs() {
    let vectors = vectors("derived_telephony_get");
    for vector in &vectors {
        let input = &vector["input"];
        let (ikey, skey) = (text(&input["ikey"]), text(&input["skey"]));
        assert_eq!(params(&input["params"]), text(&vector["query"]));
        let asked = |authorization| Asked {
            method: text(&input["method"]),
            host: text(&input["host"]),
            path: text(&input["path"]),
            query: text(&vector["query"]),
            date: text(&input["date"]),
            authorization,
        };
        for (signature, version, sha1, name) in [
            (Signature::V2Sha1, 2, true, "auth_v2_sha1"),
            (Signature::V2Sha512, 2, false, "auth_v2_sha512"),
            (Signature::V5, 5, false, "auth_v5_sha512"),
        ] {
            let Some(wanted) = vector[name].as_str() else { continue };
            let got = with(input, &[], |signed| authorization(signature, signed, ikey, skey));
            assert_eq!(got, wanted, "{name} of {}", vector["name"]);
            assert_eq!(expected(&asked(wanted), ikey, skey, version, sha1), wanted, "the fake service");
        }
    }
    assert_eq!(vectors.len(), 4);
}
