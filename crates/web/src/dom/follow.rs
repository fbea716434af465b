//! Attributes, texts and parts that follow signals.

use super::{El, text};
use crate::react::follow;

impl El {
    /// An attribute that follows what it is reckoned from; `None` takes it away.
    #[must_use]
    pub fn now(self, name: &'static str, value: impl Fn() -> Option<String> + 'static) -> Self {
        self.now_boxed(name, Box::new(value))
    }

    fn now_boxed(self, name: &'static str, value: Box<dyn Fn() -> Option<String>>) -> Self {
        let (target, mut last) = (self.clone(), None::<Option<String>>);
        follow(move || {
            let value = value();
            if last.as_ref() != Some(&value) {
                target.maybe(name, value.as_deref());
                last = Some(value);
            }
        });
        self
    }

    /// An attribute that says `true` or `false`.
    #[must_use]
    pub fn tells(self, name: &'static str, value: impl Fn() -> bool + 'static) -> Self {
        self.now_boxed(name, Box::new(move || Some(value().to_string())))
    }

    /// An attribute without a value that is there or not.
    #[must_use]
    pub fn when(self, name: &'static str, value: impl Fn() -> bool + 'static) -> Self {
        self.now_boxed(name, Box::new(move || value().then(String::new)))
    }

    /// A class that is there or not.
    #[must_use]
    pub fn flag(self, class: &'static str, on: impl Fn() -> bool + 'static) -> Self {
        let (target, mut last) = (self.clone(), None);
        follow(move || {
            let on = on();
            if last != Some(on) {
                target.mark(class, on);
                last = Some(on);
            }
        });
        self
    }

    /// A text that follows.
    #[must_use]
    pub fn word(self, words: impl Fn() -> String + 'static) -> Self {
        self.word_boxed(Box::new(words))
    }

    fn word_boxed(self, words: Box<dyn Fn() -> String>) -> Self {
        let (node, mut last) = (text(""), String::new());
        self.append(&node);
        follow(move || {
            let words = words();
            if last != words {
                node.say(&words);
                last = words;
            }
        });
        self
    }

    /// A part that is made anew when what it reads changes.
    #[must_use]
    pub fn part(self, make: impl Fn() -> Vec<El> + 'static) -> Self {
        self.part_boxed(Box::new(make))
    }

    fn part_boxed(self, make: Box<dyn Fn() -> Vec<El>>) -> Self {
        let (parent, end, mut now) = (self.clone(), text(""), Vec::<El>::new());
        parent.append(&end);
        follow(move || {
            let next = make();
            for node in now.drain(..) {
                node.remove();
            }
            for node in &next {
                parent.insert(node, Some(&end));
            }
            now = next;
        });
        self
    }
}
