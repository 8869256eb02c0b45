//! Settings of the service that rules and steps read, one value for each type.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

/// Settings of the service, by their types. A crate that needs one in its rules defines the type, and
/// the gateway provides the value when it opens the database.
#[derive(Clone, Default)]
pub struct Settings(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Settings {
    /// These, and another.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, setting: T) -> Self {
        self.0.insert(TypeId::of::<T>(), Arc::new(setting));
        self
    }

    /// The setting of this type, if it was provided.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}
