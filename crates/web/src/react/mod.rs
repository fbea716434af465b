//! Signals, memos and effects. The pages' own, and not Leptos': there each type of a signal or memo has
//! code of its own, and together they were a fifth of the first module ([`graph`] knows no types).
//!
//! The lab's module draws with views of Leptos; `leptos` makes those follow these signals.

pub(crate) mod graph;
#[cfg(feature = "views")]
pub mod leptos;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

pub use self::graph::untracked as untrack;
use self::graph::{Id, Value, read};

/// Runs at once, and again whenever a signal that it reads changes, as long as the part of the page
/// is there that it belongs to.
pub fn follow(run: impl FnMut() + 'static) {
    graph::follow(Box::new(run));
}

/// The same, first when the event is over that is being handled.
pub fn effect(run: impl FnMut() + 'static) {
    graph::effect(Box::new(run));
}

/// Runs when the part of the page goes that this is called for.
pub fn on_cleanup(run: impl FnOnce() + 'static) {
    graph::cleanup(Box::new(run));
}

#[cold]
#[cfg_attr(feature = "views", track_caller)]
fn gone() -> ! {
    panic!("a value of a part of the page that is gone")
}

fn value<T: 'static>(value: T) -> Value {
    Rc::new(RefCell::new(value))
}

fn cell<T: 'static>(value: &Value) -> &RefCell<T> {
    match value.downcast_ref() {
        Some(cell) => cell,
        None => gone(),
    }
}

#[cfg_attr(feature = "views", track_caller)]
fn there(id: Id, track: bool) -> Value {
    match read(id, track) {
        Some(value) => value,
        None => gone(),
    }
}

/// Not `derive`: a handle can be copied whatever it is a handle of.
macro_rules! handle {
    ($name:ident) => {
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

/// What signals and memos have in common.
macro_rules! reads {
    ($name:ident) => {
        handle!($name);

        impl<T: 'static> $name<T> {
            /// The value; who runs now runs again when it changes.
            #[must_use]
            #[cfg_attr(feature = "views", track_caller)]
            pub fn get(&self) -> T
            where
                T: Clone,
            {
                cell::<T>(&there(self.id, true)).borrow().clone()
            }

            /// The same, by reference.
            #[cfg_attr(feature = "views", track_caller)]
            pub fn with<R>(&self, run: impl FnOnce(&T) -> R) -> R {
                run(&cell::<T>(&there(self.id, true)).borrow())
            }

            /// The value as it is now.
            #[must_use]
            #[cfg_attr(feature = "views", track_caller)]
            pub fn get_untracked(&self) -> T
            where
                T: Clone,
            {
                cell::<T>(&there(self.id, false)).borrow().clone()
            }

            /// The same, by reference.
            #[cfg_attr(feature = "views", track_caller)]
            pub fn with_untracked<R>(&self, run: impl FnOnce(&T) -> R) -> R {
                run(&cell::<T>(&there(self.id, false)).borrow())
            }

            /// The value as it is now; nothing when its part of the page is gone.
            #[must_use]
            pub fn try_get_untracked(&self) -> Option<T>
            where
                T: Clone,
            {
                let value = read(self.id, false)?;
                Some(cell::<T>(&value).borrow().clone())
            }

            /// Who runs now runs again when it changes.
            pub fn track(&self) {
                read(self.id, true);
            }
        }
    };
}

/// A value that is written and read.
pub struct RwSignal<T> {
    id: Id,
    of: PhantomData<fn(T) -> T>,
}

/// A value that is reckoned from others, when it is read and they have changed.
pub struct Memo<T> {
    id: Id,
    of: PhantomData<fn(T) -> T>,
}

reads!(RwSignal);
reads!(Memo);

impl<T: 'static> RwSignal<T> {
    /// A signal; it goes with the part of the page that it is made in.
    #[must_use]
    pub fn new(first: T) -> Self {
        Self {
            id: graph::signal(value(first)),
            of: PhantomData,
        }
    }

    /// Writes it.
    #[cfg_attr(feature = "views", track_caller)]
    pub fn set(&self, new: T) {
        if self.try_set(new).is_some() {
            gone();
        }
    }

    /// Writes it, or gives the value back when its part of the page is gone.
    pub fn try_set(&self, new: T) -> Option<T> {
        let Some(there) = read(self.id, false) else {
            return Some(new);
        };
        let old = cell::<T>(&there).replace(new);
        graph::changed(self.id);
        drop(old);
        None
    }

    /// Changes it.
    #[cfg_attr(feature = "views", track_caller)]
    pub fn update(&self, run: impl FnOnce(&mut T)) {
        run(&mut cell::<T>(&there(self.id, false)).borrow_mut());
        graph::changed(self.id);
    }
}

impl<T: PartialEq + 'static> Memo<T> {
    /// A memo. It is given its value before.
    #[must_use]
    pub fn new(run: impl FnMut(Option<&T>) -> T + 'static) -> Self {
        Self::new_with_compare(run, |old, new| old != new)
    }
}

impl<T: 'static> Memo<T> {
    /// A memo whose readers are told when the function says that it has become another.
    #[must_use]
    pub fn new_with_compare(
        mut run: impl FnMut(Option<&T>) -> T + 'static,
        changed: fn(Option<&T>, Option<&T>) -> bool,
    ) -> Self {
        let run = move |old: Option<&Value>| {
            let old = old.map(|old| cell::<T>(old).borrow());
            let new = run(old.as_deref());
            changed(old.as_deref(), Some(&new)).then(|| value(new))
        };
        Self {
            id: graph::memo(Box::new(run)),
            of: PhantomData,
        }
    }
}

/// A value that nobody follows.
pub struct StoredValue<T> {
    id: Id,
    of: PhantomData<fn(T) -> T>,
}

handle!(StoredValue);

impl<T: 'static> StoredValue<T> {
    /// Keeps a value as long as the part of the page is there.
    #[must_use]
    pub fn new(first: T) -> Self {
        Self {
            id: graph::signal(value(first)),
            of: PhantomData,
        }
    }

    /// Reads it.
    #[cfg_attr(feature = "views", track_caller)]
    pub fn with_value<R>(&self, run: impl FnOnce(&T) -> R) -> R {
        run(&cell::<T>(&there(self.id, false)).borrow())
    }

    /// Reads it; nothing when its part of the page is gone.
    #[must_use]
    pub fn try_get_value(&self) -> Option<T>
    where
        T: Clone,
    {
        let value = read(self.id, false)?;
        Some(cell::<T>(&value).borrow().clone())
    }

    /// A copy of it.
    #[must_use]
    #[cfg_attr(feature = "views", track_caller)]
    pub fn get_value(&self) -> T
    where
        T: Clone,
    {
        self.with_value(T::clone)
    }

    /// Changes it.
    #[cfg_attr(feature = "views", track_caller)]
    pub fn update_value<R>(&self, run: impl FnOnce(&mut T) -> R) -> R {
        run(&mut cell::<T>(&there(self.id, false)).borrow_mut())
    }

    /// Writes it.
    #[cfg_attr(feature = "views", track_caller)]
    pub fn set_value(&self, new: T) {
        drop(cell::<T>(&there(self.id, false)).replace(new));
    }
}

/// Something to do, as a handle.
pub struct Callback<R = ()> {
    run: StoredValue<Rc<dyn Fn() -> R>>,
}

impl<R> Clone for Callback<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Callback<R> {}

impl<R: 'static> Callback<R> {
    /// A handle on it.
    #[must_use]
    pub fn new(run: impl Fn() -> R + 'static) -> Self {
        let run: Rc<dyn Fn() -> R> = Rc::new(run);
        Self {
            run: StoredValue::new(run),
        }
    }

    /// Does it.
    #[cfg_attr(feature = "views", track_caller)]
    pub fn run(&self) -> R {
        let run = self.run.get_value();
        run()
    }
}
