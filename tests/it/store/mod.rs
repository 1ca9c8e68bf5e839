//! One contract for every place that objects are kept in: folders, memory, and services.
//!
//! A service is named by its URL and an environment. The environment belongs to the process, so each service gets a
//! process of its own: this test binary again, with the one test [`service`] (see [`contract::at`]).

pub(crate) mod contract;

use crate::s3::{S3, SECRET};
use crate::services::Service;
use contract::{Promises, Subject};
use object_store::memory::InMemory;
use std::sync::Arc;

#[test]
fn folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    let subject = Subject::open(root.to_str().expect("UTF-8"));
    contract::contract(&subject, &Promises::folder());
}

#[test]
fn memory() {
    contract::contract(&Subject::around(Arc::new(InMemory::new())), &Promises::memory());
}

#[test]
fn moto() {
    let Some(s3) = S3::start() else { return };
    let environment = [
        ("AWS_ENDPOINT_URL", s3.endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    contract::at("s3://logs", &environment, &Promises::s3());
}

#[test]
fn azurite() {
    let Some(service) = Service::azurite() else { return };
    through(service, &Promises::azure());
}

#[test]
fn fake_gcs() {
    let Some(service) = Service::fake_gcs() else { return };
    through(service, &Promises::google());
}

#[test]
fn ceph() {
    let Some(service) = Service::ceph() else { return };
    through(service, &Promises::ceph());
}

fn through(service: &Service, promises: &Promises) {
    let environment = service.environment();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    contract::at(&service.bucket("contract"), &environment, promises);
}

/// Run by [`contract::at`] in a process of its own, with the environment of a service.
#[test]
#[ignore = "needs a service, named by UDMAP_CONTRACT_URL"]
fn service() {
    contract::named();
}
