//! The stores of the objects that a manifest names.

use crate::store::Error;
use crate::store::objects::{Access, BlockingStore};
use crate::sync::lock;
use std::collections::HashMap;
use std::sync::Mutex;

/// Stores by their roots: buckets, and the file system.
#[derive(Debug, Default)]
pub(super) struct Stores(Mutex<HashMap<String, BlockingStore>>);

impl Stores {
    /// The store of an object called `name`, and its key in it.
    pub(super) fn of(&self, name: &str, access: &Access) -> Result<(BlockingStore, String), Error> {
        let (root, key) = split(name);
        let mut stores = lock(&self.0);
        let store = match stores.get(root) {
            Some(store) => store.clone(),
            None => {
                let (store, _) = BlockingStore::open(root, access)?;
                stores.insert(root.to_owned(), store.clone());
                store
            }
        };
        Ok((store, key.to_owned()))
    }
}

/// A name as the root of its store and a key: of a file, the root of all and its path.
pub(super) fn split(name: &str) -> (&str, &str) {
    match name.find("://") {
        Some(at) => {
            let end = name[at + 3..].find('/').map_or(name.len(), |slash| at + 3 + slash);
            (&name[..end], name.get(end + 1..).unwrap_or_default())
        }
        None => match name.strip_prefix('/') {
            Some(key) => ("/", key),
            None => name.rsplit_once('/').unwrap_or((".", name)),
        },
    }
}
