//! Clients of a thread that makes its requests itself.
//!
//! A client's connections are driven by the runtime that they were opened in. So a thread with a runtime of its own has
//! clients of its own, one for each store.

use object_store::client::HttpClient;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

tokio::task_local! {
    /// The clients of the thread whose runtime this is, if it has its own.
    pub(crate) static OWN: OwnClients;
}

/// A thread's clients, by the numbers of the stores that made them.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnClients(Arc<Mutex<HashMap<usize, HttpClient>>>);

impl OwnClients {
    /// The client of the store with this number. It is made when it is asked for first.
    pub(super) fn get<E>(
        &self,
        store: usize,
        make: impl FnOnce() -> Result<HttpClient, E>,
    ) -> Result<HttpClient, E> {
        let mut clients = crate::sync::lock(&self.0);
        if let Some(client) = clients.get(&store) {
            return Ok(client.clone());
        }
        let client = make()?;
        clients.insert(store, client.clone());
        Ok(client)
    }
}
