//! An element of ours inside of a view of Leptos, for the pages that are drawn with those.

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
