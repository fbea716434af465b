//! Nodes that stay, and are shown again with other words.

use super::{El, text};

/// A text that is touched only when it is to say something else.
pub struct Said {
    node: El,
    now: String,
}

impl Said {
    /// An empty text at the end of an element.
    #[must_use]
    pub fn new(parent: &El) -> Self {
        let node = text("");
        parent.append(&node);
        Self {
            node,
            now: String::new(),
        }
    }

    /// Says something.
    pub fn say(&mut self, words: &str) {
        if self.now != words {
            self.node.say(words);
            words.clone_into(&mut self.now);
        }
    }
}

/// The nodes of a row, and what they show.
pub trait Row {
    /// The row itself.
    fn element(&self) -> &El;

    /// It goes out of sight: who looks for its class does not find it.
    fn hidden(&mut self) {}
}

/// Rows, one behind the other. What is needed no more is hidden, and shown again when there is more to show.
pub struct Rows<R> {
    parent: El,
    all: Vec<R>,
    shown: usize,
}

impl<R: Row> Rows<R> {
    /// None yet, at the end of an element.
    #[must_use]
    pub fn new(parent: &El) -> Self {
        Self {
            parent: parent.clone(),
            all: Vec::new(),
            shown: 0,
        }
    }

    /// All that were made.
    #[must_use]
    pub fn all(&self) -> &[R] {
        &self.all
    }

    /// Shows so many, and gives them; `make` makes the one of a number.
    pub fn show(&mut self, count: usize, make: &mut dyn FnMut(usize) -> R) -> &mut [R] {
        for (index, row) in self.all.iter_mut().enumerate() {
            let (was, is) = (index < self.shown, index < count);
            if was != is {
                row.element().show(is);
            }
            if was && !is {
                row.hidden();
            }
        }
        while self.all.len() < count {
            let row = make(self.all.len());
            self.parent.append(row.element());
            self.all.push(row);
        }
        self.shown = count;
        self.all.get_mut(..count).unwrap_or_default()
    }
}
