//! Elements, made and kept up to date one by one. The pages of the first load are drawn with this and
//! not with Leptos' views: a view is a type of its own, with code of its own, and together they were
//! half of the module. What follows signals is in `follow`; the signals are those of [`crate::react`].
//!
//! Text goes into the document as text nodes and attributes alone; there is no way from a string to
//! HTML except [`El::html`], for what the site's build has rendered.

#[cfg(feature = "views")]
pub mod bridge;
mod follow;
mod rows;

use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, Node};

pub use self::rows::{Row, Rows, Said};
use crate::platform::{document, window};
use crate::react::on_cleanup;

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

/// Listens to events of the window as long as the part of the page is there.
pub fn on_window(name: &'static str, run: impl FnMut(Event) + 'static) {
    on_window_boxed(name, Box::new(run));
}

fn on_window_boxed(name: &'static str, run: Box<dyn FnMut(Event)>) {
    let heard = Closure::wrap(run);
    let target = window();
    let _ = target.add_event_listener_with_callback(name, heard.as_ref().unchecked_ref());
    on_cleanup(move || {
        let listener = heard.as_ref().unchecked_ref();
        let _ = window().remove_event_listener_with_callback(name, listener);
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

    /// All properties of its style at once; those that are not named are gone, `display` too.
    pub fn styles(&self, css: &str) {
        let styled: &web_sys::HtmlElement = self.0.unchecked_ref();
        styled.style().set_css_text(css);
    }

    /// Sets a property of its style, while it is made.
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
    pub fn insert(&self, child: &El, before: Option<&El>) {
        let _ = self
            .0
            .insert_before(&child.0, before.map(|before| &before.0));
    }

    /// The first of the nodes in it.
    #[must_use]
    pub fn first(&self) -> Option<El> {
        self.0.first_child().map(El)
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
}
