//! Whatever the bytes, loading ends with an object or an error, and running ends.

mod bpf_host;

use bpf_host::Packet;
use headroom_core::bpf::{
    Budget, Fault, LoadError, Maps, Program, Prologue, fix_up, fix_up_unverified, load_object, run,
};
use proptest::prelude::*;

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/programs/{name}.bpf.o", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// Loads and, if that works, runs everything.
fn drive(bytes: &[u8]) {
    let Ok(object) = load_object("x.o", bytes) else {
        return;
    };
    let Ok(mut maps) = Maps::new(&object) else {
        return;
    };
    for program in &object.programs {
        let _ = program.facts();
        if let Ok(prepared) = fix_up(
            program,
            Prologue {
                realign: true,
                unclone: true,
            },
        ) {
            let _ = prepared.listing();
            let _ = run(&prepared, &mut maps, &mut Packet::new(), Budget(5_000));
        }
    }
}

#[test]
fn a_cut_off_object_is_an_error_with_its_name() {
    let bytes = file("get_tag");
    for len in [0, 1, 16, 63, 64, 200, 1000, bytes.len() - 1] {
        let error = load_object("cut.o", &bytes[..len]).unwrap_err();
        assert!(error.to_string().starts_with("cut.o: "), "{error}");
    }
    let mut x86 = bytes.clone();
    x86[18] = 62; // e_machine: EM_X86_64
    assert!(matches!(
        load_object("x", &x86),
        Err(LoadError::NotAnObject { .. })
    ));
}

fn bytecode(code: &[[u8; 8]]) -> Result<Program, LoadError> {
    Program::from_bytes("p", "tcx/ingress", &code.concat())
}

const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn what_cannot_be_a_program_is_refused_in_place() {
    let say = |code: &[[u8; 8]]| bytecode(code).unwrap_err().to_string();
    assert!(say(&[[0xff, 0, 0, 0, 0, 0, 0, 0], EXIT]).contains("offset 0x0: unknown opcode ff"));
    assert!(say(&[EXIT, [0xb7, 10, 0, 0, 0, 0, 0, 0], EXIT]).contains("offset 0x8: frame pointer"));
    assert!(say(&[[0x05, 0, 5, 0, 0, 0, 0, 0], EXIT]).contains("jump out of range"));
    // into the second half of a wide load
    let wide = [[0x18, 0, 0, 0, 0, 0, 0, 0], [0; 8]];
    assert!(say(&[[0x05, 0, 1, 0, 0, 0, 0, 0], wide[0], wide[1], EXIT]).contains("out of range"));
    assert!(say(&[[0xb7, 0, 0, 0, 0, 0, 0, 0]]).contains("last insn is not an exit or jmp"));
}

fn fault(code: &[[u8; 8]]) -> Fault {
    let program = bytecode(code).unwrap();
    let prepared = fix_up_unverified(&program, Prologue::default()).unwrap();
    run(
        &prepared,
        &mut Maps::default(),
        &mut Packet::new(),
        Budget(1_000),
    )
    .unwrap_err()
}

/// At run time, whatever the verifier said.
#[test]
fn accesses_are_checked_at_both_ends() {
    let access = |what, off, size| Fault::Access {
        insn: 4,
        what,
        off,
        size,
    };
    // r2 = base; r3 = off; r2 += r3; then the access through r2
    let through = |base: [u8; 8], off: i16, last: [u8; 8]| {
        let [low, high] = off.to_le_bytes();
        let sign = if off < 0 { 0xff } else { 0 };
        let r3 = [0xb7, 3, 0, 0, low, high, sign, sign];
        let r0 = [0xb7, 0, 0, 0, 0, 0, 0, 0];
        fault(&[r0, base, r3, [0x0f, 0x32, 0, 0, 0, 0, 0, 0], last, EXIT])
    };
    let (load8, load4) = (
        [0x79, 0x20, 0, 0, 0, 0, 0, 0],
        [0x61, 0x20, 0, 0, 0, 0, 0, 0],
    );
    let stack = [0xbf, 0xa2, 0, 0, 0, 0, 0, 0];
    // the last four bytes lie above the stack
    assert_eq!(through(stack, -4, load8), access("stack", -4, 8));
    // never written
    assert_eq!(through(stack, -8, load8), access("stack", -8, 8));
    let store = [0x72, 0x02, 0, 0, 0, 0, 0, 0];
    assert_eq!(through(stack, -513, store), access("stack", -513, 1));
    // r2 = *(u32 *)(r1 + 76) is data; the frame has 64 bytes
    let data = [0x61, 0x12, 76, 0, 0, 0, 0, 0];
    assert_eq!(through(data, 61, load4), access("packet", 61, 4));
    assert_eq!(through(data, -1, load4), access("packet", -1, 4));
    let zero = [0xb7, 2, 0, 0, 0, 0, 0, 0];
    assert_eq!(through(zero, 0, load8), access("memory", 0, 8));
}

#[test]
fn an_endless_loop_ends() {
    assert_eq!(
        fault(&[[0x05, 0, 0xff, 0xff, 0, 0, 0, 0]]),
        Fault::Endless {
            insn: 0,
            limit: 1_000
        }
    );
}

#[test]
fn unknown_helpers_are_named() {
    let call = |id: u8| fault(&[[0x85, 0, 0, 0, id, 0, 0, 0], EXIT]);
    let (name, types) = ("bpf_skb_get_xfrm_state".to_owned(), "sched_cls".to_owned());
    assert_eq!(
        call(66),
        Fault::NotCovered {
            insn: 0,
            name,
            types
        }
    );
    assert_eq!(
        call(250).to_string(),
        "instruction 0: program of type sched_cls cannot use unknown#250; types that have it: none \
         of those with packets"
    );
    // adjust_meta is not for TC
    assert_eq!(
        call(54).to_string(),
        "instruction 0: program of type sched_cls cannot use bpf_xdp_adjust_meta#54; types that \
         have it: xdp"
    );
}

#[test]
fn context_accesses_are_refused_as_the_verifier_does() {
    let say = |code: &[[u8; 8]]| bytecode(code).unwrap().facts().unwrap_err().to_string();
    // r0 = *(u64 *)(r1 + 76)
    assert!(
        say(&[[0x79, 0x10, 76, 0, 0, 0, 0, 0], EXIT])
            .ends_with("instruction 0: invalid bpf_context access off=76 size=8")
    );
    // *(u32 *)(r1 + 76) = 0
    assert!(
        say(&[[0x62, 0x01, 76, 0, 0, 0, 0, 0], EXIT])
            .ends_with("invalid bpf_context access off=76 size=4")
    );
    // mark may be written, but not half of it
    assert!(
        say(&[[0x6a, 0x01, 8, 0, 0, 0, 0, 0], EXIT])
            .ends_with("invalid bpf_context access off=8 size=2")
    );
    // r1 += 4; r0 = *(u32 *)(r1 + 0)
    assert!(
        say(&[
            [0x07, 0x01, 0, 0, 4, 0, 0, 0],
            [0x61, 0x10, 0, 0, 0, 0, 0, 0],
            EXIT
        ])
        .contains("dereference of modified ctx ptr R1 off=4 disallowed")
    );
    // r2 = r1; r3 = *(u32 *)(r1 + 0); if r3 == 0 goto +2; r2 = r10; r2 += -8; r0 = *(u32 *)(r2 + 0)
    assert!(
        say(&[
            [0xbf, 0x12, 0, 0, 0, 0, 0, 0],
            [0x61, 0x13, 0, 0, 0, 0, 0, 0],
            [0x15, 0x03, 2, 0, 0, 0, 0, 0],
            [0xbf, 0xa2, 0, 0, 0, 0, 0, 0],
            [0x07, 0x02, 0, 0, 0xf8, 0xff, 0xff, 0xff],
            [0x61, 0x20, 0, 0, 0, 0, 0, 0],
            EXIT
        ])
        .contains("same insn cannot be used with different pointers")
    );
    // r0 = 0; r0 /= 0
    let zero = [0xb7, 0, 0, 0, 0, 0, 0, 0];
    assert!(say(&[zero, [0x37, 0, 0, 0, 0, 0, 0, 0], EXIT]).ends_with("div by zero"));
}

#[test]
fn a_spilled_context_is_still_the_context() {
    // *(u64 *)(r10 - 8) = r1; r3 = *(u64 *)(r10 - 8); r0 = *(u32 *)(r3 + 140)
    let program = bytecode(&[
        [0x7b, 0x1a, 0xf8, 0xff, 0, 0, 0, 0],
        [0x79, 0xa3, 0xf8, 0xff, 0, 0, 0, 0],
        [0x61, 0x30, 140, 0, 0, 0, 0, 0],
        EXIT,
    ])
    .unwrap();
    assert!(program.facts().unwrap().loads_data_meta);
    let prepared = fix_up(&program, Prologue::default()).unwrap();
    assert_eq!(prepared.listing().lines[2].text, "r0 = *(u64 *)(r3 +72)");
    // Half of it overwritten: *(u32 *)(r10 - 4) = 0 makes it a number.
    let program = bytecode(&[
        [0x7b, 0x1a, 0xf8, 0xff, 0, 0, 0, 0],
        [0x62, 0x0a, 0xfc, 0xff, 0, 0, 0, 0],
        [0x79, 0xa3, 0xf8, 0xff, 0, 0, 0, 0],
        [0x61, 0x30, 140, 0, 0, 0, 0, 0],
        EXIT,
    ])
    .unwrap();
    let refused = program.facts().unwrap_err().to_string();
    assert!(refused.ends_with("instruction 3: R3 invalid mem access 'scalar'"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn mutated_objects_never_panic(
        name in prop::sample::select(vec!["set_tag", "get_tag", "get_tag_dynptr", "w_slice", "functions"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = file(name);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        drive(&bytes);
    }

    #[test]
    fn huge_words_never_panic(
        at in any::<prop::sample::Index>(),
        word in prop::sample::select(vec![u32::MAX, 0x8000_0000, 0x7fff_ffff, 0]),
    ) {
        let mut bytes = file("get_tag");
        let at = at.index(bytes.len() / 4) * 4;
        bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        drive(&bytes);
    }

    #[test]
    fn any_bytecode_ends(words in prop::collection::vec(any::<u64>(), 1..40)) {
        // Opcodes that exist, so that programs get past the decoder now and then.
        const OPS: [u8; 24] = [
            0x07, 0x0f, 0x37, 0x3f, 0x87, 0x97, 0xb7, 0xbf, 0xd4, 0xdc, 0xd7, 0x61, 0x79, 0x71, 0x62,
            0x7b, 0xdb, 0x05, 0x15, 0x2d, 0x55, 0x66, 0x85, 0x95,
        ];
        let mut code: Vec<[u8; 8]> = words
            .iter()
            .map(|w| {
                let b = w.to_le_bytes();
                let off = i16::from(b[2] as i8) / 8;
                let op = OPS[usize::from(b[0]) % OPS.len()];
                let [lo, hi] = off.to_le_bytes();
                let imm = if b[4] & 1 == 0 { b[5] } else { 0 };
                [op, (b[1] & 0x70) | (b[1] & 7), lo, hi, imm, 0, 0, 0]
            })
            .collect();
        code.push(EXIT);
        if let Ok(program) = bytecode(&code)
            && let Ok(prepared) = fix_up_unverified(&program, Prologue::default())
        {
            let _ = run(&prepared, &mut Maps::default(), &mut Packet::new(), Budget(1_000));
        }
    }
}
