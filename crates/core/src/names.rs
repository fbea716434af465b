//! Names that come from a file and live as long as the program: kernel functions, hooks, source
//! files. Everything else holds them as `&'static str`, as it holds the simulator's own.

use std::sync::{Mutex, PoisonError};

/// Longest name that is kept, bytes; the kernel's own limit for a function's is `KSYM_NAME_LEN`, 512.
const LONGEST: usize = 512;
/// Most names that are kept. The simulator has some hundreds.
const MOST: usize = 8192;

/// In the order of the alphabet.
static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// The one copy of a name. How many there are and how long they may be is limited, so that a wrong
/// file can't fill the memory: `None` for one that is too long or one too many.
pub(crate) fn intern(text: &str) -> Option<&'static str> {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let place = match names.binary_search(&text) {
        Ok(known) => return names.get(known).copied(),
        Err(place) => place,
    };
    if text.len() > LONGEST || names.len() >= MOST {
        return None;
    }
    let name: &'static str = Box::leak(text.into());
    names.insert(place, name);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_not_without_limit() {
        let first = intern("ip_rcv").expect("it is short");
        let again = intern(&String::from("ip_rcv")).expect("it is known");
        assert!(std::ptr::eq(first, again));
        assert_eq!(intern(&"x".repeat(LONGEST + 1)), None);
        assert!(intern(&"x".repeat(LONGEST)).is_some());
    }
}
