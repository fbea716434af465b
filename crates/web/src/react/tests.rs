use std::cell::RefCell;
use std::rc::Rc;

use super::graph::flush;
use super::*;

fn log() -> (Rc<RefCell<Vec<String>>>, impl Fn(String) + Clone) {
    let log = Rc::new(RefCell::new(Vec::new()));
    let into = log.clone();
    (log, move |line| into.borrow_mut().push(line))
}

#[test]
fn an_effect_runs_once_for_all_that_an_event_writes() {
    let (log, say) = log();
    let (a, b) = (RwSignal::new(1), RwSignal::new(10));
    let sum = Memo::new(move |_| a.get() + b.get());
    follow(move || say(format!("{}", sum.get())));
    a.set(2);
    b.set(20);
    assert_eq!(*log.borrow(), ["11"]);
    flush();
    assert_eq!(*log.borrow(), ["11", "22"]);
}

#[test]
fn a_memo_that_stays_the_same_wakes_nobody_and_one_that_is_not_read_is_not_reckoned() {
    let (log, say) = log();
    let a = RwSignal::new(1);
    let (count, counted) = (Rc::new(RefCell::new(0)), RwSignal::new(()));
    let seen = count.clone();
    let half = Memo::new(move |_| {
        *seen.borrow_mut() += 1;
        a.get() / 2
    });
    let unread = Memo::new(move |_| counted.track());
    let _ = unread;
    assert_eq!(*count.borrow(), 0);
    follow(move || say(format!("half {}", half.get())));
    a.set(0);
    flush();
    a.set(2);
    // Read before the effects: it is what it has to be.
    assert_eq!(half.get_untracked(), 1);
    flush();
    assert_eq!(*log.borrow(), ["half 0", "half 1"]);
    assert_eq!(*count.borrow(), 3);
}

#[test]
fn what_a_run_makes_goes_with_it() {
    let (log, say) = log();
    let (outer, inner) = (RwSignal::new(0), RwSignal::new(0));
    follow(move || {
        let n = outer.get();
        let (say, end) = (say.clone(), say.clone());
        let own = RwSignal::new(n);
        follow(move || say(format!("{} {}", own.get(), inner.get())));
        on_cleanup(move || end(format!("end {n}")));
    });
    inner.set(1);
    // The part goes before what is in it runs again.
    outer.set(5);
    flush();
    inner.set(2);
    flush();
    assert_eq!(*log.borrow(), ["0 0", "end 0", "5 1", "5 2"]);
}

#[test]
fn a_signal_of_a_part_that_is_gone_gives_back_what_is_written() {
    let (turn, kept) = (RwSignal::new(0), Rc::new(RefCell::new(None)));
    let slot = kept.clone();
    follow(move || {
        turn.track();
        let own = RwSignal::new("first");
        slot.borrow_mut().get_or_insert(own);
    });
    let first = kept.borrow().unwrap();
    assert_eq!(first.try_set("second"), None);
    turn.set(1);
    flush();
    assert_eq!(first.try_set("third"), Some("third"));
    assert_eq!(first.try_get_untracked(), None);
}

#[test]
fn sources_are_those_of_the_last_run() {
    let (log, say) = log();
    let (which, a, b) = (RwSignal::new(true), RwSignal::new(1), RwSignal::new(2));
    follow(move || say(format!("{}", if which.get() { a.get() } else { b.get() })));
    b.set(3);
    flush();
    which.set(false);
    flush();
    a.set(9);
    flush();
    assert_eq!(*log.borrow(), ["1", "3"]);
}

#[test]
fn what_is_read_untracked_is_not_followed_and_an_effect_may_write() {
    let (log, say) = log();
    let (a, b) = (RwSignal::new(1), RwSignal::new(0));
    follow(move || b.set(a.get() * 2));
    follow(move || say(format!("{} {}", b.get(), untrack(|| a.get()))));
    flush();
    a.set(4);
    flush();
    assert_eq!(*log.borrow(), ["2 1", "8 4"]);
}

#[test]
fn a_memo_knows_its_value_before_and_a_diamond_is_reckoned_once() {
    let (log, say) = log();
    let a = RwSignal::new(1);
    let (left, right) = (
        Memo::new(move |_| a.get() + 1),
        Memo::new(move |_| a.get() * 10),
    );
    let both = Memo::new(move |old: Option<&(i32, i32)>| {
        let (count, _) = old.copied().unwrap_or_default();
        (count + 1, left.get() + right.get())
    });
    follow(move || say(format!("{:?}", both.get())));
    a.set(2);
    flush();
    assert_eq!(*log.borrow(), ["(1, 12)", "(2, 23)"]);
}

#[test]
fn a_clean_up_may_ask_for_values_of_its_part_and_that_of_the_whole_page_stays() {
    let (log, say) = log();
    let turn = RwSignal::new(0);
    follow(move || {
        turn.track();
        let (own, say) = (StoredValue::new(turn.get_untracked()), say.clone());
        on_cleanup(move || say(format!("end {}", own.get_value())));
    });
    turn.set(1);
    flush();
    assert_eq!(*log.borrow(), ["end 0"]);
    // Nothing owns this one: what it holds is not dropped.
    let held = Rc::new(());
    let weak = Rc::downgrade(&held);
    on_cleanup(move || drop(held));
    assert!(weak.upgrade().is_some());
}
