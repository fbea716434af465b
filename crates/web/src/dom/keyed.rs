//! Lists.

use super::{El, text};

/// A list whose nodes stay as long as their keys do. What changes in a node is its owner's affair;
/// the nodes themselves follow nothing.
pub struct Keyed<K> {
    parent: El,
    end: El,
    now: Vec<(K, El)>,
}

impl<K: PartialEq> Keyed<K> {
    /// A list at the end of an element.
    #[must_use]
    pub fn new(parent: &El) -> Self {
        let end = text("");
        parent.append(&end);
        Self {
            parent: parent.clone(),
            end,
            now: Vec::new(),
        }
    }

    /// The keys and nodes that are there.
    #[must_use]
    pub fn nodes(&self) -> &[(K, El)] {
        &self.now
    }

    /// Shows these keys, in this order. A node whose key is gone is taken away, one with a new key made.
    pub fn show(&mut self, wanted: Vec<K>, make: &mut dyn FnMut(&K) -> El) {
        if self.now.len() == wanted.len() && self.now.iter().map(|(key, _)| key).eq(&wanted) {
            return;
        }
        let mut old = std::mem::take(&mut self.now);
        old.retain(|(key, node)| {
            let stays = wanted.contains(key);
            if !stays {
                node.remove();
            }
            stays
        });
        let mut rest = old.into_iter().peekable();
        for key in wanted {
            // In the usual case the order is the same, and only what is new is put in.
            if rest.peek().is_some_and(|(known, _)| *known == key)
                && let Some(kept) = rest.next()
            {
                self.now.push(kept);
                continue;
            }
            let node = make(&key);
            let before = rest.peek().map_or(&self.end, |(_, node)| node);
            self.parent.insert(&node, Some(before));
            // A key that comes later in the old order is made anew here and taken away there.
            let known: Vec<(K, El)> = rest.collect();
            let mut left = Vec::with_capacity(known.len());
            for (other, node) in known {
                if other == key {
                    node.remove();
                } else {
                    left.push((other, node));
                }
            }
            rest = left.into_iter().peekable();
            self.now.push((key, node));
        }
        for (_, node) in rest {
            node.remove();
        }
    }
}
