//! Names of functions, kept once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Longest name that is kept, bytes; the kernel's own limit is `KSYM_NAME_LEN`, 512.
const LONGEST: usize = 512;
/// Most names that are kept.
const MOST: usize = 8192;

static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// The one copy of a name. How many there are and how long they may be is limited, so that a file
/// can't fill the memory: what is beyond is called `…`.
pub(super) fn intern(text: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_with(HashSet::new);
    if let Some(known) = names.get(text) {
        return known;
    }
    if text.len() > LONGEST || names.len() >= MOST {
        return "…";
    }
    let name: &'static str = Box::leak(text.into());
    names.insert(name);
    name
}
