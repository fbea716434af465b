//! The fuzz targets over their committed corpus, and over changes of it that are the same in every run.
//! `cargo xtask fuzz` lets libFuzzer look for more.

#[path = "../../../fuzz/src/targets.rs"]
mod targets;

use std::path::{Path, PathBuf};

/// Changes of each file of the corpus.
const CHANGES: usize = 40;
/// Longer inputs are tried as they are and not changed.
const LONG: usize = 64 * 1024;

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

fn change(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(16)).min(bytes.len());
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => bytes.truncate(at),
            3 if at < end => {
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            4 if at < end => drop(bytes.drain(at..end)),
            5 if at < end => bytes[at..end].fill(0xff),
            _ => {
                let from = random.below(other.len());
                let part = &other[from..(from + random.below(64)).min(other.len())];
                bytes.splice(at..at, part.iter().copied());
            }
        }
    }
    bytes
}

/// The committed corpus of a target: its folder, and files that are there anyway.
fn corpus(target: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("fuzz/corpus").join(target)];
    if target == "elf" {
        folders.push(root.join("crates/core/tests/programs"));
    }
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_file() && (target != "elf" || path.extension().is_none_or(|e| e == "o"))
        })
        .collect();
    files.sort();
    files
}

fn run(target: &str) {
    let (_, body) = targets::TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .unwrap();
    let all: Vec<Vec<u8>> = corpus(target)
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(!all.is_empty(), "no corpus for {target}");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for bytes in &all {
        body(bytes);
        if bytes.len() > LONG {
            continue;
        }
        for _ in 0..CHANGES {
            let other = &all[random.below(all.len())];
            body(&change(bytes, other, &mut random));
        }
    }
}

#[test]
fn elf_loader() {
    run("elf");
}

#[test]
fn assembler() {
    run("asm");
}

#[test]
fn verifier_and_run_of_arbitrary_bytes() {
    run("program");
}

#[test]
fn commands() {
    run("commands");
}

#[test]
fn recordings_and_scenario_files() {
    run("recording");
}

#[test]
fn capture_files() {
    run("capture");
}

/// One program for two hooks: a walk each, and none goes on behind its budget. A loop with two ways a turn was walked to the
/// verifier's million instructions once for each question before.
#[test]
fn an_input_costs_two_bounded_walks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/program");
    let cost = |name: &str| {
        targets::program_cost(&std::fs::read(folder.join(name)).expect("a file of the corpus"))
    };
    let loops = ["endless-walk", "walk-of-ways", "walk-of-frames"];
    for cost in loops.map(cost) {
        assert_eq!((cost.walks, cost.walked), (2, 2 * 20_001));
    }
    // two instructions, which each walk looks at once
    assert_eq!((cost("abs").walks, cost("arith").walks), (2, 2));
}
