//! Where it says no: one message with its place, exit code 2, nothing on standard output.

use super::*;

#[test]
fn usage_that_is_wrong() {
    assert!(refused(&["walk"]).contains("unrecognized subcommand 'walk'"));
    assert!(refused(&["run", "seed", "--colour"]).contains("unexpected argument '--colour'"));
    assert!(
        refused(&["run", "seed", "--design", "best"]).contains("there are: mac_header, meta_end")
    );
    assert!(
        refused(&["run", "nowhere"])
            .contains("there is no scenario `nowhere` and no file of that name; scenarios: ")
    );
    assert!(refused(&["check", "nowhere.json"]).contains("nowhere.json"));
}

#[test]
fn a_cut_off_scenario_names_line_and_column() {
    let whole = seed_with("{", "{");
    let half = &whole[..whole.len() / 2];
    let file = scratch("cut-off-json", half.as_bytes());
    let message = refused(&["run", &file.display().to_string()]);
    let lines = half.lines().count();
    assert!(
        message.contains(&format!("input.json:{lines}:")),
        "{message}"
    );
}

#[test]
fn an_unknown_option_of_a_command_names_its_place() {
    let file = scratch(
        "bad-option",
        seed_with("# ip link set dev rx up", "# ip link set dev rx upp").as_bytes(),
    );
    let message = refused(&["run", &file.display().to_string()]);
    // behind the prompt "# ", "upp" is the 19th character
    assert!(
        message.contains("Line 3, column 22: `upp`") || message.contains("`upp`"),
        "{message}"
    );
    assert!(message.contains("Line 3, column "), "{message}");
}

#[test]
fn a_bad_hex_packet_names_the_digit() {
    let send = "# orc send tx 0200zz tx";
    let file = scratch(
        "bad-hex",
        seed_with("# ip netns exec tx ping -c1 192.0.2.1", send).as_bytes(),
    );
    let message = refused(&["run", &file.display().to_string()]);
    assert!(message.contains("bad hex at digit 4"), "{message}");
}

#[test]
fn a_command_that_is_not_simulated_is_named() {
    let veth = "# ip link add rx type veth peer name tx netns tx";
    let file = scratch(
        "no-wireguard",
        seed_with(veth, "# ip link add rx type wireguard").as_bytes(),
    );
    let message = refused(&["run", &file.display().to_string()]);
    assert!(message.contains("line 2: `ip link add rx type wireguard`: the simulator has no device of type `wireguard`; it has: veth, gre"), "{message}");
}

#[test]
fn a_cut_off_object_names_file_and_place() {
    let object = fs::read(root().join("content/programs/seed/progs.bpf.o")).expect("an object");
    let file = scratch("cut-off-object", b"");
    let cut = file.with_file_name("cut.bpf.o");
    fs::write(&cut, &object[..object.len() / 2]).expect("a file");
    let message = refused(&["disasm", &cut.display().to_string()]);
    assert!(message.contains("cut.bpf.o"), "{message}");
    // where a header of 64 bytes says that the section headers are (e_shoff)
    let start = u64::from_le_bytes(object[0x28..0x30].try_into().expect("eight bytes"));
    let place = format!("section headers, offset {start:#x}: they end at 0x");
    assert!(message.contains(&place), "{message}");
    let has = format!("and the file has {:#x} bytes", object.len() / 2);
    assert!(message.contains(&has), "{message}");
    fs::write(&cut, &object[..40]).expect("a file");
    let message = refused(&["disasm", &cut.display().to_string()]);
    let place = "ELF header, offset 0x28: an ELF header has 0x40 bytes, and the file has 0x28";
    assert!(message.contains(place), "{message}");
}

/// Bad input: one message with its place, exit code 2, nothing on standard output.
#[test]
fn exec_refuses_bad_input() {
    let exec = |more: &[&str]| refused(&[&["exec", "--packet", FRAME][..], more].concat());
    assert!(
        exec(&["--object", SEED])
            .contains("--program must name one of its programs: set_tag, get_tag")
    );
    assert!(exec(&["--object", SEED, "--program", "x"]).contains("there is no program `x`"));
    assert!(
        exec(&["--object", SEED, "--program", "get_tag", "--hook", "xdp"])
            .contains("is no XDP program")
    );
    assert!(exec(&["--object", "nowhere.o"]).contains("nowhere.o"));
    assert!(exec(&["--hex", "9500"]).contains("--hook"));
    assert!(exec(&["--hook", "xdp"]).contains("--object"));
    assert!(exec(&["--hex", "95x", "--hook", "xdp"]).contains("--hex: line 1, column 3"));
    assert!(
        exec(&[
            "--hex",
            "8d01000000000000 9500000000000000",
            "--hook",
            "xdp"
        ])
        .contains("unknown opcode 8d")
    );
    let exit = [
        "--hex",
        "b700000000000000 9500000000000000",
        "--hook",
        "xdp",
    ];
    let with = |more: &[&str]| refused(&[&["exec"][..], &exit, more].concat());
    assert!(with(&["--packet", "00"]).contains("a packet of 1 bytes"));
    assert!(with(&["--packet", "0x00"]).contains("--packet: line 1, column 2"));
    assert!(with(&["--packet", "nowhere.pcap"]).contains("nowhere.pcap"));
    assert!(with(&["--packet", FRAME, "--meta", "2a"]).contains("metadata of 1 bytes"));
    let object = fs::read(root().join(SEED)).expect("an object");
    let cut = scratch("exec-cut", b"").with_file_name("cut.bpf.o");
    fs::write(&cut, &object[..object.len() / 2]).expect("a file");
    assert!(
        exec(&["--object", &cut.display().to_string()]).contains("cut.bpf.o: not a BPF object")
    );
    let unchecked = "6112000000000000 7120000000000000 9500000000000000";
    assert!(exec(&["--hex", unchecked, "--hook", "xdp"]).contains(
        "instruction 1: invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0); R2 min value is outside of the allowed memory range"
    ));
    let text = scratch("exec-asm", b"r0 = 1\nr0 += r11\nexit\n");
    let message = exec(&["--asm", &text.display().to_string(), "--hook", "xdp"]);
    assert!(
        message.contains("line 2, column 7: expected a register or a number, found `r11`"),
        "{message}"
    );
}

/// A section that is longer than the file, and one that ends in the middle of an instruction.
#[test]
fn a_broken_section_is_named_with_its_offset() {
    let object = fs::read(root().join(SEED)).expect("an object");
    let word = |at: usize| u64::from_le_bytes(object[at..at + 8].try_into().expect("eight bytes"));
    let half = |at: usize| usize::from(u16::from_le_bytes([object[at], object[at + 1]]));
    let half_word = |at: usize| u32::from_le_bytes(object[at..at + 4].try_into().expect("four"));
    // Elf64_Shdr: sh_name 0, sh_offset 24, sh_size 32; names are in the section e_shstrndx
    let header = |index: usize| word(0x28) as usize + index * 64;
    let names = word(header(half(0x3e)) + 24) as usize;
    let is_xdp = |index: &usize| {
        let name = names + half_word(header(*index)) as usize;
        object[name..].starts_with(b"xdp\0")
    };
    let xdp = (0..half(0x3c)).find(is_xdp).expect("a section xdp");
    let with_size = |size: u64| {
        let mut broken = object.clone();
        let at = header(xdp) + 32;
        broken[at..at + 8].copy_from_slice(&size.to_le_bytes());
        let file = scratch("broken-section", b"").with_file_name("broken.bpf.o");
        fs::write(&file, broken).expect("a file");
        refused(&["disasm", &file.display().to_string()])
    };
    let long = with_size(0x10_0000);
    assert!(
        long.contains("broken.bpf.o: section xdp, offset 0x"),
        "{long}"
    );
    let size = word(header(xdp) + 32);
    let odd = with_size(size - 4);
    assert!(
        odd.contains("broken.bpf.o: section xdp, offset 0x"),
        "{odd}"
    );
}

/// Files that are no text: the byte, and where an object belongs.
#[test]
fn what_is_not_text_is_said_with_its_place() {
    let text = scratch("not-text", b"r0 = 2\nr1 = \xff\nexit\n")
        .display()
        .to_string();
    let asm = ["exec", "--packet", FRAME, "--hook", "xdp", "--asm", &text];
    assert!(refused(&asm).contains("byte 12 is not text (UTF-8)\n"));
    let object = refused(&["run", SEED]);
    assert!(
        object.contains("is not text (UTF-8); an ELF object goes to `headroom exec --object`"),
        "{object}"
    );
}

/// Functions in `.text` are no programs; one that is alone is, and its type is to be said (`prog_is_subprog()`,
/// tools/lib/bpf/libbpf.c).
#[test]
fn functions_in_text() {
    let several = "crates/core/tests/programs/text_only.bpf.o";
    for command in [
        &["disasm", several][..],
        &["exec", "--packet", FRAME, "--object", several],
    ] {
        assert!(refused(command).contains("there is no program in it; programs stand in sections"));
    }
    let alone = "crates/core/tests/programs/text_alone.bpf.o";
    let exec = ["exec", "--packet", FRAME, "--object", alone];
    assert!(refused(&exec).contains("program `answer` (section `.text`) needs --hook xdp or"));
    let done = headroom(&[&exec[..], &["--hook", "xdp"]].concat());
    assert!(out(&done).contains("XDP_PASS (2)"), "{}", out(&done));
}

/// A number of a packet belongs to a capture file.
#[test]
fn the_number_of_a_hex_packet() {
    let exec = ["exec", "--packet", FRAME, "--object", SEED, "--program"];
    let message = refused(&[&exec[..], &["set_tag", "--nth", "2"]].concat());
    assert!(message.contains("--nth: packets are counted in a pcap file"));
}

/// Outside of the project a name that is no file is named.
#[test]
fn a_name_where_there_are_no_scenarios() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_headroom"))
        .args(["run", "nowhere"])
        .current_dir("/")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).starts_with("headroom: there is no file `nowhere`, and no `content/"));
}
