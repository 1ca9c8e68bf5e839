//! Folders that nothing is in.

use super::store::BlockingStore;
use crate::store::error::{Doing, Error};
use crate::store::objects::staging;
use crate::store::objects::store::Backend;

impl BlockingStore {
    /// Removes the folders below `prefix` that nothing is in. Buckets have no folders, only objects of
    /// no bytes that stand for them: those go.
    ///
    /// # Errors
    /// If the folders can't be listed, or one not be removed.
    pub fn remove_empty(&self, prefix: &str) -> Result<(), Error> {
        match &*self.store.backend {
            Backend::Folder(folder) => staging::remove_empty(&folder.path().join(prefix))
                .map_err(|error| folder.failed(prefix, Doing::Remove, error)),
            Backend::Bucket(_) => {
                // In the order of a listing, what lies in a folder comes right behind it.
                let mut above: Vec<String> = Vec::new();
                for found in self.list_with_folders(prefix) {
                    let found = found?;
                    while let Some(folder) = above.pop_if(|folder| !found.key.starts_with(folder.as_str())) {
                        self.remove_folder(&folder)?;
                    }
                    if found.key.ends_with('/') && found.size == 0 {
                        if found.key != prefix {
                            above.push(found.key);
                        }
                    } else {
                        above.clear();
                    }
                }
                above.iter().rev().try_for_each(|folder| self.remove_folder(folder))
            }
        }
    }

    /// Removes an object that stands for a folder, if it has no bytes indeed.
    fn remove_folder(&self, key: &str) -> Result<(), Error> {
        match self.head(key)? {
            Some(found) if found.size == 0 => self.delete(key, &found.etag).map(|_| ()),
            _ => Ok(()),
        }
    }
}
