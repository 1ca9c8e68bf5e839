//! What the environment and profiles say is checked before it is used.

use super::{Service, answer, convert, listing};
use std::time::Instant;

#[test]
fn a_setting_that_cannot_be_used_is_named_and_nothing_is_asked() {
    let service = Service::start(|_| answer(200, "", listing("")));
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (token, none, pem) = (file("token", "HUSH\n"), file("none", ""), file("ca.pem", "no certificate"));
    let missing = format!("{}/missing", folder.path().display());
    // What is set, or unset where there is no `=`; and what is said.
    let table: &[(&[&str], &str)] = &[
        (&["AWS_ENDPOINT_URL=minio.local:9000"], "`AWS_ENDPOINT_URL`: expected a URL such as"),
        (&["AWS_ENDPOINT_URL=http:///x"], "`AWS_ENDPOINT_URL`"),
        (&["AWS_ENDPOINT_URL=ftp://h"], "found `ftp://h`"),
        (&["AWS_ENDPOINT_URL=http://h:99999"], "found `http://h:99999`"),
        (&["AWS_ENDPOINT_URL=http://a b"], "found `http://a b`"),
        (&["AWS_ENDPOINT_URL=http://h\n"], "found `http://h\\n`"),
        (&["AWS_ENDPOINT_URL=http://h/?x=1"], "`AWS_ENDPOINT_URL`"),
        (
            &["AWS_ENDPOINT_URL=https://KEY:HUSH@h"],
            "`AWS_ENDPOINT_URL`: expected a URL without a name or password",
        ),
        (&["AWS_ENDPOINT_URL_S3=x:1"], "`AWS_ENDPOINT_URL_S3`"),
        (&["AWS_ALLOW_HTTP"], "`AWS_ENDPOINT_URL` begins with `http://`"),
        (&["AWS_ALLOW_HTTP=maybe"], "`AWS_ALLOW_HTTP`: expected `true` or `false`, found `maybe`"),
        (&["AWS_REGION=eu west 1"], "`AWS_REGION`: expected a region such as `eu-west-1`, found `eu west 1`"),
        (&["AWS_REGION=eu-west-1\n"], "found `eu-west-1\\n`"),
        (&["AWS_REGION", "AWS_DEFAULT_REGION=é"], "`AWS_DEFAULT_REGION`"),
        (&["AWS_ENDPOINT_URL", "AWS_REGION=us-east-1a"], "its region is `us-east-1`"),
        (&["AWS_ACCESS_KEY_ID=HUSH\n"], "`AWS_ACCESS_KEY_ID` is not a key id: it has a line break"),
        (&["AWS_ACCESS_KEY_ID=HU SH"], "`AWS_ACCESS_KEY_ID` is not a key id: it has white space"),
        (&["AWS_ACCESS_KEY_ID=HUSH/x"], "`AWS_ACCESS_KEY_ID`"),
        (&["AWS_SECRET_ACCESS_KEY=HUSH\r\n"], "`AWS_SECRET_ACCESS_KEY` is not a secret key"),
        (&["AWS_SECRET_ACCESS_KEY=HUSHÉ"], "it has a character that is not ASCII"),
        (&["AWS_SESSION_TOKEN=HUSH\nx"], "`AWS_SESSION_TOKEN` is not a token: it has a line break"),
        (&["AWS_SECRET_ACCESS_KEY"], "`AWS_SECRET_ACCESS_KEY` is not"),
        (&["AWS_ACCESS_KEY_ID="], "`AWS_ACCESS_KEY_ID` is not"),
        (&["AWS_S3_EXPRESS=2"], "`AWS_S3_EXPRESS`"),
        (&["AWS_CONDITIONAL_PUT=disabled"], "`AWS_CONDITIONAL_PUT` must be `etag`"),
        (&["AWS_REQUEST_PAYER=me"], "`AWS_REQUEST_PAYER`: expected `requester`, found `me`"),
        (&["AWS_CA_BUNDLE={missing}"], "`AWS_CA_BUNDLE`"),
        (&["AWS_CA_BUNDLE={pem}"], "has no certificate"),
        (&["SSL_CERT_FILE={missing}"], "`SSL_CERT_FILE`: expected a file of certificates"),
        (&["HTTP_PROXY=http://user:HUSH@:x"], "`HTTP_PROXY`: expected a proxy such as"),
        (&["ALL_PROXY=socks5://user:HUSH@h:1"], "`ALL_PROXY`: expected an HTTP proxy, found `h:1`"),
        (&["AWS_PROFILE=none", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "there is no profile `none`"),
        (
            &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_WEB_IDENTITY_TOKEN_FILE={missing}",
                "AWS_ROLE_ARN=arn:x",
            ],
            "cannot read the file of `AWS_WEB_IDENTITY_TOKEN_FILE`",
        ),
        (
            &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_WEB_IDENTITY_TOKEN_FILE={none}",
                "AWS_ROLE_ARN=arn:x",
            ],
            "is empty",
        ),
        (
            &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE={token}"],
            "`AWS_ROLE_ARN` is not",
        ),
        (
            &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=x y"],
            "`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`: expected a path",
        ),
        (
            &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/x",
            ],
            "leads to another machine without encryption",
        ),
        (
            &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/x",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE={token}",
            ],
            "has a line break",
        ),
    ];
    for (settings, words) in table {
        let (run, folder) = convert(&service.endpoint, &["s3://b/in/"], |command| {
            for setting in *settings {
                match setting.split_once('=') {
                    None => command.env_remove(setting),
                    Some((name, value)) => {
                        let value = value.replace("{missing}", &missing).replace("{token}", &token);
                        command.env(name, value.replace("{none}", &none).replace("{pem}", &pem))
                    }
                };
            }
        });
        assert_eq!(run.status, 2, "{settings:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{settings:?}: {}", run.stderr);
        assert!(
            !run.stderr.contains("panicked") && !run.stderr.contains("HUSH"),
            "{settings:?}: {}",
            run.stderr
        );
        assert!(!folder.path().join("out").exists());
    }
    assert_eq!(service.count(|_| true), 0);
}

#[test]
fn a_profiles_setting_is_named_with_its_file() {
    let (run, _folder) = convert("http://127.0.0.1:1", &["s3://b/in/"], |command| {
        let home = command
            .get_envs()
            .find(|(name, _)| *name == "HOME")
            .and_then(|(_, home)| home)
            .expect("set")
            .to_owned();
        std::fs::create_dir_all(std::path::Path::new(&home).join(".aws")).expect("made");
        let text = "[default]\naws_access_key_id = AKID\naws_secret_access_key = s\nregion = eu west\n";
        std::fs::write(std::path::Path::new(&home).join(".aws/credentials"), text).expect("written");
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_REGION");
    });
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("`region` of the profile `default` in `")
            && run.stderr.contains(".aws/credentials"),
        "{}",
        run.stderr
    );
}

#[test]
fn buckets_and_credentials_in_urls_are_checked_and_not_shown() {
    for (url, words) in [
        ("s3://b*/in/", "expected a bucket's name"),
        ("s3:///in/", "it names no bucket"),
        ("s3://b b/in/", "expected a bucket's name"),
        ("s3://KEY:SECRET@b/in/", "only a bucket and a key"),
        ("s3://KEY:SEC/RET@b/in/", "only a bucket and a key"),
        ("ftp://b/in/", "expected one of: s3, gs, az, or a path"),
    ] {
        let (run, _folder) = convert("http://127.0.0.1:1", &[url], |_| ());
        assert_eq!(run.status, 2, "{url}: {}", run.stderr);
        assert!(run.stderr.contains(words) && !run.stderr.contains("SEC"), "{url}: {}", run.stderr);
    }
}

#[test]
fn no_credentials_at_all_is_said_at_once() {
    let metadata = Service::start(|asked| match asked.method.as_str() {
        "PUT" => answer(200, "", "to\nken"),
        _ => answer(200, "content-type: text/html\r\n", "<html>\n<body>Log in</body></html>"),
    });
    let nobody = "http://127.0.0.1:1".to_owned();
    for (name, value) in [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_METADATA_ENDPOINT", &nobody),
        // A portal answers in its place.
        ("AWS_METADATA_ENDPOINT", &metadata.endpoint),
    ] {
        let start = Instant::now();
        let (run, _folder) = convert("http://127.0.0.1:1", &["s3://b/in/"], |command| {
            command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env(name, value);
        });
        assert_eq!(run.status, 2, "{}", run.stderr);
        assert!(run.stderr.contains("there are no credentials"), "{}", run.stderr);
        assert!(
            run.stderr.contains("AWS_ACCESS_KEY_ID") && run.stderr.contains("--no-sign-request"),
            "{}",
            run.stderr
        );
        assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());
    }
}
