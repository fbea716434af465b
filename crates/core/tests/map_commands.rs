//! `bpftool map update|delete` among the commands of a scenario: what the program finds, and what is said of mistakes.

use headroom_core::bpf::{MapDef, MapKind, Object, ProgType, Program, assemble};
use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{Input, simulate};

const WORLD: &str = "\
ip netns add tx
ip link add rx type veth peer name tx netns tx
ip link set dev rx up
ip -n tx link set dev tx up
bpftool prog loadall mine.o /sys/fs/bpf pinmaps /sys/fs/bpf
bpftool net attach xdp pinned /sys/fs/bpf/count dev rx
";
const SEND: &str = "\norc send tx 0200000000010200000000020800450000140000000040010000 tx\n";

fn object() -> Object {
    let counts = MapDef {
        name: "counts".into(),
        kind: MapKind::Hash,
        key_size: 2,
        value_size: 4,
        max_entries: 2,
        flags: 0,
        initial: Vec::new(),
        programs: Vec::new(),
        entries: Vec::new(),
    };
    let names = ["counts".to_owned()];
    // XDP_PASS is 2; with a value there, it counts up and the verdict is XDP_DROP, 1.
    let text = "*(u16 *)(r10 -2) = 7\nr1 = map[counts]\nr2 = r10\nr2 += -2\ncall 1\nif r0 == 0 goto +5\n\
                r1 = *(u32 *)(r0 +0)\nr1 += 1\n*(u32 *)(r0 +0) = r1\nr0 = 1\nexit\nr0 = 2\nexit";
    let insns = assemble(text, &names).expect("assembler");
    let program = Program {
        name: "count".into(),
        section: "xdp".into(),
        prog_type: ProgType::Xdp,
        file: "mine.o".into(),
        lines: vec![None; insns.len()],
        insns,
        map_names: names.to_vec().into(),
        maps: vec![counts.clone()].into(),
        gpl: true,
    };
    Object {
        name: "mine.o".into(),
        programs: vec![program],
        maps: vec![counts],
        license: "GPL".into(),
    }
}

/// The verdict of the program, and what the map holds afterwards; or the error.
fn go(more: &str) -> Result<(i64, Vec<(Vec<u8>, Vec<u8>)>), String> {
    let parsed = parse(&format!("{WORLD}{more}{SEND}")).expect("commands");
    let mut input = Input::new("maps", parsed, &[]).expect("an input");
    input.objects.push(object());
    let trace = simulate(&input, DesignName::MacHeader).map_err(|error| error.to_string())?;
    let verdict = trace.runs[0].verdict.expect("a verdict");
    Ok((verdict, trace.maps[0].entries.clone()))
}

#[test]
fn programs_see_what_was_put_in() {
    assert_eq!(go("").unwrap(), (2, vec![]));
    let set = "bpftool map update name counts key hex 07 00 value hex 28 00 00 00";
    assert_eq!(go(set).unwrap(), (1, vec![(vec![7, 0], vec![41, 0, 0, 0])]));
    let twice =
        format!("{set}\nbpftool map update pinned /sys/fs/bpf/counts key 7 0 value 5 0 0 0 exist");
    assert_eq!(
        go(&twice).unwrap(),
        (1, vec![(vec![7, 0], vec![6, 0, 0, 0])])
    );
    let gone = format!("{set}\nbpftool map delete name counts key 7 0");
    assert_eq!(go(&gone).unwrap(), (2, vec![]));
}

#[test]
fn mistakes_are_said_as_the_map_says_them() {
    let fails = |more: &str, parts: &[&str]| {
        let message = go(more).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    };
    let set = "bpftool map update name counts key 7 0 value 1 0 0 0";
    fails(
        "bpftool map update name count key 7 0 value 1 0 0 0",
        &["line 7", "no map `count`"],
    );
    fails(
        "bpftool map update name counts key 7 value 1 0 0 0",
        &["line 7", "key of 1 bytes", "2"],
    );
    fails(
        "bpftool map update name counts key 7 0 value 1",
        &["value of 1 bytes", "4"],
    );
    fails(&format!("{set}\n{set} noexist"), &["line 8", "-17"]);
    fails(&format!("{set} exist"), &["-2"]);
    fails("bpftool map delete name counts key 7 0", &["-2"]);
    let third = "bpftool map update name counts key 1 0 value 1 0 0 0\n\
                 bpftool map update name counts key 2 0 value 1 0 0 0\n\
                 bpftool map update name counts key 3 0 value 1 0 0 0";
    fails(third, &["line 9", "-7"]);
    fails(
        "bpftool map update name counts key 7 0 value pinned /sys/fs/bpf/count",
        &["counts"],
    );
}

#[test]
fn two_maps_of_one_name_are_not_told_apart() {
    let parsed = parse(&format!(
        "{WORLD}bpftool map delete name counts key 7 0{SEND}"
    ))
    .expect("commands");
    let mut input = Input::new("maps", parsed, &[]).expect("an input");
    input.objects.extend([object(), object()]);
    let error = simulate(&input, DesignName::MacHeader)
        .unwrap_err()
        .to_string();
    assert!(error.contains("several maps match"), "{error}");
}
