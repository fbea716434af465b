//! The programs of the kernel recordings, run on a packet in a byte buffer. Expected values are
//! what the recordings hold, or follow from the C source and the kernel's rules by hand.

mod bpf_host;

use bpf_host::{Packet, exec, object, prepare};
use headroom_core::bpf::{Budget, Facts, Fault, Maps, ProgType, Prologue, fix_up, run};

const NONE: Prologue = Prologue {
    realign: false,
    unclone: false,
};
const REALIGN: Prologue = Prologue {
    realign: true,
    unclone: false,
};
const BOTH: Prologue = Prologue {
    realign: true,
    unclone: true,
};

/// One field of `struct report_rec` (report.h) as a little-endian number.
fn field(record: &[u8], at: usize, len: usize) -> u64 {
    record[at..at + len]
        .iter()
        .rev()
        .fold(0, |n, b| n << 8 | u64::from(*b))
}

fn text(record: &[u8], at: usize) -> &str {
    let bytes = &record[at..at + 24];
    std::str::from_utf8(&bytes[..bytes.iter().position(|b| *b == 0).unwrap_or(24)]).unwrap()
}

#[test]
fn objects_load_as_written() {
    let get_tag = object("get_tag");
    assert_eq!(get_tag.license, "GPL");
    let program = &get_tag.programs[0];
    assert_eq!(
        (program.name.as_str(), program.section.as_str()),
        ("get_tag", "tcx/ingress")
    );
    assert_eq!(program.prog_type, ProgType::SchedCls);
    // 76 slots, three of them second halves of wide loads.
    assert_eq!(program.insns.len(), 73);
    let names: Vec<_> = get_tag.maps.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["report", "cfg", ".rodata"]);
    assert_eq!(get_tag.maps[0].max_entries, 16 << 20);
    assert_eq!(
        (get_tag.maps[1].key_size, get_tag.maps[1].value_size),
        (4, 4)
    );
    assert_eq!(get_tag.maps[1].max_entries, 8);
    assert_eq!(object("set_tag").programs[0].prog_type, ProgType::Xdp);
}

#[test]
fn facts_are_those_of_the_patches() {
    let facts = |name: &str| object(name).programs[0].facts().unwrap();
    let of = |loads_data_meta, writes_packet| Facts {
        loads_data_meta,
        writes_packet,
    };
    assert_eq!(facts("get_tag"), of(true, false));
    assert_eq!(facts("get_meta"), of(true, false));
    assert_eq!(facts("get_tag_dynptr"), of(false, false));
    assert_eq!(facts("w_data_meta"), of(true, true));
    // Its source writes `*data = *data`, which clang leaves out: there is no store in the object.
    assert_eq!(facts("w_packet"), of(false, false));
    assert_eq!(facts("w_slice"), of(false, true));
    // bpf_dynptr_write() is not a direct write.
    assert_eq!(facts("w_dynptr"), of(false, false));
    assert_eq!(facts("set_tag"), of(true, true));
    assert_eq!(facts("xdp_pass"), of(false, false));
}

#[test]
fn listing_of_get_tag_starts_with_the_realign_prologue() {
    let get_tag = object("get_tag");
    let prepared = prepare(&get_tag, REALIGN);
    assert_eq!(prepared.prologue_len(), 3);
    let listing = prepared.listing();
    let texts: Vec<_> = listing.lines.iter().map(|l| l.text.as_str()).collect();
    assert_eq!(
        texts[..4],
        ["r6 = r1", "call bpf_skb_meta_realign", "r1 = r6", "r6 = r1"]
    );
    assert!(listing.lines[..3].iter().all(|l| l.written.is_none()));
    assert_eq!(listing.lines[3].written, Some(0));
    let data_meta = listing
        .lines
        .iter()
        .find(|l| l.text == "r7 = *(u64 *)(r6 +72)")
        .unwrap();
    assert_eq!(
        data_meta.written_text.as_deref(),
        Some("r7 = *(u32 *)(r6 +140)")
    );
    assert_eq!(data_meta.note.as_deref(), Some("ctx->data_meta, rewritten"));
    // get_tag.bpf.c, line 10: `__u32 *tag = (__u32 *)(long)ctx->data_meta;`
    assert_eq!(data_meta.c_line, Some(10));
    let line = listing.source.iter().find(|(n, _)| *n == 10).unwrap();
    assert!(line.1.contains("ctx->data_meta"), "{line:?}");
    assert!(
        listing
            .source_file
            .as_deref()
            .unwrap()
            .ends_with("get_tag.bpf.c")
    );
    // ctx->ifindex is two loads, so the jump over it is one longer: +0x14 as clang wrote it.
    assert!(texts.contains(&"r1 = *(u64 *)(r6 +16)") && texts.contains(&"r1 = *(u32 *)(r1 +224)"));
    let jump = listing
        .lines
        .iter()
        .find(|l| l.text.starts_with("if r2 > r1"))
        .unwrap();
    assert_eq!(jump.written_text.as_deref(), Some("if r2 > r1 goto pc+20"));
    assert_eq!(jump.text, "if r2 > r1 goto pc+21");
}

#[test]
fn listing_with_unclone_is_that_of_patch_16() {
    let program = object("w_data_meta");
    let prepared = prepare(&program, BOTH);
    assert_eq!(prepared.prologue_len(), 13);
    let listing = prepared.listing();
    let texts: Vec<_> = listing.lines[..13]
        .iter()
        .map(|l| l.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "r6 = r1",
            "call bpf_skb_meta_realign",
            "r1 = r6",
            "r6 = *(u8 *)(r1 +126)",
            "w6 &= 1",
            "if r6 == 0x0 goto pc+7",
            "r6 = r1",
            "r2 ^= r2",
            "call bpf_skb_pull_data",
            "if r0 == 0x0 goto pc+2",
            "w0 = 2",
            "exit",
            "r1 = r6",
        ]
    );
    let unclone = Prologue {
        realign: false,
        unclone: true,
    };
    assert_eq!(prepare(&program, unclone).prologue_len(), 10);
    assert_eq!(prepare(&program, NONE).prologue_len(), 0);
    // XDP programs never have a prologue.
    assert_eq!(prepare(&object("set_tag"), BOTH).prologue_len(), 0);
}

#[test]
fn set_tag_then_get_tag_prints_42() {
    let mut packet = Packet::new();
    assert_eq!(exec("set_tag", NONE, &mut packet), Ok(2)); // XDP_PASS
    assert_eq!(packet.meta(), [42, 0, 0, 0]);
    assert_eq!(exec("get_tag", NONE, &mut packet), Ok(0)); // TCX_PASS
    assert_eq!(packet.printk, ["42"]);
    let (map, record) = &packet.records[0];
    assert_eq!((map.as_str(), record.len()), ("report", 336));
    assert_eq!((field(record, 0, 4), field(record, 4, 4)), (2, 7)); // rec, ifindex
    assert_eq!((field(record, 8, 4), field(record, 12, 4)), (1, 4)); // HOW_DATA_META, len
    assert_eq!((text(record, 24), text(record, 48)), ("get_tag", "read"));
    assert_eq!((field(record, 72, 4), field(record, 76, 4)), (4, 42));
}

#[test]
fn get_tag_without_metadata_drops() {
    let mut packet = Packet::new();
    assert_eq!(exec("get_tag", NONE, &mut packet), Ok(2)); // TCX_DROP
    assert!(packet.printk.is_empty());
}

#[test]
fn realign_runs_before_the_program_reads() {
    // Metadata end 8 bytes in front of the frame; the window of data_meta shows other bytes.
    let mut packet = Packet::with_meta(&[0, 0, 8, 0]);
    packet.bytes[244..248].copy_from_slice(&[42, 0, 0, 0]);
    packet.gap = 8;
    assert_eq!(exec("get_tag", REALIGN, &mut packet), Ok(0));
    assert_eq!(
        (packet.calls.as_slice(), packet.printk.as_slice()),
        (&["realign"][..], &["42".to_owned()][..])
    );
    // Without the prologue: 0x00080000.
    let mut packet = Packet::with_meta(&[0, 0, 8, 0]);
    assert_eq!(exec("get_tag", NONE, &mut packet), Ok(0));
    assert_eq!(packet.printk, ["524288"]);
}

#[test]
fn unclone_prologue_pulls_only_clones_and_drops_on_failure() {
    let mut packet = Packet::with_meta(&[42, 0, 0, 0]);
    assert_eq!(exec("w_data_meta", BOTH, &mut packet), Ok(0xffff_ffff)); // TCX_NEXT, w0 = -1
    assert_eq!(packet.calls, ["realign"]);
    assert_eq!(packet.printk, ["w_data_meta: 42 -> 43"]);
    assert_eq!(packet.meta(), [43, 0, 0, 0]);

    let mut packet = Packet::with_meta(&[42, 0, 0, 0]);
    packet.cloned = true;
    assert_eq!(exec("w_data_meta", BOTH, &mut packet), Ok(0xffff_ffff));
    assert_eq!(packet.calls, ["realign", "pull"]);

    let mut packet = Packet::with_meta(&[42, 0, 0, 0]);
    (packet.cloned, packet.pull_fails) = (true, true);
    assert_eq!(exec("w_data_meta", BOTH, &mut packet), Ok(2)); // TC_ACT_SHOT
    assert_eq!(packet.meta(), [42, 0, 0, 0]);
}

#[test]
fn bad_len_prints_what_the_recording_has() {
    let mut packet = Packet::new();
    assert_eq!(exec("bad_len", NONE, &mut packet), Ok(2));
    // printk of golden/E1-veth-badlen-native.*.json
    assert_eq!(
        packet.printk,
        [
            "bad_len: adjust_meta(-3) = -13",
            "bad_len: adjust_meta(-256) = -22",
            "bad_len: adjust_meta(-1000) = -22",
            "bad_len: adjust_meta(4) = -22",
            "bad_len: adjust_meta(-255) = -22",
            "bad_len: adjust_meta(-253) = -22",
            "bad_len: adjust_meta(-8) = 0",
            "bad_len: adjust_meta(4) = 0",
        ]
    );
    let rets: Vec<i64> = packet
        .records
        .iter()
        .map(|(_, r)| field(r, 16, 8) as i64)
        .collect();
    assert_eq!(rets, [-13, -22, -22, -22, -22, -22, 0, 0]);
    assert_eq!(text(&packet.records[1].1, 48), "adjust_meta(-256)");
    assert_eq!(packet.meta().len(), 4);
}

#[test]
fn set_tag216_fills_and_both_readers_agree() {
    let mut packet = Packet::new();
    assert_eq!(exec("set_tag216", NONE, &mut packet), Ok(2));
    let wanted: Vec<u8> = (0..216u32).map(|i| (0x40 + i) as u8).collect();
    assert_eq!(packet.meta(), wanted);
    exec("get_tag_dynptr", NONE, &mut packet).unwrap();
    exec("get_meta", NONE, &mut packet).unwrap();
    // golden/E1-veth-216b-*.json
    assert_eq!(
        packet.printk,
        [
            "set_tag216: adjust_meta(-216) = 0",
            "get_tag_dynptr: ret 0 size 216 value 1128415552",
            "get_meta: 1128415552 (32 or more bytes)",
        ]
    );
    assert_eq!(packet.records[1].1[76..108], wanted[..32]);
}

#[test]
fn dynptr_of_no_metadata_reads_nothing() {
    let mut packet = Packet::new();
    assert_eq!(exec("get_tag_dynptr", NONE, &mut packet), Ok(0xffff_ffff));
    assert_eq!(packet.printk, ["get_tag_dynptr: ret 0 size 0 value 0"]);
}

#[test]
fn dynptr_write_refuses_flags_and_overruns() {
    let mut packet = Packet::with_meta(&[42, 0, 0, 0]);
    exec("w_dynptr", NONE, &mut packet).unwrap();
    let said = |i: usize| {
        (
            text(&packet.records[i].1, 48),
            field(&packet.records[i].1, 16, 8) as i64,
        )
    };
    assert_eq!(said(1), ("dynptr_write flags=1", -22));
    assert_eq!(said(2), ("dynptr_write", 0));
    assert_eq!(said(3), ("dynptr_write off=1", -7));
    assert_eq!(packet.meta(), [43, 0, 0, 0]);
    assert_eq!(packet.printk, ["w_dynptr: 0"]);
}

/// This file's host has no slices: the program is given NULL, as for metadata that are not there.
#[test]
fn without_slices_a_program_gets_null() {
    let mut packet = Packet::with_meta(&[42, 0, 0, 0]);
    assert_eq!(exec("w_slice", NONE, &mut packet), Ok(0xffff_ffff));
    assert_eq!(packet.meta(), [42, 0, 0, 0]);
}

#[test]
fn xdp_helpers_move_head_and_read_the_packet() {
    let mut packet = Packet::new();
    exec("head_after_meta", NONE, &mut packet).unwrap();
    assert_eq!(
        packet.printk,
        [
            "head_after_meta: after -8: 42",
            "head_after_meta: after +8: 42"
        ]
    );
    let mut packet = Packet::new();
    exec("set_tag_seq", NONE, &mut packet).unwrap();
    assert_eq!(packet.meta(), [63, 0, 0, 0]); // the last byte of the frame
}

#[test]
fn every_instruction_is_reported_and_the_run_is_the_same_every_time() {
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let mut packet = Packet::new();
            exec("set_tag", NONE, &mut packet).unwrap();
            packet.insns
        })
        .collect();
    assert_eq!(runs[0], runs[1]);
    let order: Vec<usize> = runs[0].iter().map(|(at, _)| *at).collect();
    assert_eq!(order, (0..15).collect::<Vec<_>>());
    assert_eq!(runs[0][1].1[2], 0xffff_fffc); // w2 = -4
    assert_eq!(runs[0][7].1[1], 0xffff_8881_0123_4000 + 252); // r1 = data_meta
}

#[test]
fn the_budget_ends_a_run() {
    let object = object("set_tag216");
    let mut maps = Maps::new(&object).unwrap();
    let result = run(
        &prepare(&object, NONE),
        &mut maps,
        &mut Packet::new(),
        Budget(100),
    );
    assert!(
        matches!(result, Err(Fault::Endless { limit: 100, .. })),
        "{result:?}"
    );
}

#[test]
fn every_golden_program_loads_and_lists() {
    let folder = format!("{}/tests/programs", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "o") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let object = headroom_core::bpf::load_object("x", &bytes).unwrap();
        for program in &object.programs {
            if matches!(program.prog_type, ProgType::Unknown(_)) {
                continue;
            }
            let prepared = fix_up(program, BOTH).unwrap();
            assert!(prepared.listing().lines.len() >= program.insns.len());
        }
    }
}
