//! Functions, data sections, maps, context fields and formats. Expected values are worked out by
//! hand from `programs/functions.bpf.c` and the kernel's rules.

mod bpf_host;

use bpf_host::{Packet, object};
use headroom_core::bpf::insn::{AluOp, Callee, Insn, Operand, Reg, Size, Wide, Width};
use headroom_core::bpf::{
    Budget, Fault, LoadError, MapKind, Maps, ProgType, Program, Prologue, fix_up,
    fix_up_unverified, load_object, run, run_counted,
};

const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];

fn exec(maps: &mut Maps, program: &str, packet: &mut Packet) -> Result<u64, Fault> {
    let object = object("functions");
    let prepared = fix_up(object.program(program).unwrap(), Prologue::default()).unwrap();
    run(&prepared, maps, packet, Budget::default())
}

fn maps() -> Maps {
    Maps::new(&object("functions")).unwrap()
}

#[test]
fn functions_are_called_on_their_own_stack_and_globals_last() {
    let (mut maps, mut packet) = (maps(), Packet::new());
    assert!(maps.set_u32("numbers", 2, 1000));
    // 100 + (5 + 5 + 5 + 5) * 3
    assert_eq!(exec(&mut maps, "functions", &mut packet), Ok(160));
    assert_eq!(maps.get_u32("numbers", 2), Some(1160));
    assert_eq!(maps.get_u32("numbers", 1), Some(160));
    exec(&mut maps, "functions", &mut packet).unwrap();
    assert_eq!(maps.value(".bss", &[0; 4]), Some(&2u64.to_le_bytes()[..]));
    assert_eq!(maps.get_u32(".data", 0), Some(100));
    // No fifth value, no such map.
    assert!(!maps.set_u32("numbers", 4, 0) && !maps.set_u32("none", 0, 0));
}

#[test]
fn what_the_object_holds() {
    let object = object("functions");
    let names: Vec<_> = object.programs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["functions", "hash", "fields", "elsewhere"]);
    assert_eq!(object.license, "Dual MIT/GPL");
    let kind = |name: &str| object.maps.iter().find(|m| m.name == name).unwrap().kind;
    assert_eq!(kind(".rodata"), MapKind::Data { read_only: true });
    assert_eq!(kind(".bss"), MapKind::Data { read_only: false });
    assert_eq!(
        (kind("numbers"), kind("table")),
        (MapKind::Array, MapKind::Hash)
    );
    let elsewhere = object.program("elsewhere").unwrap();
    assert_eq!(elsewhere.prog_type, ProgType::LwtXmit);
    let socket = Program {
        section: "kprobe/x".to_owned(),
        prog_type: ProgType::from_section("kprobe/x"),
        ..elsewhere.clone()
    };
    let error = fix_up(&socket, Prologue::default()).unwrap_err();
    assert!(matches!(&error, LoadError::ProgramType { section, .. } if section == "kprobe/x"));
    assert!(
        error
            .to_string()
            .contains("section kprobe/x names no program type")
    );
}

#[test]
fn a_hash_map_updates_finds_and_deletes() {
    let mut packet = Packet::new();
    assert_eq!(exec(&mut maps(), "hash", &mut packet), Ok(0));
    // -ENOENT; then it is new; then -EEXIST, so the value stays 1; deleted, not found.
    assert_eq!(packet.printk, ["-2 0 -17", "value 1", "0 0"]);
}

#[test]
fn context_fields_and_formats() {
    let mut packet = Packet::new();
    packet.vlan = Some(100);
    exec(&mut maps(), "fields", &mut packet).unwrap();
    assert_eq!(
        packet.printk,
        [
            "len 64 mark 12345678 proto 8",
            "vlan 1 tci 100",
            "high byte 12",
            "text    -3|7   |00ab|z ffffffffffffffff",
        ]
    );
    let listing = fix_up(
        object("functions").program("fields").unwrap(),
        Prologue::default(),
    );
    let listing = listing.unwrap().listing();
    let texts: Vec<_> = listing.lines.iter().map(|l| l.text.as_str()).collect();
    // vlan_present: `r = vlan_all; if r == 0 skip; w = 1`
    let at = texts
        .iter()
        .position(|t| t.ends_with("*(u32 *)(r6 +156)"))
        .unwrap();
    assert!(
        texts[at + 1].ends_with("== 0x0 goto pc+1"),
        "{}",
        texts[at + 1]
    );
    assert!(
        texts[at + 2].ends_with("= 1") && texts[at + 2].starts_with('w'),
        "{}",
        texts[at + 2]
    );
    // ((u8 *)&ctx->mark)[3]: the whole field, shifted down, masked.
    let at = texts
        .iter()
        .rposition(|t| t.ends_with("*(u32 *)(r6 +168)"))
        .unwrap();
    assert!(texts[at + 1].ends_with(">>= 24") && texts[at + 2].ends_with("&= 255"));
}

#[test]
fn costs_are_counted() {
    let object = object("w_data_meta");
    let prologue = Prologue {
        realign: true,
        unclone: true,
    };
    let prepared = fix_up(&object.programs[0], prologue).unwrap();
    let mut packet = Packet::with_meta(&[42, 0, 0, 0]);
    let mut maps = Maps::new(&object).unwrap();
    let (result, stats) = run_counted(&prepared, &mut maps, &mut packet, Budget::default());
    assert!(result.is_ok());
    // Not a clone: three of the realign part, then load, mask, jump.
    assert_eq!(stats.prologue, 6);
    assert_eq!(stats.instructions, packet.insns.len() as u64);
}

/// `MAX_CALL_FRAMES` of Linux 7.2 is 16.
#[test]
fn recursion_ends_at_sixteen_frames() {
    // r0 = r10; call itself
    let code = [
        [0xbf, 0xa0, 0, 0, 0, 0, 0, 0],
        [0x85, 0x10, 0, 0, 0xfe, 0xff, 0xff, 0xff],
        EXIT,
    ];
    let program = Program::from_bytes("p", "xdp", &code.concat()).unwrap();
    let refused = program.facts().unwrap_err().to_string();
    assert!(refused.ends_with("instruction 1: recursive call from () to ()"));
    let prepared = fix_up_unverified(&program, Prologue::default()).unwrap();
    let mut packet = Packet::new();
    let result = run(
        &prepared,
        &mut Maps::default(),
        &mut packet,
        Budget::default(),
    );
    assert!(
        matches!(result, Err(Fault::Instruction { insn: 1, .. })),
        "{result:?}"
    );
    let frames: Vec<u64> = packet.insns.iter().step_by(2).map(|(_, r)| r[0]).collect();
    assert_eq!(frames.len(), 16);
    assert!(frames.windows(2).all(|w| w[0] - w[1] == 512));
}

#[test]
fn a_callee_saves_r6_to_r9() {
    // r6 = 5; call f; r0 += r6; exit; f: r6 = 9; r0 = 1; exit
    let code = [
        [0xb7, 0x06, 0, 0, 5, 0, 0, 0],
        [0x85, 0x10, 0, 0, 2, 0, 0, 0],
        [0x0f, 0x60, 0, 0, 0, 0, 0, 0],
        EXIT,
        [0xb7, 0x06, 0, 0, 9, 0, 0, 0],
        [0xb7, 0x00, 0, 0, 1, 0, 0, 0],
        EXIT,
    ];
    let program = Program::from_bytes("p", "xdp", &code.concat()).unwrap();
    let prepared = fix_up(&program, Prologue::default()).unwrap();
    assert_eq!(prepared.listing().lines[1].text, "call pc+2");
    assert_eq!(
        run(
            &prepared,
            &mut Maps::default(),
            &mut Packet::new(),
            Budget(20)
        ),
        Ok(6)
    );
}

#[test]
fn map_values_end_where_they_end_and_rodata_is_read_only() {
    let object = object("functions");
    let mut maps = Maps::new(&object).unwrap();
    let index = |name: &str| object.maps.iter().position(|m| m.name == name).unwrap();
    let mut access = |map: usize, insn: Insn| {
        let mut program = object.programs[0].clone();
        let value = Wide::MapValue { map, off: 0 };
        program.insns = vec![
            Insn::Alu {
                width: Width::W64,
                op: AluOp::Mov,
                dst: Reg::R0,
                src: Operand::Imm(0),
            },
            Insn::LoadImm {
                dst: Reg::R1,
                value,
            },
            insn,
            Insn::Exit,
        ];
        program.lines = vec![None; 4];
        let prepared = fix_up_unverified(&program, Prologue::default()).unwrap();
        run(&prepared, &mut maps, &mut Packet::new(), Budget(10))
    };
    let load = |off| Insn::Load {
        size: Size::W,
        signed: false,
        dst: Reg::R0,
        base: Reg::R1,
        off,
    };
    let src = Operand::Imm(1);
    let store = Insn::Store {
        size: Size::W,
        base: Reg::R1,
        off: 0,
        src,
    };
    // `numbers`: values of four bytes, eight apart.
    let fault = |off, size| {
        Err(Fault::Access {
            insn: 2,
            what: "map value",
            off,
            size,
        })
    };
    assert_eq!(access(index("numbers"), load(8)), Ok(0));
    assert_eq!(access(index("numbers"), load(2)), fault(2, 4));
    assert_eq!(access(index("numbers"), load(4)), fault(4, 4));
    assert_eq!(access(index(".rodata"), load(0)), Ok(3));
    assert_eq!(access(index(".rodata"), store.clone()), fault(0, 4));
    assert!(access(index(".data"), store).is_ok());
}

#[test]
fn a_new_frame_has_nothing_written() {
    // call f; call g; exit; f: *(u64 *)(r10 - 8) = 1; exit; g: r0 = *(u64 *)(r10 - 8); exit
    let code = [
        [0x85, 0x10, 0, 0, 2, 0, 0, 0],
        [0x85, 0x10, 0, 0, 3, 0, 0, 0],
        EXIT,
        [0x7a, 0x0a, 0xf8, 0xff, 1, 0, 0, 0],
        EXIT,
        [0x79, 0xa0, 0xf8, 0xff, 0, 0, 0, 0],
        EXIT,
    ];
    let program = Program::from_bytes("p", "xdp", &code.concat()).unwrap();
    let prepared = fix_up(&program, Prologue::default()).unwrap();
    let result = run(
        &prepared,
        &mut Maps::default(),
        &mut Packet::new(),
        Budget(20),
    );
    let fault = Fault::Access {
        insn: 5,
        what: "stack",
        off: -8,
        size: 8,
    };
    assert_eq!(result, Err(fault));
}

#[test]
fn a_function_may_load_from_the_context_it_is_given() {
    // r2 = r1; r1 = 0; call f; exit; f: r0 = *(u32 *)(r2 + 0); exit
    let code = [
        [0xbf, 0x12, 0, 0, 0, 0, 0, 0],
        [0xb7, 0x01, 0, 0, 0, 0, 0, 0],
        [0x85, 0x10, 0, 0, 1, 0, 0, 0],
        EXIT,
        [0x61, 0x20, 0, 0, 0, 0, 0, 0],
        EXIT,
    ];
    let program = Program::from_bytes("p", "tc", &code.concat()).unwrap();
    let prepared = fix_up(&program, Prologue::default()).unwrap();
    assert_eq!(prepared.listing().lines[4].text, "r0 = *(u32 *)(r2 +112)");
    assert_eq!(
        run(
            &prepared,
            &mut Maps::default(),
            &mut Packet::new(),
            Budget(20)
        ),
        Ok(64)
    );
}

#[test]
fn a_loop_to_the_first_instruction_does_not_run_the_prologue_again() {
    // r2 += 1; if r2 != 3 goto -2; r0 = r2; exit; r2 is not set, so that Linux would not load it
    let code = [
        [0x07, 0x02, 0, 0, 1, 0, 0, 0],
        [0x55, 0x02, 0xfe, 0xff, 3, 0, 0, 0],
        [0xbf, 0x20, 0, 0, 0, 0, 0, 0],
        EXIT,
    ];
    let program = Program::from_bytes("p", "tc", &code.concat()).unwrap();
    let prologue = Prologue {
        realign: true,
        unclone: false,
    };
    let prepared = fix_up_unverified(&program, prologue).unwrap();
    let mut packet = Packet::new();
    assert_eq!(
        run(&prepared, &mut Maps::default(), &mut packet, Budget(20)),
        Ok(3)
    );
    assert_eq!(packet.calls, ["realign"]);
}

/// A TC program that makes a dynptr of the metadata at r10 - 16 with the flags given, then calls a
/// kernel function or helper with r1..r5 set by `args`, and returns r0.
fn with_dynptr(
    flags: i32,
    args: &[Insn],
    callee: Callee,
    packet: &mut Packet,
) -> Result<u64, Fault> {
    let reg = |n| Reg::new(n).unwrap();
    let mov = |n, src| Insn::Alu {
        width: Width::W64,
        op: AluOp::Mov,
        dst: reg(n),
        src,
    };
    let add = |n, by| Insn::Alu {
        width: Width::W64,
        op: AluOp::Add,
        dst: reg(n),
        src: Operand::Imm(by),
    };
    let mut program = Program::from_bytes("p", "tc", &EXIT).unwrap();
    program.insns = vec![
        mov(2, Operand::Imm(flags)),
        mov(3, Operand::Reg(Reg::FP)),
        add(3, -16),
        Insn::Call(Callee::Kfunc("bpf_dynptr_from_skb_meta".to_owned())),
        mov(1, Operand::Reg(Reg::FP)),
        add(1, -16),
    ];
    program.insns.extend(args.iter().cloned());
    program.insns.extend([Insn::Call(callee), Insn::Exit]);
    program.lines = vec![None; program.insns.len()];
    let prepared = fix_up_unverified(&program, Prologue::default()).unwrap();
    run(&prepared, &mut Maps::default(), packet, Budget(50))
}

#[test]
fn dynptrs_are_null_after_flags_and_cannot_be_made_up() {
    let kfunc = |name: &str| Callee::Kfunc(name.to_owned());
    let mut packet = Packet::with_meta(&[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(
        with_dynptr(0, &[], kfunc("bpf_dynptr_size"), &mut packet),
        Ok(8)
    );
    assert_eq!(
        with_dynptr(0, &[], kfunc("bpf_dynptr_is_null"), &mut packet),
        Ok(0)
    );
    assert_eq!(
        with_dynptr(1, &[], kfunc("bpf_dynptr_is_null"), &mut packet),
        Ok(1)
    );
    assert_eq!(
        with_dynptr(1, &[], kfunc("bpf_dynptr_size"), &mut packet),
        Ok(-22i64 as u64)
    );
    // *(u32 *)(r10 - 8) = 200: a size of the program's own
    let src = Operand::Imm(200);
    let forge = Insn::Store {
        size: Size::W,
        base: Reg::FP,
        off: -8,
        src,
    };
    let result = with_dynptr(0, &[forge], kfunc("bpf_dynptr_size"), &mut packet);
    assert!(
        matches!(result, Err(Fault::Instruction { insn: 7, .. })),
        "{result:?}"
    );
}

/// tests/objects/c/timers.bpf.c: the first run arms a timer for at once, and it fires before the next run of its program,
/// once; its callback cannot cancel it (-35, `-EDEADLK`).
#[test]
fn a_timer_fires_before_the_next_run() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/objects/built/timers.o"
    );
    let object = load_object("timers.o", &std::fs::read(path).unwrap()).unwrap();
    let prepared = fix_up(object.program("arm").unwrap(), Prologue::default()).unwrap();
    for steps in [true, false] {
        let mut maps = Maps::new(&object).unwrap();
        let mut once = || {
            let mut packet = Packet::new();
            packet.steps = steps;
            let r0 = run(&prepared, &mut maps, &mut packet, Budget::default());
            (r0, packet.printk)
        };
        // fired << 8 | key, when there was an element
        assert_eq!(once(), (Ok(0), vec![]));
        assert_eq!(once(), (Ok(1 << 8 | 5), vec!["-35".to_owned()]));
        assert_eq!(once(), (Ok(1 << 8 | 5), vec![]));
    }
    // deleting the element takes its timer away
    let mut maps = Maps::new(&object).unwrap();
    run(&prepared, &mut maps, &mut Packet::new(), Budget::default()).unwrap();
    maps.remove("table", &[5, 0, 0, 0]).unwrap();
    maps.set("table", &[5, 0, 0, 0], &[0; 24]).unwrap();
    let again = run(&prepared, &mut maps, &mut Packet::new(), Budget::default());
    assert_eq!(again, Ok(0));
}
