//! Credentials of every kind that the tests use, and who gives tokens for them: Google's token endpoint, its
//! impersonation of accounts, and a metadata server.

use crate::http::{Reply, Request};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

pub(crate) const ACCOUNT: &str = "sender@acme-secops.iam.gserviceaccount.com";
const KEY_ID: &str = "5ec4e7c0ffee5ec4e7c0ffee5ec4e7c0ffee0000";
const REFRESH: &str = "1//refresh-token-that-is-a-secret";
const CLIENT_SECRET: &str = "GOCSPX-client-secret";
/// How every token begins that is made here.
const TOKEN: &str = "ya29.token-that-is-a-secret-";
const AUDIENCE: &str =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ours";
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/chronicle"];

/// The pair of keys of the service account, made once for all tests; the private one as PEM.
fn keys() -> &'static (RsaKeyPair, String) {
    static KEYS: OnceLock<(RsaKeyPair, String)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let keys = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).expect("a pair of keys");
        let der: Pkcs8V1Der<'_> = keys.as_der().expect("PKCS 8");
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).expect("ASCII")).collect();
        let dashes = "-----";
        let pem = format!(
            "{dashes}BEGIN PRIVATE KEY{dashes}\n{}\n{dashes}END PRIVATE KEY{dashes}\n",
            lines.join("\n")
        );
        (keys, pem)
    })
}

/// Texts that must never be seen outside of requests.
pub(crate) fn secrets() -> Vec<String> {
    let key = keys().1.lines().nth(3).expect("a line of the key").to_owned();
    // Every JWT begins with the same header.
    let jwt = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","#);
    [key, jwt, TOKEN.into(), REFRESH.into(), CLIENT_SECRET.into()].to_vec()
}

/// The file of a service account.
pub(crate) fn service_account(url: &str) -> Value {
    json!({
        "type": "service_account", "project_id": "acme-secops", "private_key_id": KEY_ID, "private_key": keys().1,
        "client_email": ACCOUNT, "client_id": "100000000000000000001", "token_uri": format!("{url}/token"),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth", "universe_domain": "googleapis.com",
    })
}

/// The file of a user, as gcloud writes it.
pub(crate) fn authorized_user(url: &str) -> Value {
    json!({
        "type": "authorized_user", "client_id": "1000.apps.googleusercontent.com", "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH, "token_uri": format!("{url}/token"),
    })
}

/// The file of a user who impersonates the service account.
pub(crate) fn impersonated(url: &str) -> Value {
    json!({
        "type": "impersonated_service_account", "delegates": [], "source_credentials": authorized_user(url),
        "service_account_impersonation_url":
            format!("{url}/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"),
    })
}

/// The file of workload identity federation, with a token of another identity provider in `subject`.
pub(crate) fn external_account(url: &str, subject: &str) -> Value {
    json!({
        "type": "external_account", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "audience": AUDIENCE, "token_url": format!("{url}/sts"), "credential_source": {"file": subject},
    })
}

/// The file of workload identity federation for a job on AWS, as gcloud writes it without IMDSv2.
pub(crate) fn aws_account(url: &str) -> Value {
    json!({
        "type": "external_account", "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "audience": AUDIENCE, "token_url": format!("{url}/sts"),
        "credential_source": {
            "environment_id": "aws1",
            "region_url": "http://169.254.169.254/latest/meta-data/placement/availability-zone",
            "url": "http://169.254.169.254/latest/meta-data/iam/security-credentials",
            "regional_cred_verification_url":
                "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
        },
    })
}

/// Whether a subject's token is a signed question to AWS who asks: the one that Google's token endpoint then puts.
fn is_signed_by_aws(subject: &str) -> bool {
    let pair = format!("http://x/?k={subject}");
    let Some(text) = url::Url::parse(&pair).ok().and_then(|it| Some(it.query_pairs().next()?.1.into_owned()))
    else {
        return false;
    };
    let asked: Value = serde_json::from_str(&text).unwrap_or_default();
    let header = |name: &str| {
        let headers = asked["headers"].as_array()?;
        headers.iter().find(|it| it["key"].as_str().is_some_and(|key| key.eq_ignore_ascii_case(name)))?["value"]
            .as_str()
    };
    let signed = header("authorization").is_some_and(|it| it.starts_with("AWS4-HMAC-SHA256 Credential="));
    let url = asked["url"].as_str().unwrap_or_default();
    let asks = url.starts_with("https://sts.") && url.contains("Action=GetCallerIdentity");
    let session = header("x-amz-security-token").is_some();
    signed && asks && session && header("x-goog-cloud-target-resource") == Some(AUDIENCE)
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Account,
    User,
}

/// The tokens that were given.
pub(super) struct Tokens {
    url: OnceLock<String>,
    /// How long a token from here lasts.
    pub(super) life: Mutex<Duration>,
    given: Mutex<HashMap<String, (Instant, Holder)>>,
    /// What was asked for, in order.
    pub(super) asked: Mutex<Vec<&'static str>>,
}

impl Tokens {
    pub(super) fn new() -> Tokens {
        Tokens {
            url: OnceLock::new(),
            life: Mutex::new(Duration::from_secs(3600)),
            given: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    pub(super) fn at(&self, url: &str) {
        self.url.set(url.to_owned()).expect("once");
    }

    fn give(&self, holder: Holder, asked: &'static str) -> (String, u64) {
        let life = *self.life.lock().expect("not poisoned");
        let mut given = self.given.lock().expect("not poisoned");
        let token = format!("{TOKEN}{}", given.len());
        given.insert(token.clone(), (Instant::now() + life, holder));
        self.asked.lock().expect("not poisoned").push(asked);
        (token, life.as_secs())
    }

    /// Whether a request's token is good, and whose it is.
    pub(super) fn holder(&self, authorization: Option<&str>) -> Result<Holder, String> {
        let token = authorization.and_then(|it| it.strip_prefix("Bearer ")).ok_or("no token")?;
        if let Some((end, holder)) = self.given.lock().expect("not poisoned").get(token) {
            return if Instant::now() < *end { Ok(*holder) } else { Err("the token has expired".into()) };
        }
        let claims = verified(token)?;
        match (claims["scope"].as_str(), claims["aud"].as_str()) {
            (Some(scope), None) if scope.split(' ').any(|it| SCOPES.contains(&it)) => Ok(Holder::Account),
            (None, Some(audience)) if audience.ends_with("googleapis.com/") => Ok(Holder::Account),
            _ => Err(format!("neither a scope nor an audience alone: {claims}")),
        }
    }

    /// Answers a request for a token, if it is one.
    pub(super) fn answer(&self, request: &Request) -> Option<Reply> {
        let token = |holder, asked| {
            let (token, life) = self.give(holder, asked);
            let body = json!({"access_token": token, "expires_in": life, "token_type": "Bearer"});
            Reply::new(200, body.to_string()).with("content-type", "application/json")
        };
        let refused = |why: &str| {
            Reply::new(400, json!({"error": "invalid_grant", "error_description": why}).to_string())
                .with("content-type", "application/json")
        };
        let path = request.path.as_str();
        if let Some(path) = path.strip_prefix("/computeMetadata/v1/") {
            if request.header("metadata-flavor") != Some("Google") {
                return Some(Reply::new(403, "Missing Metadata-Flavor:Google header."));
            }
            let reply = match path.trim_end_matches('/') {
                "instance/service-accounts/default/token" => token(Holder::Account, "metadata"),
                "instance/service-accounts/default/email" => Reply::new(200, ACCOUNT),
                "universe/universe-domain" => Reply::new(200, "googleapis.com"),
                "project/project-id" => Reply::new(200, "acme-secops"),
                _ => Reply::new(404, ""),
            };
            return Some(reply.with("metadata-flavor", "Google"));
        }
        if path == format!("/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken") {
            return Some(match self.holder(request.header("authorization")) {
                Ok(_) => {
                    let (token, life) = self.give(Holder::Account, "impersonation");
                    let end = chrono::Utc::now() + chrono::Duration::seconds(life as i64);
                    let end = end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                    let body = json!({"accessToken": token, "expireTime": end});
                    Reply::new(200, body.to_string()).with("content-type", "application/json")
                }
                Err(why) => Reply::new(401, why),
            });
        }
        if path == "/sts" {
            let form = form(&request.body);
            let subject = form.get("subject_token").map(String::as_str);
            let is_good = |it: &str| it == "a token of another provider" || is_signed_by_aws(it);
            return Some(match subject {
                Some(subject) if is_good(subject) => {
                    let (token, life) = self.give(Holder::Account, "exchange");
                    let kind = "urn:ietf:params:oauth:token-type:access_token";
                    let body = json!({
                        "access_token": token, "expires_in": life, "token_type": "Bearer", "issued_token_type": kind,
                    });
                    Reply::new(200, body.to_string()).with("content-type", "application/json")
                }
                _ => refused("the subject's token"),
            });
        }
        if path != "/token" || request.method != "POST" {
            return None;
        }
        // As a form or, as some of Google's libraries send it, as JSON.
        let form = match serde_json::from_slice::<HashMap<String, Value>>(&request.body) {
            Ok(given) => {
                given.into_iter().filter_map(|(name, it)| Some((name, it.as_str()?.to_owned()))).collect()
            }
            Err(_) => form(&request.body),
        };
        let is = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
        Some(if is("grant_type", "refresh_token") {
            match is("refresh_token", REFRESH) && is("client_secret", CLIENT_SECRET) {
                true => token(Holder::User, "refresh"),
                false => refused("Token has been expired or revoked."),
            }
        } else if is("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer") {
            let claims = verified(form.get("assertion").map_or("", String::as_str));
            let here = format!("{}/token", self.url.get().expect("started"));
            match claims {
                Ok(claims) if claims["aud"] != here.as_str() => refused("Invalid JWT: wrong audience"),
                Ok(claims) if claims["scope"].as_str().is_none() => refused("Invalid JWT: no scope"),
                Ok(_) => token(Holder::Account, "jwt"),
                Err(why) => refused(&why),
            }
        } else {
            refused("unsupported grant_type")
        })
    }
}

/// The fields of a form.
fn form(body: &[u8]) -> HashMap<String, String> {
    let url = url::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(body))).expect("a query");
    url.query_pairs().into_owned().collect()
}

/// The claims of a JWT whose signature and times are good.
fn verified(jwt: &str) -> Result<Value, String> {
    let wrong = |what: &str| format!("Invalid JWT: {what}");
    let [header, claims, signature] = jwt.split('.').collect::<Vec<_>>()[..] else {
        return Err(wrong("parts"));
    };
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong("base64"));
    let object = |text: &str| -> Result<Value, String> {
        serde_json::from_slice(&decode(text)?).map_err(|_| wrong("JSON"))
    };
    let (head, body) = (object(header)?, object(claims)?);
    if head["alg"] != "RS256" || head["kid"] != KEY_ID {
        return Err(wrong("the header"));
    }
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, keys().0.public_key().as_ref());
    let signed = &jwt[..header.len() + 1 + claims.len()];
    public.verify(signed.as_bytes(), &decode(signature)?).map_err(|_| wrong("the signature"))?;
    let time = |name: &str| body[name].as_i64().ok_or_else(|| wrong(name));
    let (begin, end, now) = (time("iat")?, time("exp")?, chrono::Utc::now().timestamp());
    // An hour; and Google's own library adds ten seconds at each end, for clocks that differ.
    if end - begin > 3600 + 20 || begin > now + 10 || end < now - 10 {
        return Err(wrong("times"));
    }
    if body["iss"] != ACCOUNT || body.get("sub").is_some_and(|sub| sub != ACCOUNT) {
        return Err(wrong("iss"));
    }
    Ok(body)
}

/// A JWT with these claims, signed by the service account.
fn signed(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let (keys, random) = (&keys().0, aws_lc_rs::rand::SystemRandom::new());
    let mut signature = vec![0; keys.public_modulus_len()];
    let padding = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
    keys.sign(padding, &random, text.as_bytes(), &mut signature).expect("signed");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What the fake takes and refuses: `udmap send` signs its own bearers, so that it does not meet all of this.
#[test]
fn tokens_of_service_accounts() {
    let now = chrono::Utc::now().timestamp();
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID});
    let good = json!({"iss": ACCOUNT, "scope": SCOPES[0], "iat": now, "exp": now + 3600});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let tokens = Tokens::new();
    let bearer = |jwt: &str| tokens.holder(Some(&format!("Bearer {jwt}")));
    assert_eq!(bearer(&signed(&head, &good)), Ok(Holder::Account));
    let mut audience = with("aud", json!("https://chronicle.us.rep.googleapis.com/"));
    assert!(bearer(&signed(&head, &audience)).is_err(), "both");
    audience.as_object_mut().expect("claims").remove("scope");
    assert_eq!(bearer(&signed(&head, &audience)), Ok(Holder::Account));
    for (head, claims) in [
        (json!({"alg": "none", "kid": KEY_ID}), good.clone()),
        (json!({"alg": "RS256", "kid": "other"}), good.clone()),
        (head.clone(), with("iss", json!("someone@else"))),
        (head.clone(), with("exp", json!(now + 7200))),
        (head.clone(), with("exp", json!(now - 60))),
        (head.clone(), with("scope", json!("https://www.googleapis.com/auth/devstorage.read_only"))),
    ] {
        assert!(bearer(&signed(&head, &claims)).is_err(), "{head} {claims}");
    }
    let jwt = signed(&head, &good);
    let forged = jwt.replacen(&jwt[jwt.len() - 8..], "AAAAAAAA", 1);
    assert!(bearer(&forged).is_err() && bearer("nothing").is_err() && tokens.holder(None).is_err());
}
