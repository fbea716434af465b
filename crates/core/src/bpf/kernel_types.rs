//! The layout of the kernel types that the simulator models, for CO-RE relocations.

/// `kernel_types.txt` says how to read it and where it comes from.
const TABLE: &str = include_str!("kernel_types.txt");

/// A member of a kernel type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Bits from the start of the type.
    pub offset: u32,
    pub bits: u32,
    /// Bytes of one element, for an array; else 0.
    pub element: u32,
    pub signed: bool,
    pub bit_field: bool,
}

/// The lines of a type, its size first.
fn lines(name: &str) -> Option<(u32, impl Iterator<Item = &'static str>)> {
    let mut rest = TABLE.lines();
    let size = rest.find_map(|line| {
        let (of, size) = line.strip_prefix("struct ")?.split_once(' ')?;
        (of == name).then(|| size.parse().ok()).flatten()
    })?;
    Some((size, rest.take_while(|line| !line.starts_with("struct "))))
}

/// Size of a kernel type, bytes; `None` for one that is not modelled.
pub(super) fn size(name: &str) -> Option<u32> {
    lines(name).map(|(size, _)| size)
}

/// A member by its path, such as `users.refs.counter`.
pub(super) fn field(name: &str, path: &str) -> Option<Field> {
    let (_, mut lines) = lines(name)?;
    lines.find_map(|line| {
        let mut words = line.split(' ');
        if words.next() != Some(path) {
            return None;
        }
        let mut number = || words.next()?.parse().ok();
        let (offset, bits, element) = (number()?, number()?, number()?);
        let flags = words.next().unwrap_or_default();
        Some(Field {
            offset,
            bits,
            element,
            signed: flags.contains('s'),
            bit_field: flags.contains('b'),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpf::layout::offsets;

    /// The same facts as in `layout::offsets`, from the same kernel.
    #[test]
    fn fields_lie_where_context_loads_go() {
        let at = |path: &str| field("sk_buff", path).map(|f| f.offset / 8);
        assert_eq!(at("len"), Some(offsets::SKB_LEN as u32));
        assert_eq!(at("mark"), Some(offsets::SKB_MARK as u32));
        assert_eq!(at("data"), Some(offsets::SKB_DATA as u32));
        assert_eq!(at("tc_index"), Some(offsets::SKB_TC_INDEX as u32));
        assert_eq!(at("tstamp_type"), Some(offsets::SKB_TSTAMP_TYPE as u32));
        assert_eq!(at("nothing"), None);
        assert_eq!((size("sk_buff"), size("task_struct")), (Some(232), None));
        let pkt_type = field("sk_buff", "pkt_type").unwrap();
        assert_eq!((pkt_type.offset, pkt_type.bits), (1024, 3));
        assert!(pkt_type.bit_field && !pkt_type.signed);
    }

    /// Every line that is neither a comment nor a heading can be read.
    #[test]
    fn the_whole_table_can_be_read() {
        let mut of = "";
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let first = line.split(' ').next().unwrap();
            match line.strip_prefix("struct ") {
                Some(rest) => of = rest.split(' ').next().unwrap(),
                None => assert!(field(of, first).is_some(), "{line}"),
            }
        }
    }
}
