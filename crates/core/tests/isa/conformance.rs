//! The programs of the public suite `bpf_conformance`, as a table (`tests/conformance/`): none of it is ours.

const CASES: &str = include_str!("../../../../tests/conformance/cases.txt");

/// Cases of the suite.
pub fn count() -> usize {
    CASES.lines().count()
}

/// What differs from the suite's r0, one line a case.
pub fn differences() -> Vec<String> {
    CASES.lines().filter_map(difference).collect()
}

fn difference(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split('|').collect();
    let [name, memory, wanted, program] = fields[..] else {
        return Some(format!("{line}: not four fields"));
    };
    let code: Vec<[u8; 8]> = bytes(program)
        .chunks_exact(8)
        .map(|slot| std::array::from_fn(|at| slot[at]))
        .collect();
    let wanted = u64::from_str_radix(wanted, 16).expect("r0 as hex");
    match super::engine(&code, &bytes(memory)) {
        Ok((r0, _)) if r0 == wanted => None,
        Ok((r0, _)) => Some(format!("{name}: r0 is {r0:x}, not {wanted:x}")),
        Err(error) => Some(format!("{name}: {error}")),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}
