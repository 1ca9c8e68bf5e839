//! What a service refuses is told by its code; where it sends one is not followed.

use super::{Asked, Service, answer, convert, entry, listing, object, refusal};
use crate::dump::log;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The reader of an object and the lister get the answer.
fn refusing(listings: bool, refused: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Service {
    Service::start(move |asked: &Asked| match asked.is_listing() {
        true if listings => refused(),
        true => answer(200, "", listing(&entry("in/a", "9"))),
        false => refused(),
    })
}

#[test]
fn refusals_are_told_by_their_code_with_what_to_do() {
    let table = [
        (403, "InvalidObjectState", "restore"),
        (403, "RequestTimeTooSkewed", "set the clock"),
        (403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        (403, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
        (400, "ExpiredToken", "the session has expired"),
        (400, "KMS.DisabledException", "kms:Decrypt"),
        (403, "AccessDenied", "the role needs s3:"),
        (400, "SomethingNew", ""),
    ];
    for (status, code, hint) in table {
        for listings in [true, false] {
            let service = refusing(listings, move || refusal(status, code, "In &lt;its&gt; words &#27;[31m"));
            let (run, _folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
            assert_eq!(run.status, 2, "{code}: {}", run.stderr);
            let words =
                format!("the service answered {status} {code}: In <its> words \\u{{1b}}[31m (request REQ1)");
            assert!(run.stderr.contains(&words), "{}", run.stderr);
            assert!(run.stderr.contains(hint) && !run.stderr.contains('\u{1b}'), "{code}: {}", run.stderr);
        }
    }
}

#[test]
fn a_clock_that_is_off_is_told_by_the_answers_date() {
    let (head, words) = (date_in(-3 * 3600 - 30), "clock is 3 h");
    let service = Service::start(move |_| {
        let body = "<Error><Code>RequestTimeTooSkewed</Code><Message>too large</Message></Error>";
        answer(403, &format!("date: {head}\r\n"), body)
    });
    let (run, _folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains(words) && run.stderr.contains("ahead of the service's"), "{}", run.stderr);
}

/// A date as HTTP has it, so many seconds from now.
fn date_in(seconds: i64) -> String {
    let at = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[test]
fn a_request_that_timed_out_is_tried_again() {
    let tries = AtomicU64::new(0);
    let service = Service::start(move |asked| {
        if tries.fetch_add(1, SeqCst).is_multiple_of(2) {
            return refusal(400, "RequestTimeout", "Your socket connection was not read from");
        }
        if asked.is_listing() {
            return answer(200, "", listing(&entry("in/a", "9")));
        }
        object(asked, "in/a", &log(1, 5))
    });
    let (run, _folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
    assert_eq!(run.status, 0, "{}", run.stderr);
}

/// Neither keys nor session go where an answer points, and the error names the region.
#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 307, 308] {
        let other = Service::start(|_| answer(200, "", listing("")));
        let to = format!("{}/x?signature=SECRET", other.endpoint);
        let service = Service::start(move |_| {
            let body = "<Error><Code>PermanentRedirect</Code><Message>Use that endpoint</Message></Error>";
            answer(status, &format!("location: {to}\r\nx-amz-bucket-region: eu-central-1\r\n"), body)
        });
        for url in ["s3://b/in/", "s3://b/in"] {
            let (run, _folder) = convert(&service.endpoint, &[url], |command| {
                command.env("AWS_SESSION_TOKEN", "SECRETTOKEN");
            });
            assert_eq!(run.status, 2, "{}", run.stderr);
            assert!(run.stderr.contains("region `eu-central-1`: set `AWS_REGION`"), "{}", run.stderr);
            assert!(!run.stderr.contains("SECRET"), "{}", run.stderr);
        }
        assert_eq!(other.count(|_| true), 0, "{status}");
    }
    let portal = Service::start(|_| answer(302, "location: http://portal.example/login\r\n", ""));
    let (run, _folder) = convert(&portal.endpoint, &["s3://b/in/"], |_| ());
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("a redirect, which is not followed (to http://portal.example/login)"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_wrong_region_is_named_however_it_is_said() {
    for (status, code, more) in [
        (400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>"),
        (400, "IllegalLocationConstraintException", ""),
    ] {
        let service = Service::start(move |_| {
            answer(status, "", format!("<Error><Code>{code}</Code><Message>no</Message>{more}</Error>"))
        });
        let (run, _folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
        assert_eq!(run.status, 2, "{}", run.stderr);
        assert!(run.stderr.contains("AWS_REGION"), "{code}: {}", run.stderr);
    }
}

/// A HEAD request is answered without a body.
#[test]
fn heads_without_words_say_what_is_known() {
    for (status, headers, words) in [
        (400, "x-amz-bucket-region: eu-central-1\r\n", "region `eu-central-1`"),
        (400, "x-amz-request-id: REQ2\r\n", "the service answered 400 (request REQ2)"),
        (301, "x-amz-bucket-region: eu-central-1\r\n", "region `eu-central-1`"),
    ] {
        let service = Service::start(move |_| answer(status, headers, ""));
        let (run, _folder) = convert(&service.endpoint, &["s3://b/in/a"], |_| ());
        assert_eq!(run.status, 2, "{status}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

/// A page in place of an object is neither an object nor a deletion.
#[test]
fn a_page_in_between_is_not_an_answer() {
    let service =
        refusing(false, || answer(200, "content-type: text/html; charset=utf-8\r\n", "<html>Log in</html>"));
    let (run, _folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("the answer is a page of HTML, and not from an object store"),
        "{}",
        run.stderr
    );
}
