//! `bpf_xdp_metadata_rx_*()` of programs that `bpftool prog load … xdpmeta_dev DEV` loads for one device. What is expected is
//! read in net/core/xdp.c, net/core/dev.c, kernel/bpf/offload.c, kernel/bpf/core.c and the drivers' `xdp_metadata_ops`.

use std::sync::Arc;

use headroom_core::bpf::{MapDef, MapKind, Object, Program, assemble};
use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{Input, Partial, simulate_partial};

const WIRE: &str = "\
ip netns add far
ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns far
ip link set rx up
ip -n far link set tx up
";
/// Ethernet.
const ETH: &str = "0200000000010200000000020800";
/// IPv4 10.0.0.1 → 10.0.0.2, UDP 1000 → 2000.
const UDP: &str = "45000020000100004011 66ca0a0000010a000002 03e807d0000c000001020304";
/// The same as the first of two fragments.
const FIRST_FRAGMENT: &str = "45000020000120004011 46ca0a0000010a000002 03e807d0000c000001020304";
/// An echo request between them.
const ECHO: &str = "4500001c00010000400166de0a0000010a000002 0800f7ff00000000";
/// UDP in IP.
const IPIP: &str = "450000340001000040046 6c30a0000010a00000245000020000100004011 66ca0a0000010a000002 03e807d0000c000001020304";
/// UDP 1000 → 2000 over IPv6, and with flow label 1.
const UDP6: &str = "6000000000081140 20010db8000000000000000000000001 20010db8000000000000000000000002 03e807d000080000";
const LABEL6: &str =
    "60000001 00003b40 20010db8000000000000000000000001 20010db8000000000000000000000002";

/// The verdict is the error, or 1000 and the time.
const TIMESTAMP: &str = "\
*(u64 *)(r10 -8) = 77
r2 = r10
r2 += -8
call bpf_xdp_metadata_rx_timestamp
if r0 != 0 goto out
r0 = *(u64 *)(r10 -8)
r0 += 1000
out: exit
";
/// The verdict is the error, or the hash.
const HASH: &str = "\
*(u64 *)(r10 -8) = 0
r2 = r10
r2 += -8
r3 = r10
r3 += -4
call bpf_xdp_metadata_rx_hash
if r0 != 0 goto out
r0 = *(u32 *)(r10 -8)
out: exit
";
/// The verdict is the error, or the type of the hash.
const RSS_TYPE: &str = "\
*(u64 *)(r10 -8) = -1
r2 = r10
r2 += -8
r3 = r10
r3 += -4
call bpf_xdp_metadata_rx_hash
if r0 != 0 goto out
r0 = *(u32 *)(r10 -4)
out: exit
";
/// The verdict is protocol and tag, which are 0x5555 before the call, and the error's lowest byte.
const VLAN: &str = "\
r6 = 0x55555555
*(u32 *)(r10 -4) = r6
r2 = r10
r2 += -4
r3 = r10
r3 += -2
call bpf_xdp_metadata_rx_vlan_tag
r0 &= 0xff
r1 = *(u8 *)(r10 -2)
r1 <<= 8
r0 |= r1
r1 = *(u16 *)(r10 -4)
r1 <<= 16
r0 |= r1
exit
";
/// Sends the packet to device 3.
const REDIRECT: &str = "r1 = 3\nr2 = 0\ncall bpf_redirect\nexit\n";

/// An object with a map of programs, which its one program `main` calls into after the hash.
fn with_map(content: Vec<(u32, String)>) -> Object {
    let calls = MapDef {
        name: "calls".into(),
        kind: MapKind::ProgArray,
        key_size: 4,
        value_size: 4,
        max_entries: 1,
        flags: 0,
        initial: Vec::new(),
        programs: content,
        entries: Vec::new(),
        details: Default::default(),
    };
    let tail_call =
        "out: r7 = r0\nr1 = r6\nr2 = map[calls]\nr3 = 0\ncall bpf_tail_call\nr0 = r7\nexit\n";
    let text = format!("r6 = r1\n{HASH}").replace("out: exit\n", tail_call);
    let insns = assemble(&text, &["calls".to_owned()]).expect("a program");
    let main = Program {
        lines: vec![None; insns.len()],
        insns,
        map_names: Arc::from(["calls".to_owned()]),
        maps: Arc::from([calls.clone()]),
        ..Program::from_asm("main", "xdp", "exit\n").expect("a program")
    };
    Object {
        name: "calls.bpf.o".into(),
        programs: vec![main],
        maps: vec![calls],
        license: "GPL".into(),
    }
}

/// bpf_prog_map_compatible(): a program that is loaded for one device is put into no map of programs, but may have one.
#[test]
fn a_bound_program_in_a_map() {
    let load = "bpftool prog load calls.bpf.o /sys/fs/bpf/m xdpmeta_dev rx\n";
    let attach = "bpftool net attach xdp pinned /sys/fs/bpf/m dev rx\n";
    let go = |content| {
        let text = [WIRE, load, attach, &send(UDP)].concat();
        let mut input = Input::new("test", parse(&text).expect("commands"), &[]).expect("an input");
        input.objects.push(with_map(content));
        simulate_partial(&input, DesignName::MacHeader)
    };
    let told = go(vec![(0, "main".into())]).error.expect("refused");
    let refused = "map calls: error -22: `main` was loaded for one device";
    assert!(told.to_string().contains(refused), "{told}");
    let partial = go(Vec::new());
    assert_eq!(partial.error, None);
    assert_eq!(partial.trace.runs[0].verdict, Some(i64::from(UDP_HASH)));
}

fn run(text: &str) -> Partial {
    let object = |(name, program): (&str, &str)| (format!("{name}.xdp.s"), program.into());
    let objects = [
        ("timestamp", TIMESTAMP),
        ("hash", HASH),
        ("rss_type", RSS_TYPE),
        ("vlan", VLAN),
        ("away", REDIRECT),
    ]
    .map(object);
    let parsed = parse(text).unwrap_or_else(|error| panic!("{error}"));
    let input = Input::new("test", parsed, &objects).expect("an input");
    simulate_partial(&input, DesignName::MacHeader)
}

/// The verdicts of a program, as the 32-bit numbers that they are.
fn verdicts(text: &str, program: &str) -> Vec<i32> {
    let partial = run(text);
    assert_eq!(partial.error, None, "{text}");
    let runs = partial.trace.runs.iter();
    let of = runs.filter(|run| run.program == program);
    of.map(|run| run.verdict.expect("it ended") as i32)
        .collect()
}

fn error(text: &str) -> String {
    let error = run(text).error;
    error
        .unwrap_or_else(|| panic!("no error: {text}"))
        .to_string()
}

/// The commands that load a program for a device and attach it there.
fn bound(program: &str, dev: &str) -> String {
    format!(
        "bpftool prog load {program}.xdp.s /sys/fs/bpf/p_{program} type xdp xdpmeta_dev {dev}\n\
         bpftool net attach xdp pinned /sys/fs/bpf/p_{program} dev {dev}\n"
    )
}

fn send(packet: &str) -> String {
    let packet = packet.replace(' ', "");
    let eth = match packet.starts_with('6') {
        true => ETH.replace("0800", "86dd"),
        false => ETH.into(),
    };
    format!("orc send tx {eth}{packet} far\n")
}

fn on_veth(program: &str, packet: &str) -> i32 {
    let text = [WIRE, &bound(program, "rx"), &send(packet)].concat();
    let verdicts = verdicts(&text, program);
    assert_eq!(verdicts.len(), 1, "{text}");
    verdicts[0]
}

/// veth_xdp_rx_timestamp(): `skb_hwtstamps()`, which nobody has set.
#[test]
fn veth_has_a_time_stamp_of_zero() {
    assert_eq!(on_veth("timestamp", UDP), 1000);
}

/// veth_xdp_rx_hash(): `skb_get_hash()`, a made-up number (decision 0009): FNV-1a over addresses, protocol and ports.
#[test]
fn veth_has_the_hash_of_the_packet() {
    // by hand: 10.0.0.1, 10.0.0.2, 17, 1000, 2000
    assert_eq!(on_veth("hash", UDP) as u32, UDP_HASH);
    let types = [
        (UDP, 8),
        (FIRST_FRAGMENT, 0),
        (ECHO, 0),
        (UDP6, 8),
        (LABEL6, 8),
    ];
    for (packet, rss_type) in types {
        assert_eq!(on_veth("rss_type", packet), rss_type, "{packet}");
    }
    let text = [WIRE, &bound("rss_type", "rx"), &send(IPIP)].concat();
    assert!(error(&text).contains("not covered: veth_xdp_rx_hash"));
}

const UDP_HASH: u32 = 0xe34f_c467;

/// veth_xdp_rx_vlan_tag(): of the tag that stands beside the packet; without one the tag is cleared, the protocol not.
#[test]
fn veth_has_the_tag_beside_the_packet() {
    // -ENODATA is 0xc3 in its lowest byte
    assert_eq!(on_veth("vlan", UDP) as u32, 0x5555_00c3);
    let text = format!(
        "{WIRE}ip -n far link add link tx name tx7 type vlan id 7\nip -n far link set tx7 up\n{}{}",
        bound("vlan", "rx"),
        send(UDP).replace("send tx ", "send tx7 ")
    );
    // htons(ETH_P_8021Q) is 0x0081 to a little-endian program
    assert_eq!(verdicts(&text, "vlan"), [0x0081_0700]);
    // a tag in the packet is none beside it
    let tagged = format!("orc send tx 020000000001020000000002 81000007 0800{UDP} far\n");
    let text = [
        WIRE,
        &bound("vlan", "rx"),
        &tagged
            .replace("02 81", "0281")
            .replace("07 08", "0708")
            .replace("4011 66", "401166")
            .replace("02 03", "0203"),
    ]
    .concat();
    assert_eq!(verdicts(&text, "vlan"), [0x5555_00c3]);
}

/// veth_xdp_rcv_one(): a frame that came by `ndo_xdp_xmit` has no skb: -ENODATA, and nothing is written.
#[test]
fn a_frame_has_nothing() {
    let second = "ip link add v0 type veth peer name v1 netns far\nip link set v0 up\nip -n far link set v1 up\n";
    let away = "bpftool net attach xdp pinned /sys/fs/bpf/away dev rx\n";
    for (program, verdict) in [("timestamp", -61), ("hash", -61), ("vlan", 0x5555_55c3)] {
        let load = bound(program, "v1").replace("bpftool", "ip netns exec far bpftool");
        let text = [WIRE, second, &load, away, &send(UDP)].concat();
        assert_eq!(verdicts(&text, program), [verdict], "{program}");
    }
}

/// A driver with `ndo_bpf()` and without `xdp_metadata_ops`: the functions themselves answer (net/core/xdp.c). What the cards
/// have: `xdp_metadata_ops` in their drivers.
#[test]
fn drivers() {
    let card = |driver: &str, program: &str| {
        format!(
            "nic add eth0 driver {driver} address 02:00:00:00:00:01\nip link set eth0 up\n{}nic rx eth0 {ETH}{}\n",
            bound(program, "eth0"),
            UDP.replace(' ', "")
        )
    };
    for (driver, timestamp, vlan) in [
        ("i40e", -95, 0x5555_55a1),
        ("igb", -95, 0x5555_55a1),
        ("ixgbe-zc", -95, 0x5555_55a1),
        ("nfp", -95, 0x5555_55a1),
        ("otx2", -95, 0x5555_55a1),
        ("bnxt", -95, 0x5555_55a1),
        ("igc-zc", -61, 0x5555_55a1),
        ("mlx5", -61, 0x5555_55c3),
    ] {
        assert_eq!(
            verdicts(&card(driver, "timestamp"), "timestamp"),
            [timestamp],
            "{driver}"
        );
        assert_eq!(verdicts(&card(driver, "vlan"), "vlan"), [vlan], "{driver}");
    }
    for driver in ["i40e", "igb-zc", "ixgbe", "nfp-zc", "otx2"] {
        assert_eq!(verdicts(&card(driver, "hash"), "hash"), [-95], "{driver}");
    }
    for driver in ["igc", "mlx5-zc", "bnxt"] {
        let told = error(&card(driver, "hash"));
        assert!(told.contains("the hash that the card of"), "{told}");
    }
    assert!(error(&card("xsk", "timestamp")).contains("the driver of xsk is not said"));
    let tap = format!(
        "ip tuntap add dev tap0 mode tap\nip link set tap0 up\n{}orc tun tap0 {ETH}{}\n",
        bound("hash", "tap0"),
        UDP.replace(' ', "")
    );
    assert_eq!(verdicts(&tap, "hash"), [-95]);
}

/// What Linux refuses, in its words where it has any.
#[test]
fn refusals() {
    let attach = |place: &str, name: &str, dev: &str| {
        format!("bpftool net attach {place} pinned /sys/fs/bpf/{name} dev {dev}\n")
    };
    let load =
        |dev: &str| format!("bpftool prog load hash.xdp.s /sys/fs/bpf/p_hash xdpmeta_dev {dev}\n");
    let other = "ip link add v0 type veth peer name v1\nip link add br0 type bridge\nip link add nk0 type netkit peer name nk1\n";
    for (commands, told) in [
        // bpf_dev_bound_kfunc_check(): not loaded for a device, by this command or that
        (
            attach("xdp", "hash", "rx"),
            "metadata kfuncs require device-bound program",
        ),
        (
            "bpftool prog load hash.xdp.s /sys/fs/bpf/p_hash\n".into(),
            "line 8: `bpftool prog load hash.xdp.s /sys/fs/bpf/p_hash`: hash.xdp.s",
        ),
        (
            "bpftool prog loadall hash.xdp.s /sys/fs/bpf type xdp\n".into(),
            "metadata kfuncs require device-bound program",
        ),
        // dev_xdp_install(), in its order
        (
            load("v0") + &attach("xdp", "p_hash", "rx"),
            "Program bound to different device",
        ),
        (
            load("v0") + &attach("xdpgeneric", "p_hash", "rx"),
            "Program bound to different device",
        ),
        (
            load("rx") + &attach("xdpgeneric", "p_hash", "rx"),
            "Can't attach device-bound programs in generic mode",
        ),
        // bpf_dev_offload_check()
        (
            load("br0"),
            "the driver of br0 has no XDP, so Linux answers *Operation not supported*",
        ),
        (load("no"), "no"),
        // netkit_xsk(): it can be loaded for netkit, and not attached there
        (
            load("nk0") + &attach("xdp", "p_hash", "nk0"),
            "netkit takes AF_XDP alone",
        ),
        // bpf_obj_pin()
        (
            "bpftool prog load away.xdp.s /sys/fs/bpf/p_hash\n".to_owned() + &load("rx"),
            "there is a pin /sys/fs/bpf/p_hash already",
        ),
        (
            "bpftool prog load away.xdp.s /sys/fs/bpf/x/p_hash\n".to_owned() + &load("rx"),
            "not covered: two pins of one name in different directories",
        ),
        (
            load("rx") + &load("v0"),
            "not covered: an object that is loaded twice (hash.xdp.s)",
        ),
        (
            "bpftool prog load none.o /sys/fs/bpf/none\n".into(),
            "there is no object file `none.o`",
        ),
        // an object is not there before its command runs
        (
            attach("xdp", "hash", "rx") + &load("rx"),
            "there is no program `hash`",
        ),
        (
            load("rx").replace("xdpmeta", "offload"),
            "not covered: bpftool prog load … offload_dev",
        ),
    ] {
        let error = error(&[WIRE, other, &commands].concat());
        assert!(error.contains(told), "{commands}{error}");
    }
    let twice = parse("bpftool prog load a.o /p type xdp type xdp").expect_err("twice");
    assert_eq!((twice.column, twice.word.as_str()), (35, "type"));
    let no_type = parse("bpftool prog load a.o /p type xpd").expect_err("no type");
    assert_eq!((no_type.column, no_type.word.as_str()), (31, "xpd"));
    let no_path = parse("bpftool prog load a.o").expect_err("no path");
    assert!(
        no_path.to_string().contains("a path in a BPF file system"),
        "{no_path}"
    );
}

/// `loadall` with a device: every XDP program of the object is for it, and is pinned under its name.
#[test]
fn loadall_binds_too() {
    let text = [
        WIRE,
        "bpftool prog loadall hash.xdp.s /sys/fs/bpf xdpm rx\n",
        "bpftool net attach xdpdrv pinned /sys/fs/bpf/hash dev rx\n",
        &send(UDP),
    ];
    assert_eq!(verdicts(&text.concat(), "hash")[0] as u32, UDP_HASH);
}
