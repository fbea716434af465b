//! A key or value to be typed: one field for each number that its type has, or one for all of its bytes.

use headroom_core::bpf::{Form, Leaf};
use headroom_web::parts::sig;
use leptos::html::Input;
use leptos::prelude::*;

use crate::maps::{read, spaced};

/// The fields of a key or value.
#[derive(Clone)]
pub struct Fields {
    /// Its numbers; empty where the bytes are typed as they are.
    leaves: Vec<Leaf>,
    nodes: Vec<NodeRef<Input>>,
    /// What is changed: an entry that was chosen, or zeros.
    base: RwSignal<Option<Vec<u8>>>,
    size: u32,
}

/// Whether a type says more than its bytes do: one number without a sign is shown as both anyway.
#[must_use]
pub fn is_typed(leaves: &[Leaf]) -> bool {
    match leaves {
        [] => false,
        [one] => one.form != Form::Unsigned,
        _ => true,
    }
}

impl Fields {
    /// Of a type, for so many bytes.
    pub fn new(leaves: &[Leaf], size: u32) -> Self {
        let leaves = if is_typed(leaves) {
            leaves.to_vec()
        } else {
            Vec::new()
        };
        Self {
            nodes: leaves.iter().map(|_| NodeRef::new()).collect(),
            leaves,
            base: RwSignal::new(None),
            size,
        }
        .with_one()
    }

    fn with_one(mut self) -> Self {
        if self.nodes.is_empty() {
            self.nodes.push(NodeRef::new());
        }
        self
    }

    /// Begins from an entry.
    pub fn fill(&self, bytes: Vec<u8>) {
        self.base.set(Some(bytes));
        // A field that was typed into before shows the entry too.
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(node) = node.get_untracked() {
                node.set_value(&self.text(at));
            }
        }
    }

    /// What a field holds before anything is typed.
    fn text(&self, at: usize) -> String {
        self.base.with(|base| match (base, self.leaves.get(at)) {
            (None, _) => String::new(),
            (Some(bytes), Some(leaf)) => leaf.text(bytes).unwrap_or_default(),
            (Some(bytes), None) => spaced(bytes),
        })
    }

    /// The bytes.
    ///
    /// # Errors
    /// What is wrong, and in which field.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        let typed = |node: &NodeRef<Input>| {
            let node = node.get_untracked();
            node.map(|node| node.value()).unwrap_or_default()
        };
        let Some(first) = self.nodes.first().filter(|_| self.leaves.is_empty()) else {
            let base = self.base.get_untracked();
            let mut bytes = base.unwrap_or_else(|| vec![0; self.size as usize]);
            for (at, (leaf, node)) in self.leaves.iter().zip(&self.nodes).enumerate() {
                let text = typed(node);
                // Members of a union lie over each other: only what was changed is put in.
                if text.trim().is_empty() || text == untrack(|| self.text(at)) {
                    continue;
                }
                let put = leaf.put(&text, &mut bytes);
                put.map_err(|what| format!("{}: {what}", leaf.name))?;
            }
            return Ok(bytes);
        };
        read(&typed(first), self.size)
    }

    /// The fields; `what` is `Key` or `Value`.
    pub fn view(&self, what: &'static str, map: &str, wrong: RwSignal<Option<String>>) -> AnyView {
        let invalid = move || wrong.with(Option::is_some).to_string();
        if self.leaves.is_empty() {
            let node = self.nodes.first().copied().unwrap_or_default();
            let own = self.clone();
            let hint = match what {
                "Key" => "key: 0 or 00 00 00 00",
                _ => "value: 42 or 2a 00 00 00",
            };
            return view! {
                <input type="text" node_ref=node class="name" placeholder=hint aria-label=format!("{what} for {map}")
                    prop:value=sig(move || own.text(0)) aria-invalid=sig(invalid)/>
            }
            .into_any();
        }
        let field = |(at, leaf): (usize, &Leaf)| {
            let node = self.nodes.get(at).copied().unwrap_or_default();
            let own = self.clone();
            let label = format!("{} in the {} of {map}", leaf.name, what.to_lowercase());
            let hint = match leaf.form {
                Form::Text => "\"\"",
                Form::Bool => "false",
                Form::Bytes => "00 …",
                _ => "0",
            };
            view! {
                <label title=leaf.kind.clone()><span>{leaf.name.clone()}</span>
                    <input type="text" node_ref=node placeholder=hint aria-label=label prop:value=sig(move || own.text(at)) aria-invalid=sig(invalid)/></label>
            }
        };
        let fields = self.leaves.iter().enumerate().map(field).collect_view();
        view! { <fieldset class="typed"><legend>{what}</legend>{fields}</fieldset> }.into_any()
    }
}
