//! What invocations share: settings, and what converts.

use super::settings::{self, Sending};
use crate::convert::Converter;
use crate::jobs::dump::{self, OnDemand, Progress};
use crate::jobs::send::Settings;
use crate::jobs::settings::Environment;
use crate::store::objects::Access;
use std::sync::{Arc, OnceLock};

/// What invocations of one process share.
pub(super) struct Shared {
    /// Converts objects, if they are not events already.
    pub(super) on_demand: Option<OnDemand<'static>>,
    pub(super) access: Access,
    pub(super) inputs: Vec<String>,
    pub(super) state: String,
    pub(super) rejects: String,
    pub(super) secret: Option<String>,
    pub(super) settings: Settings,
}

/// Opens everything once a process: settings don't change in it.
pub(super) fn open() -> Result<&'static Shared, String> {
    static SHARED: OnceLock<Result<Shared, String>> = OnceLock::new();
    let open = || {
        let Sending { convert, inputs, state, rejects, secret, settings } =
            settings::read(Environment(&|name| std::env::var(name).ok()))?;
        let access = Access::new(false, Arc::default()).map_err(|error| error.to_string())?;
        let on_demand = match convert {
            None => None,
            Some((settings, converter)) => {
                // They live as long as the process.
                let (settings, converter): (&dump::Settings, &Converter) =
                    (Box::leak(Box::new(settings)), Box::leak(Box::new(converter)));
                let progress: &Progress = Box::leak(Box::default());
                let on_demand = OnDemand::new(settings, converter, &access, progress);
                Some(on_demand.map_err(|error| error.to_string())?)
            }
        };
        Ok(Shared { on_demand, access, inputs, state, rejects, secret, settings })
    };
    SHARED.get_or_init(open).as_ref().map_err(Clone::clone)
}
