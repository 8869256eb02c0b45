use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast::{Receiver, Sender, channel};
use uuid::Uuid;

use super::Topic;
use crate::StoredEvent;

/// How many events a topic buffers for slow listeners. All listeners of a topic share one buffer.
pub(super) const CAPACITY: usize = 64;

type Key = (Uuid, Topic);

/// The broadcast channels of this process, by organisation and topic.
#[derive(Default)]
pub(crate) struct Hub(Mutex<HashMap<Key, Sender<Arc<StoredEvent>>>>);

/// A listener's subscription to a topic; dropping the last one removes the topic.
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    key: Key,
}

impl Hub {
    fn topics(&self) -> MutexGuard<'_, HashMap<Key, Sender<Arc<StoredEvent>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(
        hub: &Arc<Self>,
        organisation_id: Uuid,
        topic: Topic,
    ) -> (Receiver<Arc<StoredEvent>>, Subscription) {
        let key = (organisation_id, topic);
        let receiver = hub.topics().entry(key.clone()).or_insert_with(|| channel(CAPACITY).0).subscribe();
        (receiver, Subscription { hub: Arc::clone(hub), key })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.topics().is_empty()
    }

    /// Sends an event to all listeners of its topics, without waiting for any of them.
    pub(crate) fn broadcast(&self, organisation_id: Uuid, event: &Arc<StoredEvent>) {
        let topics = self.topics();
        for topic in [Topic::entity(&event.entity), Topic::one(&event.entity, event.entity_id)] {
            if let Some(sender) = topics.get(&(organisation_id, topic)) {
                // Fails only if the topic has no listener left.
                let _ = sender.send(Arc::clone(event));
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = self.hub.topics();
        if topics.get(&self.key).is_some_and(|sender| sender.receiver_count() == 0) {
            topics.remove(&self.key);
        }
    }
}
