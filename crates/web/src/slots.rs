//! Many small values out of one large one. A step changes a handful of some hundred bytes; if each
//! byte watched the whole picture, each step would wake them all. Here one effect compares, and
//! wakes only those whose value is another.

use std::collections::HashMap;
use std::hash::Hash;

use leptos::prelude::*;

/// A value for each key that is on the page.
pub struct Slots<K: 'static, T: 'static> {
    all: StoredValue<HashMap<K, RwSignal<T>>>,
}

impl<K, T> Clone for Slots<K, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, T> Copy for Slots<K, T> {}

impl<K, T> Slots<K, T>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    T: Clone + PartialEq + Send + Sync + 'static,
{
    /// Slots that follow a source.
    pub fn new(source: impl Fn() -> Vec<(K, T)> + 'static) -> Self {
        let slots = Self {
            all: StoredValue::new(HashMap::new()),
        };
        Effect::new(move |_| {
            let values = source();
            slots.all.with_value(|all| {
                for (key, value) in values {
                    if let Some(slot) = all
                        .get(&key)
                        .filter(|slot| slot.with_untracked(|now| *now != value))
                    {
                        slot.set(value);
                    }
                }
            });
        });
        slots
    }

    /// The slot of a key, as long as the caller's part of the page is there.
    pub fn slot(&self, key: K, first: T) -> RwSignal<T> {
        let slot = RwSignal::new(first);
        let all = self.all;
        all.update_value(|all| {
            all.insert(key, slot);
        });
        on_cleanup(move || {
            all.try_update_value(|all| {
                // Another part may have taken the key by now.
                if all.get(&key) == Some(&slot) {
                    all.remove(&key);
                }
            });
        });
        slot
    }
}
