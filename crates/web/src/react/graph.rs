//! Who depends on whom, and what has to be reckoned anew. Nothing here knows a type: values are
//! `Rc<dyn Any>`, so that all signals and memos of the page share this code.
//!
//! A write marks what is reckoned from it; memos are reckoned when they are read, effects in one go
//! after the event that wrote. Whatever is made while a memo or effect runs belongs to that run and
//! goes with it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A value of some type.
pub(crate) type Value = Rc<dyn Any>;
/// Gives a memo's new value, if it is another than the one before; nothing for an effect.
type Run = Box<dyn FnMut(Option<&Value>) -> Option<Value>>;

/// A node of the graph. An id is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id {
    index: u32,
    born: u32,
}

/// How sure it is that a node is as its sources say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum State {
    Clean,
    /// Something that a source is reckoned from has changed.
    Check,
    /// A source has changed.
    Dirty,
}

struct Node {
    born: u32,
    value: Option<Value>,
    /// Not there while it runs.
    run: Option<Run>,
    effect: bool,
    state: State,
    sources: Vec<Id>,
    watchers: Vec<Id>,
    /// Made while it ran.
    children: Vec<Id>,
    cleanups: Vec<Box<dyn FnOnce()>>,
    /// Goes with the node, not with its run.
    attached: Vec<Id>,
}

/// Whose run it is, and who owns what is made.
#[derive(Clone, Copy, Default)]
struct Now {
    observer: Option<Id>,
    owner: Option<Id>,
    /// What is read is not remembered, not by another system either.
    untracked: bool,
}

/// Another system of signals that wants to know: that a node is read outside of every run of ours, and
/// that a node or a clean-up is made that nothing of ours owns.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    pub(crate) read: fn(Id),
    pub(crate) made: fn(Id),
    pub(crate) cleanup: fn(Box<dyn FnOnce()>),
}

#[derive(Default)]
struct Graph {
    nodes: Vec<Option<Node>>,
    free: Vec<u32>,
    born: u32,
    queue: Vec<Id>,
    /// The queue will be worked on, or is.
    waiting: bool,
}

thread_local! {
    static GRAPH: RefCell<Graph> = RefCell::default();
    static NOW: Cell<Now> = Cell::default();
    static HOST: Cell<Option<Host>> = const { Cell::new(None) };
}

impl Graph {
    fn get(&mut self, id: Id) -> Option<&mut Node> {
        let node = self.nodes.get_mut(id.index as usize)?.as_mut()?;
        (node.born == id.born).then_some(node)
    }

    fn add(&mut self, mut node: Node) -> Id {
        self.born += 1;
        node.born = self.born;
        let index = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            self.nodes.len() as u32 - 1
        });
        if let Some(slot) = self.nodes.get_mut(index as usize) {
            *slot = Some(node);
        }
        let born = self.born;
        Id { index, born }
    }

    /// Marks everything that follows from a node.
    fn mark(&mut self, id: Id) {
        let mut open: Vec<(Id, State)> = Vec::new();
        if let Some(node) = self.get(id) {
            open.extend(node.watchers.iter().map(|id| (*id, State::Dirty)));
        }
        while let Some((id, state)) = open.pop() {
            let Some(node) = self.get(id) else { continue };
            let before = node.state;
            if before < state {
                node.state = state;
            }
            if before != State::Clean {
                continue;
            }
            if node.effect {
                self.queue.push(id);
            } else {
                open.extend(node.watchers.iter().map(|id| (*id, State::Check)));
            }
        }
    }

    fn unwatch(&mut self, sources: &[Id], watcher: Id) {
        for source in sources {
            if let Some(source) = self.get(*source) {
                source.watchers.retain(|known| *known != watcher);
            }
        }
    }

    /// The effect that was made first, so that a part goes before what is in it runs.
    #[cfg(any(test, target_arch = "wasm32"))]
    fn next(&mut self) -> Option<Id> {
        let first = (0..self.queue.len()).min_by_key(|at| self.queue.get(*at).map(|id| id.born))?;
        Some(self.queue.swap_remove(first))
    }
}

fn with<R>(run: impl FnOnce(&mut Graph) -> R) -> R {
    GRAPH.with_borrow_mut(run)
}

fn node(value: Option<Value>, run: Option<Run>, effect: bool) -> Id {
    let state = if run.is_some() {
        State::Dirty
    } else {
        State::Clean
    };
    let node = Node {
        born: 0,
        value,
        run,
        effect,
        state,
        sources: Vec::new(),
        watchers: Vec::new(),
        children: Vec::new(),
        cleanups: Vec::new(),
        attached: Vec::new(),
    };
    with(|graph| graph.add(node))
}

/// Gives a new node to whoever runs now.
fn own(id: Id) -> Id {
    match NOW.get().owner {
        Some(owner) => with(|graph| {
            if let Some(owner) = graph.get(owner) {
                owner.children.push(id);
            }
        }),
        None => {
            if let Some(host) = HOST.get() {
                (host.made)(id);
            }
        }
    }
    id
}

/// A node with a value that is written.
pub(crate) fn signal(value: Value) -> Id {
    own(node(Some(value), None, false))
}

/// A node whose value is reckoned.
pub(crate) fn memo(run: Run) -> Id {
    own(node(None, Some(run), false))
}

fn effect_node(mut run: Box<dyn FnMut()>) -> Id {
    let run: Run = Box::new(move |_| {
        run();
        None
    });
    node(None, Some(run), true)
}

/// Runs at once, and again when something that it has read changes.
pub(crate) fn follow(run: Box<dyn FnMut()>) {
    update(own(effect_node(run)));
}

/// Runs after the event that is being handled, and again when something that it has read changes.
pub(crate) fn effect(run: Box<dyn FnMut()>) {
    let id = own(effect_node(run));
    with(|graph| graph.queue.push(id));
    schedule();
}

/// The same as [`follow`], for as long as a node is there.
#[cfg_attr(not(feature = "views"), allow(dead_code))]
pub(crate) fn attach(to: Id, run: Box<dyn FnMut()>) {
    let id = effect_node(run);
    with(|graph| {
        if let Some(node) = graph.get(to) {
            node.attached.push(id);
        }
    });
    update(id);
}

/// What a node holds; nothing when it is gone. Who runs now is told when that changes.
pub(crate) fn read(id: Id, track: bool) -> Option<Value> {
    update(id);
    let now = NOW.get();
    let observer = now.observer.filter(|_| track && !now.untracked);
    let value = with(|graph| {
        let value = graph.get(id)?.value.clone();
        if let Some(observer) = observer
            && let Some(node) = graph.get(observer)
            && !node.sources.contains(&id)
        {
            node.sources.push(id);
            if let Some(source) = graph.get(id) {
                source.watchers.push(observer);
            }
        }
        value
    });
    if track
        && now.observer.is_none()
        && !now.untracked
        && let Some(host) = HOST.get()
    {
        (host.read)(id);
    }
    value
}

/// Tells everybody that a node's value was changed.
pub(crate) fn changed(id: Id) {
    with(|graph| graph.mark(id));
    schedule();
}

/// Reckons a node anew, if it has to be.
fn update(id: Id) {
    let state = |id| with(|graph| graph.get(id).map_or(State::Clean, |node| node.state));
    match state(id) {
        State::Clean => return,
        State::Check => {
            let sources = with(|graph| graph.get(id).map(|node| node.sources.clone()));
            for source in sources.unwrap_or_default() {
                update(source);
                if state(id) == State::Dirty {
                    break;
                }
            }
        }
        State::Dirty => {}
    }
    if state(id) == State::Dirty {
        return run(id);
    }
    with(|graph| {
        if let Some(node) = graph.get(id) {
            node.state = State::Clean;
        }
    });
}

fn run(id: Id) {
    let ready = with(|graph| {
        let node = graph.get(id)?;
        let run = node.run.take()?;
        node.state = State::Clean;
        Some((run, node.value.clone()))
    });
    // A node that is needed for itself has no other value than the one it had.
    let Some((mut run, old)) = ready else { return };
    reset(id);
    let before = NOW.replace(Now {
        observer: Some(id),
        owner: Some(id),
        untracked: false,
    });
    let new = run(old.as_ref());
    NOW.set(before);
    // Dropped when the graph is free again: what they hold may ask for it.
    let _gone = with(|graph| {
        let Some(node) = graph.get(id) else {
            return (Some(run), new, None);
        };
        node.run = Some(run);
        let mut last = None;
        if new.is_some() {
            last = std::mem::replace(&mut node.value, new);
            graph.mark(id);
        }
        (None, None, last)
    });
}

/// Takes away what was made while a node ran, and forgets what it read.
fn reset(id: Id) {
    let parts = with(|graph| {
        let node = graph.get(id)?;
        let sources = std::mem::take(&mut node.sources);
        let parts = (
            std::mem::take(&mut node.children),
            std::mem::take(&mut node.cleanups),
        );
        graph.unwatch(&sources, id);
        Some(parts)
    });
    if let Some((children, cleanups)) = parts {
        // Clean-ups first: they may still ask for values of the part.
        end(cleanups);
        children.into_iter().for_each(dispose);
    }
}

fn end(cleanups: Vec<Box<dyn FnOnce()>>) {
    untracked(|| cleanups.into_iter().for_each(|run| run()));
}

/// Takes a node away, and all that belongs to it.
pub(crate) fn dispose(id: Id) {
    reset(id);
    let node = with(|graph| {
        graph.get(id)?;
        let node = graph.nodes.get_mut(id.index as usize)?.take()?;
        graph.free.push(id.index);
        Some(node)
    });
    if let Some(mut node) = node {
        std::mem::take(&mut node.attached)
            .into_iter()
            .for_each(dispose);
    }
}

/// Whether a node is an effect, and no value.
#[cfg_attr(not(feature = "views"), allow(dead_code))]
pub(crate) fn is_effect(id: Id) -> bool {
    with(|graph| graph.get(id).is_some_and(|node| node.effect))
}

/// Runs when the run is over that this is called in, or the part of the page is gone.
pub(crate) fn cleanup(run: Box<dyn FnOnce()>) {
    match (NOW.get().owner, HOST.get()) {
        (Some(owner), _) => with(|graph| {
            if let Some(node) = graph.get(owner) {
                node.cleanups.push(run);
            }
        }),
        (None, Some(host)) => (host.cleanup)(run),
        // The page as a whole: what would be cleaned up stays.
        (None, None) => std::mem::forget(run),
    }
}

/// Reads without being told of changes.
pub fn untracked<R>(run: impl FnOnce() -> R) -> R {
    let before = NOW.get();
    NOW.set(Now {
        untracked: true,
        ..before
    });
    let out = run();
    NOW.set(before);
    out
}

/// Lets another system of signals know what is read and made.
#[cfg_attr(not(feature = "views"), allow(dead_code))]
pub(crate) fn set_host(host: Host) {
    HOST.set(Some(host));
}

fn schedule() {
    let first =
        with(|graph| !graph.queue.is_empty() && !std::mem::replace(&mut graph.waiting, true));
    if first {
        // After the event that is being handled: whatever it writes is drawn once.
        #[cfg(target_arch = "wasm32")]
        wasm_bindgen_futures::spawn_local(async { flush() });
    }
}

/// Runs the effects that wait. Without a browser only tests do.
#[cfg(any(test, target_arch = "wasm32"))]
pub(crate) fn flush() {
    while let Some(id) = with(Graph::next) {
        update(id);
    }
    with(|graph| graph.waiting = false);
}
