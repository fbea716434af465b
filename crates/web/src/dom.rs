//! Elements, made and kept up to date one by one. The pages of the first load are drawn with this and
//! not with Leptos' views: a view is a type of its own, with code of its own, and together they were
//! half of the module. Signals, memos and owners are Leptos' as everywhere.
//!
//! Text goes into the document as text nodes and attributes alone; there is no way from a string to
//! HTML except [`El::html`], for what the site's build has rendered.

use leptos::prelude::*;
use leptos::reactive::effect::RenderEffect;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, Node};

const SVG: &str = "http://www.w3.org/2000/svg";

/// A node of the document: an element or a text.
#[derive(Debug, Clone, PartialEq)]
pub struct El(Node);

/// An element. A document that makes none ends the page; `crash` says so.
#[must_use]
pub fn el(name: &str) -> El {
    match document().create_element(name) {
        Ok(element) => El(element.into()),
        Err(error) => refused(&error),
    }
}

/// An element of a picture.
#[must_use]
pub fn svg(name: &str) -> El {
    match document().create_element_ns(Some(SVG), name) {
        Ok(element) => El(element.into()),
        Err(error) => refused(&error),
    }
}

fn refused(error: &JsValue) -> ! {
    panic!("the document makes no element: {error:?}")
}

/// A text.
#[must_use]
pub fn text(text: &str) -> El {
    El(document().create_text_node(text).into())
}

/// An element with a class.
#[must_use]
pub fn div(class: &str) -> El {
    el("div").class(class)
}

/// An element with a class and a text.
#[must_use]
pub fn span(class: &str, words: &str) -> El {
    el("span").class(class).text(words)
}

/// A text in the monospaced face.
#[must_use]
pub fn code(words: &str) -> El {
    el("code").text(words)
}

/// Runs at once, and again whenever a signal that it reads changes, as long as the part of the page
/// is there that it belongs to.
pub fn follow(run: impl FnMut() + 'static) {
    follow_boxed(Box::new(run));
}

fn follow_boxed(mut run: Box<dyn FnMut()>) {
    let effect = RenderEffect::new(move |_: Option<()>| run());
    on_cleanup(move || drop(effect));
}

/// Listens to events of the window as long as the part of the page is there.
pub fn on_window(name: &'static str, run: impl FnMut(Event) + 'static) {
    on_window_boxed(name, Box::new(run));
}

fn on_window_boxed(name: &'static str, run: Box<dyn FnMut(Event)>) {
    let heard = Closure::wrap(run);
    let target = window();
    let _ = target.add_event_listener_with_callback(name, heard.as_ref().unchecked_ref());
    let kept = StoredValue::new_local(heard);
    on_cleanup(move || {
        kept.with_value(|heard| {
            let listener = heard.as_ref().unchecked_ref();
            let _ = window().remove_event_listener_with_callback(name, listener);
        });
    });
}

impl El {
    /// The element. Of a text node nothing of an element is asked.
    #[must_use]
    pub fn element(&self) -> &Element {
        self.0.unchecked_ref()
    }

    /// The element as one of its kinds.
    #[must_use]
    pub fn as_a<T: JsCast>(&self) -> Option<&T> {
        self.0.dyn_ref()
    }

    /// The element that an element of the document is.
    #[must_use]
    pub fn of(element: Element) -> Self {
        Self(element.into())
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        self.put(name, value);
        self
    }

    /// Sets an attribute of an element that is there already.
    pub fn put(&self, name: &str, value: &str) {
        let _ = self.element().set_attribute(name, value);
    }

    /// Sets or removes an attribute.
    pub fn maybe(&self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.put(name, value),
            None => {
                let _ = self.element().remove_attribute(name);
            }
        }
    }

    /// Sets the class.
    #[must_use]
    pub fn class(self, class: &str) -> Self {
        self.set("class", class)
    }

    /// Adds or takes away one class.
    pub fn mark(&self, class: &str, on: bool) {
        let list = self.element().class_list();
        let _ = if on {
            list.add_1(class)
        } else {
            list.remove_1(class)
        };
    }

    /// Sets a property of its style: the only way the page's policy leaves.
    pub fn style(&self, name: &str, value: &str) {
        // Elements of pictures are no `HtmlElement`s, and both have `style`.
        let styled: &web_sys::HtmlElement = self.0.unchecked_ref();
        let _ = styled.style().set_property(name, value);
    }

    /// The same, while it is made.
    #[must_use]
    pub fn styled(self, name: &str, value: &str) -> Self {
        self.style(name, value);
        self
    }

    /// Shows or hides it.
    pub fn show(&self, yes: bool) {
        self.style("display", if yes { "" } else { "none" });
    }

    /// Appends a text.
    #[must_use]
    pub fn text(self, words: &str) -> Self {
        self.child(text(words))
    }

    /// Changes a text node, or all that an element holds.
    pub fn say(&self, words: &str) {
        self.0.set_text_content(Some(words));
    }

    /// Appends a child.
    #[must_use]
    pub fn child(self, child: El) -> Self {
        self.append(&child);
        self
    }

    /// Appends children.
    #[must_use]
    pub fn all(self, children: impl IntoIterator<Item = El>) -> Self {
        for child in children {
            self.append(&child);
        }
        self
    }

    /// Appends a child to an element that is there already.
    pub fn append(&self, child: &El) {
        let _ = self.0.append_child(&child.0);
    }

    /// Puts a node before one of its children.
    fn insert(&self, child: &El, before: Option<&El>) {
        let _ = self
            .0
            .insert_before(&child.0, before.map(|before| &before.0));
    }

    /// Takes it out of the document.
    pub fn remove(&self) {
        if let Some(parent) = self.0.parent_node() {
            let _ = parent.remove_child(&self.0);
        }
    }

    /// HTML that the site's build has made of the repository's own texts; nothing else.
    #[must_use]
    pub fn html(self, html: &str) -> Self {
        self.element().set_inner_html(html);
        self
    }

    /// Listens to an event. The listener lives as long as the element.
    #[must_use]
    pub fn on(self, name: &str, run: impl FnMut(Event) + 'static) -> Self {
        self.listen(name, Box::new(run));
        self
    }

    fn listen(&self, name: &str, run: Box<dyn FnMut(Event)>) {
        // The browser frees the closure with the element that holds it.
        let heard = Closure::wrap(run).into_js_value();
        let _ = self
            .0
            .add_event_listener_with_callback(name, heard.unchecked_ref());
    }

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

/// An element of ours inside of a view of Leptos, for the pages that are drawn with those.
pub mod bridge {
    use leptos::prelude::*;
    use leptos::tachys::html::attribute::Attribute;
    use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
    use leptos::tachys::hydration::Cursor;
    use leptos::tachys::view::{Mountable, Position, PositionState};
    use send_wrapper::SendWrapper;
    use web_sys::Element;

    use super::El;

    /// The element as a view. It is made once and never changes by itself.
    pub struct Made(SendWrapper<Element>);

    /// The element as a view.
    #[must_use]
    pub fn view(element: &El) -> AnyView {
        Made(SendWrapper::new(element.element().clone())).into_any()
    }

    /// What stands in the document.
    pub struct There(Element);

    impl Mountable for There {
        fn unmount(&mut self) {
            self.0.unmount();
        }

        fn mount(&mut self, parent: &Element, marker: Option<&web_sys::Node>) {
            self.0.mount(parent, marker);
        }

        fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
            self.0.insert_before_this(child)
        }

        fn elements(&self) -> Vec<Element> {
            vec![self.0.clone()]
        }
    }

    impl Render for Made {
        type State = There;

        fn build(self) -> There {
            There(self.0.take())
        }

        fn rebuild(self, state: &mut There) {
            let mut next = self.0.take();
            state.insert_before_this(&mut next);
            state.unmount();
            state.0 = next;
        }
    }

    impl AddAnyAttr for Made {
        type Output<New: Attribute> = Self;

        fn add_any_attr<New: Attribute>(self, _: New) -> Self::Output<New>
        where
            Self::Output<New>: RenderHtml,
        {
            self
        }
    }

    impl RenderHtml for Made {
        type AsyncOutput = Self;
        type Owned = Self;

        const MIN_LENGTH: usize = 0;

        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> Self {
            self
        }

        // Nothing of the site is drawn by Leptos on a server.
        fn to_html_with_buf(
            self,
            _: &mut String,
            _: &mut Position,
            _: bool,
            _: bool,
            _: Vec<AnyAttribute>,
        ) {
        }

        fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> There {
            self.build()
        }

        fn into_owned(self) -> Self {
            self
        }
    }
}
