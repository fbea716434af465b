//! Sorting of short lists, looking for short texts. The standard library's sort is made for long ones and takes several kilobytes of a
//! page's module for each type; what a page sorts has some dozens of entries that are nearly in order.

/// Where a part of a text begins, in bytes. `str::find()` with a text is made for long ones and takes two kilobytes of a
/// page's module.
#[must_use]
pub fn place_of(text: &str, part: &str) -> Option<usize> {
    let mut all = text.as_bytes().windows(part.len().max(1));
    all.position(|here| here == part.as_bytes())
}

/// A text up to a place in bytes, and from there on; all of it and nothing where no character begins there.
/// (`str::split_at()` and ranges of a text bring what their panic prints: five kilobytes of a page's module.)
#[must_use]
pub fn cut(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Sorts by a key; equal ones keep their order.
pub fn by_key<T, K: PartialOrd>(list: &mut [T], key: impl Fn(&T) -> K) {
    for end in 1..list.len() {
        let mut at = end;
        while let Some(before) = at.checked_sub(1)
            && let (Some(a), Some(b)) = (list.get(before), list.get(at))
            && key(a) > key(b)
        {
            list.swap(before, at);
            at = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{by_key, cut, place_of};

    #[test]
    fn a_part_is_found_where_it_begins() {
        assert_eq!(place_of("one. two. ", ". "), Some(3));
        assert_eq!(place_of("ä. b", ". "), Some(2), "in bytes");
        assert_eq!(place_of("one.two", ". "), None);
        assert_eq!(place_of("", "x"), None);
    }

    #[test]
    fn a_text_is_cut_at_characters_alone() {
        assert_eq!(cut("ä. b", 3), ("ä.", " b"));
        assert_eq!(cut("ä", 1), ("ä", ""), "in the middle of a character");
        assert_eq!(cut("ab", 3), ("ab", ""), "behind the end");
        assert_eq!(cut("ab", 2), ("ab", ""));
    }

    #[test]
    fn equal_ones_keep_their_order() {
        let mut list = [(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        by_key(&mut list, |(key, _)| *key);
        assert_eq!(list, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        let mut none: [u8; 0] = [];
        by_key(&mut none, |n| *n);
    }
}
