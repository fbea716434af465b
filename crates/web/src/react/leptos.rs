//! Leptos' effects and memos follow our signals, and our nodes go with its owners, in the module that
//! draws with its views. The other way round (our effects, its signals) there is nothing.

use std::cell::RefCell;
use std::collections::HashMap;

use leptos::prelude::{ArcTrigger, Notify, Track};
use leptos::reactive::graph::Observer;
use leptos::reactive::owner::on_cleanup;
use send_wrapper::SendWrapper;

use super::graph::{Host, Id, attach, dispose, is_effect, read, set_host};

thread_local! {
    /// For each node that is read by something of Leptos.
    static TRIGGERS: RefCell<HashMap<Id, ArcTrigger>> = RefCell::default();
    /// Values of parts that are gone.
    static LATER: RefCell<Vec<Id>> = RefCell::default();
}

/// From now on they do.
pub fn join() {
    set_host(Host {
        read: follow,
        made: |id| on_cleanup(move || retire(id)),
        cleanup: |run| {
            let run = SendWrapper::new(run);
            on_cleanup(move || run.take()());
        },
    });
}

/// A part of Leptos' goes. What runs ends at once; values are there until the event is over, because the
/// clean-ups of the same part come after this one and may still ask for them.
fn retire(id: Id) {
    if is_effect(id) {
        return dispose(id);
    }
    let first = LATER.with_borrow_mut(|all| {
        all.push(id);
        all.len() == 1
    });
    if first {
        wasm_bindgen_futures::spawn_local(async { LATER.take().into_iter().for_each(dispose) });
    }
}

/// Takes the trigger away with the node.
struct Kept(Id);

impl Drop for Kept {
    fn drop(&mut self) {
        // When the thread ends there may be no list any more.
        let _ = TRIGGERS.try_with(|all| all.borrow_mut().remove(&self.0));
    }
}

fn follow(id: Id) {
    if Observer::get().is_none() {
        return;
    }
    let known = TRIGGERS.with_borrow(|all| all.get(&id).cloned());
    let trigger = known.unwrap_or_else(|| watch(id));
    trigger.track();
}

fn watch(id: Id) -> ArcTrigger {
    let trigger = ArcTrigger::new();
    TRIGGERS.with_borrow_mut(|all| all.insert(id, trigger.clone()));
    let (tell, kept, mut first) = (trigger.clone(), Kept(id), true);
    let run = move || {
        // As a whole: of `kept.0` alone the closure would take a copy, and the entry would go at once.
        let kept: &Kept = &kept;
        read(kept.0, true);
        if !std::mem::take(&mut first) {
            tell.notify();
        }
    };
    attach(id, Box::new(run));
    trigger
}

#[cfg(test)]
mod tests {
    use leptos::prelude::{GetUntracked, Memo, Owner};

    use super::super::graph::flush;
    use super::super::{Memo as Own, RwSignal};
    use super::*;

    #[test]
    fn leptos_follows_a_signal_of_ours_by_one_trigger_however_often_it_reads() {
        join();
        let owner = Owner::new();
        owner.with(|| {
            let signal = RwSignal::new(1);
            let half = Own::new(move |_| signal.get() / 2);
            let shown = Memo::new(move |_| format!("{} {}", signal.get(), half.get()));
            assert_eq!(shown.get_untracked(), "1 0");
            for (value, words) in [(2, "2 1"), (3, "3 1"), (8, "8 4")] {
                signal.set(value);
                flush();
                assert_eq!(shown.get_untracked(), words);
                assert_eq!(TRIGGERS.with_borrow(HashMap::len), 2);
            }
        });
        // What goes with an owner waits for the end of an event, and there is no browser here.
        std::mem::forget(owner);
    }
}
