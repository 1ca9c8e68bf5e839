//! A listing that is not one is never an empty bucket, and each object of one that is comes once.

use super::{Service, answer, convert, entry, listing, object};
use crate::dump::{events, files, gunzip, log, manifest, outputs};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

#[test]
fn what_is_not_a_listing_is_an_error_that_says_what_came() {
    let more = "<IsTruncated>true</IsTruncated>";
    let table = [
        (
            "text/html",
            "<!DOCTYPE html>\n<html><body>Please log in</body></html>".to_owned(),
            "a page of HTML",
        ),
        ("text/html", "<html><body>Please log in</body></html>".to_owned(), "found `html`"),
        ("application/json", "{\"status\":\"ok\"}".to_owned(), "found `{\"status\":\"ok\"}`"),
        (
            "application/xml",
            "<ListAllMyBucketsResult></ListAllMyBucketsResult>".to_owned(),
            "found `ListAllMyBucketsResult`",
        ),
        ("application/xml", String::new(), "it is empty"),
        ("application/xml", listing(&entry("in/a", "5"))[..150].to_owned(), "it ends in the middle"),
        ("application/xml", listing(more), "`IsTruncated` without `NextContinuationToken`"),
        ("application/xml", listing(&entry("other/a", "5")), "`other/a` does not begin with it"),
        ("application/xml", listing(&entry("in/a", "-5")), "found `-5`"),
        ("application/xml", listing(&entry("in/a", "many")), "found `many`"),
        ("application/xml", listing(&entry("in/a", "5").replace("<Size>5</Size>", "")), "found nothing"),
        ("application/xml", listing("<KeyCount>7</KeyCount>"), "it says that it has 7 objects"),
    ];
    for (kind, text, words) in table {
        let body = text.clone();
        let service = Service::start(move |_| answer(200, &format!("content-type: {kind}\r\n"), &body));
        let (run, folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
        assert_eq!(run.status, 2, "{text}: {}", run.stderr);
        assert!(
            run.stderr.contains("cannot list `s3://b/in/`: the answer is not a listing of objects"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(words), "{text}: {}", run.stderr);
        assert!(outputs(&files(folder.path())).is_empty());
    }
}

#[test]
fn a_listing_that_does_not_move_on_is_an_error() {
    let page = |inside: &str, token: &str| {
        listing(&format!(
            "{inside}<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
        ))
    };
    let count = AtomicU64::new(0);
    type Page = Box<dyn Fn(u64) -> String + Send + Sync>;
    let table: [(Page, &str); 3] = [
        (Box::new(move |_| page(&entry("in/a", "5"), "t")), "the same continuation token again"),
        (
            Box::new(move |n| page(&[entry("in/a", "5"), entry("in/b", "5")].concat(), &n.to_string())),
            "`in/a` comes behind `in/b`",
        ),
        (Box::new(move |n| page("", &n.to_string())), "pages without an object"),
    ];
    let count = std::sync::Arc::new(count);
    for (pages, words) in table {
        let count = std::sync::Arc::clone(&count);
        let service = Service::start(move |asked| {
            if asked.is_listing() {
                return answer(200, "", pages(count.fetch_add(1, SeqCst)));
            }
            object(asked, asked.target.trim_start_matches("/b/"), &log(1, 2))
        });
        let (run, _folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
        assert_eq!(run.status, 2, "{}", run.stderr);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

#[test]
fn pages_cut_once_are_asked_for_again_and_repeated_entries_come_once() {
    let logs = [log(1, 5), log(2, 5), log(3, 5)];
    let served = logs.clone();
    let tries = AtomicU64::new(0);
    let service = Service::start(move |asked| {
        if !asked.is_listing() {
            let key = asked.target.trim_start_matches("/b/").to_owned();
            let at: usize = key.trim_start_matches("in/").parse().expect("a number");
            return object(asked, &key, &served[at]);
        }
        let size = |n: usize| served[n].len().to_string();
        if asked.target.contains("continuation-token") {
            let all = [entry("in/1", &size(1)), entry("in/2", &size(2)), entry("in/2", &size(2))];
            return answer(
                200,
                "",
                listing(&format!(
                    "{}<IsTruncated>false</IsTruncated><NextContinuationToken>x</NextContinuationToken>",
                    all.concat()
                )),
            );
        }
        // In no order, twice, and at its first try cut.
        let all = [entry("in/1", &size(1)), entry("in/0", &size(0)), entry("in/1", &size(1))].concat();
        let text = listing(&format!(
            "{all}<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
        ));
        let cut = if tries.fetch_add(1, SeqCst) == 0 { text.len() - 40 } else { text.len() };
        answer(200, "", &text[..cut])
    });
    let (run, folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("3 listed, 3 converted"), "{}", run.stderr);
    let made = outputs(&files(&folder.path().join("out")));
    assert_eq!(made.len(), 3);
    for (n, log) in logs.iter().enumerate() {
        let key = made.keys().find(|key| key.starts_with(&n.to_string())).expect("an output");
        assert!(gunzip(&made[key]) == events(log), "{n}");
    }
    assert_eq!(service.count(|asked| asked.method == "GET" && !asked.is_listing()), 3);
}

/// What GET gives is read to its end, whatever the listing says of its size, and what breaks off is gone on with.
#[test]
fn the_length_that_counts_is_the_answers() {
    let whole = log(7, 300);
    for said in ["0", "1", "70000", "99999999"] {
        let (bytes, tries) = (whole.clone(), AtomicU64::new(0));
        let service = Service::start(move |asked| {
            if asked.is_listing() {
                return answer(200, "", listing(&entry("in/a", said)));
            }
            let all = object(asked, "in/a", &bytes);
            if tries.fetch_add(1, SeqCst) == 0 { all[..all.len() / 2].to_vec() } else { all }
        });
        let (run, folder) = convert(&service.endpoint, &["s3://b/in/"], |_| ());
        assert_eq!(run.status, 0, "{said}: {}", run.stderr);
        let all = files(&folder.path().join("out"));
        let made = outputs(&all);
        assert!(gunzip(made.values().next().expect("an output")) == events(&whole), "{said}");
        assert_eq!(manifest(&all)[0]["size"], whole.len(), "{said}");
    }
}

#[test]
fn a_prefix_is_what_was_written_to_its_last_slash() {
    let service = Service::start(|asked| {
        if asked.is_listing() {
            return answer(200, "", listing(&[entry("in//a", "9"), entry("in/a", "9")].concat()));
        }
        object(asked, asked.target.trim_start_matches("/b/"), &log(1, 2))
    });
    let (run, _folder) = convert(&service.endpoint, &["s3://b/in//"], |command| {
        command.arg("--dry-run");
    });
    assert!(run.stderr.contains("1 listed") || run.stderr.contains("1 object"), "{}", run.stderr);
}

#[test]
fn a_pattern_in_a_url_says_what_to_do() {
    let service = Service::start(|asked| {
        let literal = asked.target.contains("prefix=we%5Bird%5D%2F");
        match asked.is_listing() {
            true if literal => answer(200, "", listing(&entry("we[ird]/a", "9"))),
            true => answer(200, "", listing("")),
            false if asked.method == "HEAD" => answer(404, "", ""),
            false => object(asked, "we[ird]/a", &log(1, 2)),
        }
    });
    for (url, hint) in [
        ("s3://b/p/*.gz", "s3://b/p/ --include '*.gz'"),
        ("s3://b/p/2026-*/", "s3://b/p/ --include '2026-*/*'"),
        ("s3://b/20[0-9]?/x/*", "s3://b/ --include '20[0-9]?/x/*'"),
    ] {
        let (run, _folder) = convert(&service.endpoint, &[url], |_| ());
        assert_eq!(run.status, 2, "{url}: {}", run.stderr);
        assert!(run.stderr.contains("a URL is not a pattern") && run.stderr.contains(hint), "{}", run.stderr);
    }
    let (run, _folder) = convert(&service.endpoint, &["s3://b/we[ird]/"], |_| ());
    assert_eq!(run.status, 0, "a key may hold them: {}", run.stderr);
}
