#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Raw records of `orc` -> recordings of the schema headroom-recording/1.

usage: to_recording.py RAW LIST.json DESIGN KERNEL OUTDIR

LIST.json: [{id, title, setup, objects: {program: its object, where that has another name}}]. One file OUTDIR/<id>.<design>.json each.
"""
import json
import re
import struct
import sys

(C_EXPERIMENT, C_REC, C_CMD, C_PRINTK, C_KMSG, C_TAP, C_FN, C_NETNS, C_SENT, C_DONE, C_REPORT, C_DEV, C_LOG) = range(1, 14)
KIND_SKB, KIND_XDP = 1, 2
# type of service, with the bits of congestion notification, of headers whose identification is looked for
TOSES = {tos + ecn for tos in (0, 0x10, 0x14, 0x1C, 0xB8, 0xC0) for ecn in range(4)}
FN_KFREE, FN_CONSUME = 0xFFF0, 0xFFF1
HEAD = struct.Struct("<IHHQQQQ III IIIII III HHHHHHHHHHH BBBBBB 16s I")
NAMES = ("rec fn edge skb head arg ret kind netns ifindex data tail end len data_len users dataref vlan_all "
         "mac_header network_header transport_header inner_mac_header inner_network_header mac_len protocol "
         "vlan_proto vlan_tci gso_size meta_end cloned pkt_type ip_summed encapsulation meta_len nr_frags dev nbytes").split()
# the end of a packet: what they do inside is not shown
FREEING = {"__kfree_skb", "skb_release_head_state", "skb_release_data", "kfree_skbmem", "sk_skb_reason_drop", "consume_skb"}


def chunks(stream):
    """The chunks of orc, up to the zeros behind them or to one that was cut off."""
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return
        kind, size = struct.unpack("<II", head)
        data = stream.read(size)
        if not kind or len(data) < size:
            return
        yield kind, data


def swap16(value):
    return (value >> 8) | (value & 0xFF) << 8


def signed(value, kind):
    size = int(kind[1:]) * 8
    value &= (1 << size) - 1
    if kind[0] == "i" or size == 64:
        if value >> (size - 1):
            value -= 1 << size
    return value


def csum(header):
    total = sum(struct.unpack(">%dH" % (len(header) // 2), header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Idents:
    """Identifications that the kernel drew: 0xe001 and on, in order of appearance.

    A number is taken for drawn where it stands in the packet's own header, at the network header; from then on it is
    replaced in everything that looks like a header. Metadata that were moved onto what an old header left are not one,
    and a header that is payload before it is a packet's own was sent, in fragments.
    """

    def __init__(self, sent):
        self.sent = {0}
        self.map = {}
        self.ports = {frame[i - 2:i] for frame in sent for i in range(2, len(frame)) if frame[i:i + 2] == b"\x17\xc1"}
        for frame in sent:
            for at in self.headers(frame):
                self.sent.add(struct.unpack_from(">H", frame, at + 4)[0])

    @staticmethod
    def headers(data):
        for at in range(0, len(data) - 19):
            if data[at] == 0x45 and data[at + 12] in (10, 192) and data[at + 16] in (10, 192, 224) \
                    and data[at + 1] in TOSES:
                yield at

    def fix(self, data, own=None):
        """`data` with the numbers replaced. `own`: (network header, where the packet begins and ends), or None if any
        header may be the packet's own."""
        out = None
        for at in self.headers(data):
            ident = struct.unpack_from(">H", data, at + 4)[0]
            if own and ident not in self.map and at != own[0]:
                if own[1] < at < own[2]:
                    self.sent.add(ident)
                continue
            if ident not in self.sent:
                new = self.map.setdefault(ident, 0xE001 + len(self.map))
                out = out or bytearray(data)
                good = csum(bytes(out[at:at + 20])) == 0
                struct.pack_into(">H", out, at + 4, new)
                if good:
                    struct.pack_into(">H", out, at + 10, 0)
                    struct.pack_into(">H", out, at + 10, csum(bytes(out[at:at + 20])))
        for at in self.cut_headers(out or data):
            out = out or bytearray(data)
            self.renumber(out, at)
        for at in self.geneve_ports(out or data):
            out = out or bytearray(data)
            self.quoted(out, at)
            out[at:at + 2] = b"\xe5\xe5"
        return bytes(out) if out else data

    def cut_headers(self, data):
        """Where a header begins whose end was written over: up to its source address it is there, with a number that was
        seen as a packet's own."""
        for at in range(0, len(data) - 13):
            if data[at] == 0x45 and data[at + 1] in TOSES and data[at + 12] in (10, 192) \
                    and data[at + 9] in (1, 4, 6, 17, 41, 47, 115, 137) and data[at + 8] \
                    and struct.unpack_from(">H", data, at + 4)[0] in self.map:
                yield at

    def renumber(self, data, at):
        """The number, and the checksum as it has to be then (RFC 1624)."""
        old, check = struct.unpack_from(">H", data, at + 4)[0], struct.unpack_from(">H", data, at + 10)[0]
        new = self.map[old]
        total = (check ^ 0xFFFF) + (old ^ 0xFFFF) + new
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        struct.pack_into(">H", data, at + 4, new)
        struct.pack_into(">H", data, at + 10, total ^ 0xFFFF)

    @staticmethod
    def quoted(data, at):
        """The checksum of an ICMP error that quotes the UDP header at `at`, as if the port were 0xe5e5 (RFC 1624)."""
        icmp = at - 28
        if icmp < 20 or data[icmp - 11] != 1 or data[icmp - 20] != 0x45 or data[at - 20] != 0x45 or data[icmp] not in (3, 11, 12):
            return
        old, = struct.unpack_from(">H", data, icmp + 2)
        if old:
            total = (old ^ 0xFFFF) + (struct.unpack_from(">H", data, at)[0] ^ 0xFFFF) + 0xE5E5
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            struct.pack_into(">H", data, icmp + 2, total ^ 0xFFFF)

    def geneve_ports(self, data):
        """The source port of geneve, a hash with a random key: in front of port 6081, and not one that was sent."""
        at = data.find(b"\x17\xc1")
        while at >= 2:
            port = bytes(data[at - 2:at])
            # what is inside a geneve header, where the bytes show it
            inside = bytes(data[at + 8:at + 10])
            if inside in (b"", b"\x65\x58", b"\x08\x00", b"\x86\xdd") and port not in self.ports:
                yield at - 2
            at = data.find(b"\x17\xc1", at + 1)


class Experiment:
    def __init__(self, meta, design, kernel, fns):
        self.meta, self.fns = meta, fns
        self.netns, self.rcs, self.sent = {}, {}, []
        self.printk, self.kmsg, self.taps, self.log = b"", b"", [], []
        self.raw, self.whole = [], False
        self.design, self.kernel = design, kernel

    def number(self, table, key, last):
        if key not in table:
            self.counts[last] += 1
            table[key] = self.counts[last]
        return table[key]

    def build(self):
        self.counts = {"skb": 0, "head": 0}
        self.alive, self.heads, self.owner = {}, {}, {}
        sent = [bytes.fromhex(s.split()[2]) for s in self.sent]
        self.idents = Idents(sent)
        self.events, self.reads, self.results, self.stack = [], [], [], []
        self.last_dev = {}
        self.seen = (b"", b"")
        for kind, blob in self.raw:
            if kind == C_REC:
                self.record(blob)
            else:
                self.report(blob)
        return self.document()

    def end(self, ptr):
        number = self.alive.pop(ptr, None)
        head = self.owner.pop(ptr, None)
        if head is not None and head not in self.owner.values():
            self.heads.pop(head, None)
        return number

    def record(self, blob):
        r = dict(zip(NAMES, HEAD.unpack_from(blob)))
        r["dev"] = r["dev"].split(b"\0")[0].decode()
        own = (r["network_header"], r["data"], r["tail"]) if r["kind"] == KIND_SKB else None
        raw = blob[HEAD.size:]
        data = self.idents.fix(raw, own)
        self.seen = (raw, data)
        if r["fn"] in (FN_KFREE, FN_CONSUME):
            name, returns, prog = ("kfree_skb", "consume_skb")[r["fn"] == FN_CONSUME], "v", False
            release = True
        else:
            name, returns, prog = self.fns[r["fn"]]
            release = False
        if name in FREEING and not release:
            if name == "kfree_skbmem":
                self.end(r["arg"])
            return
        netns = self.netns.get(r["netns"])
        noise = not r["dev"] and (release or name.startswith(("skb_", "pskb_"))) and r["arg"] not in self.alive
        if r["kind"] == KIND_SKB and (noise or r["dev"] and netns is None):
            known = r["edge"] == 1 and self.stack and self.stack[-1][0] == name
            if release:
                self.end(r["arg"])
            if known:
                self.stack.pop()
            elif r["edge"] == 0 and not release:
                self.stack.append((name, None, None, None, None))
            return
        if r["kind"] == KIND_XDP and netns is None:
            return
        event = {"stage": name + (":exit" if r["edge"] else ":entry")}
        if prog:
            event["prog"] = True
        entry = None
        if r["edge"] == 1:
            while self.stack and self.stack[-1][0] != name:
                self.stack.pop()
            if not self.stack:
                return
            entry = self.stack.pop()
        gone = False
        if entry and r["kind"] != KIND_XDP:
            if entry[1] is None:
                return
            given, number = entry[1], entry[2]
            if r["arg"] == given and self.alive.get(given) != number or r["kind"] == 0:
                gone = True
        if name == "__dev_queue_xmit" and r["edge"]:
            return
        if gone:
            dev = entry[3]
            if dev:
                event["dev"] = dev
            event.update(kind="result", skb=number, freed=True)
        elif r["kind"] == KIND_XDP:
            event["dev"] = r["dev"]
            if netns != "-":
                event["netns"] = netns
            event["kind"] = "xdp"
            start = max(0, r["tail"] - 64)
            event.update(data_hard_start=0, data_meta=r["tail"], data=r["data"], data_end=r["end"], frame_sz=r["len"],
                         bytes_off=start, bytes=data[start:r["end"]].hex())
            if r["end"] > len(data):
                event["bytes_truncated"] = True
        else:
            if r["dev"]:
                event["dev"] = r["dev"]
                if netns != "-":
                    event["netns"] = netns
            self.snapshot(event, r, data)
        if r["edge"] == 1:
            if returns == "s":
                event["ret_skb"] = self.number(self.alive, r["ret"], "skb") if r["ret"] else None
            elif returns == "p":
                event["ret"] = "pointer" if r["ret"] else 0
            elif returns != "v":
                value = signed(r["ret"], returns)
                event["ret"] = swap16(value) if name == "eth_type_trans" else value
        elif not release:
            self.stack.append((name, r["arg"] if r["kind"] == KIND_SKB else 0, event.get("skb"), r["dev"], (r["netns"], r["ifindex"])))
        if release:
            event["end_of_life"] = True
            if name == "kfree_skb":
                event["drop_reason"] = r["ret"] & 0xFFFFFFFF
            self.end(r["arg"])
        event["seq"] = len(self.events) + 1
        self.events.append(event)

    def snapshot(self, e, r, data):
        number = self.number(self.alive, r["skb"], "skb")
        head = self.number(self.heads, r["head"], "head")
        old = self.owner.get(r["skb"])
        self.owner[r["skb"]] = r["head"]
        if old is not None and old != r["head"] and old not in self.owner.values():
            self.heads.pop(old, None)
        self.last_dev[number] = r["dev"] or self.last_dev.get(number)
        unset = lambda v: None if v == 0xFFFF else v
        e.update(kind="skb", skb=number, head=head, data=r["data"], tail=r["tail"], end=r["end"], len=r["len"],
                 data_len=r["data_len"], head_off=0, mac_header=unset(r["mac_header"]),
                 network_header=unset(r["network_header"]), transport_header=unset(r["transport_header"]),
                 inner_mac_header=unset(r["inner_mac_header"]), inner_network_header=unset(r["inner_network_header"]),
                 mac_len=r["mac_len"], protocol=swap16(r["protocol"]), pkt_type=r["pkt_type"],
                 vlan_present=r["vlan_all"] != 0, vlan_tci=r["vlan_tci"], vlan_proto=swap16(r["vlan_proto"]),
                 encapsulation=bool(r["encapsulation"]), cloned=bool(r["cloned"]), ip_summed=r["ip_summed"],
                 gso_size=r["gso_size"], nr_frags=r["nr_frags"], dataref=r["dataref"] & 0xFFFF, users=r["users"])
        end = r["meta_end"] if self.design == "meta_end" else unset(r["mac_header"])
        low = [r["data"]]
        if e["mac_header"] is not None:
            low.append(e["mac_header"])
        if end is None:
            e["meta"] = None
        else:
            start = end - r["meta_len"]
            if r["meta_len"]:
                low.append(start)
            e["meta"] = {"len": r["meta_len"], "start": start, "end": end, "bytes": data[max(0, start):end].hex() if r["meta_len"] else ""}
        if self.design == "meta_end":
            e["meta_end"] = r["meta_end"]
        off = max(0, min(low) - 64)
        e["bytes_off"], e["bytes"] = off, data[off:r["tail"]].hex()
        if r["tail"] > 2048:
            e["bytes_truncated"] = True

    def report(self, blob):
        _, ifindex, how, length, ret, prog, what, size = struct.unpack_from("<IIIIq24s24sI", blob)
        value = blob[76:76 + size]
        prog, what = (t.split(b"\0")[0].decode() for t in (prog, what))
        at = next((i for i in range(len(self.stack) - 1, -1, -1) if self.stack[i][0] == prog), None)
        if at is None:
            return  # a packet of the machine's own, before the first command that is recorded
        entry = {"program": prog}
        hook = "ingress"
        if at is not None:
            frame, event = self.stack[at], None
            for e in reversed(self.events):
                if e["stage"] == prog + ":entry":
                    event = e
                    break
            entry["dev"] = event["dev"]
            if "netns" in event:
                entry["netns"] = event["netns"]
            # a program of clsact runs inside tcf_classify()
            while at and self.stack[at - 1][0] == "tcf_classify":
                at -= 1
            if event["kind"] == "xdp":
                hook = "xdp"
            elif at and self.stack[at - 1][0] == "__dev_queue_xmit" and self.stack[at - 1][2] == frame[2] \
                    and self.stack[at - 1][4] == frame[4]:
                hook = "egress"
            elif at and self.stack[at - 1][0] in ("dev_hard_start_xmit", "netkit_xmit"):
                words = (c.split() for c in self.meta["setup"])
                hook = next(("netkit/" + w[4] for w in words if w[:3] == ["orc", "netkit", prog]), hook)
        entry.update(hook=hook, after_seq=len(self.events))
        value = self.as_seen(value)
        if how in (1, 2):
            entry.update(how=("data_meta", "dynptr")[how - 1], len=length, value=value.hex(), ret=ret)
            if length > size and size:
                pass
            self.reads.append(entry)
        else:
            entry.update(helper=what, ret=7 if what == "redirect" and ret == 7 else ret)
            self.results.append(entry)

    def as_seen(self, value):
        """What a program read, with the numbers replaced as in the bytes of the event before."""
        raw, data = self.seen
        at = raw.find(value) if len(value) >= 4 and any(value) else -1
        return data[at:at + len(value)] if at >= 0 else value

    def warnings(self):
        text = self.kmsg.decode(errors="replace")
        lines = []
        for line in text.split("\n"):
            m = re.match(r"(\d+),\d+,\d+,[^;]*;(.*)", line)
            if m and int(m.group(1)) & 7 <= 4:
                lines.append(m.group(2))
        out = []
        for line in lines:
            # `WARNING: file:line at function+0x.., CPU#0: task/pid`, and before 6.16 the processor first
            m = re.match(r"WARNING: (?:CPU: \d+ PID: \d+ at )?(?:\./)?(\S+:\d+)(?: at)? (\w+)", line)
            if m:
                line = "WARNING: %s %s" % m.groups()
            if "cut here" in line or line.startswith((" ", "Modules linked", "CPU:", "Hardware", "RIP", "Code", "RSP", "RAX", "RDX", "RBP", "R10", "R13", "FS:", "CS:", "CR2", "Call Trace", "---[", "<", "DR0", "DR3", "Tainted", "PKRU")):
                continue
            if not line.startswith("clocksource: "):  # the host was busy; says nothing about packets
                out.append(line)
        return out

    def document(self):
        setup = self.meta["setup"]
        doc = {"schema": "headroom-recording/1", "id": self.meta["id"], "title": self.meta["title"],
               "design": self.design, "kernel": self.kernel}
        xdp = [c.split()[4] for c in setup if c.startswith("orc xdp")]
        doc["xdp_mode"] = xdp[0] if xdp else "none"
        doc["setup"] = setup
        failed = [{"command": i, "rc": rc} for i, rc in sorted(self.rcs.items()) if rc]
        if failed:
            doc["setup_failed"] = failed[0] if len(failed) == 1 else failed
        # the object of a program has its name, unless the list of experiments says otherwise
        stem = lambda name: self.meta.get("objects", {}).get(name, name) + ".bpf.c"
        doc["programs"] = {}
        for c in setup:
            w = c.split()
            if w[:2] in (["orc", "xdp"], ["orc", "tcx"], ["orc", "netkit"], ["orc", "nf"]):
                doc["programs"].setdefault(w[2], stem(w[2]))
            if w[:2] == ["orc", "sock"] and "filter" in w:
                doc["programs"].setdefault(w[w.index("filter") + 1], stem(w[w.index("filter") + 1]))
            for name in re.findall(r"pinned /sys/fs/bpf/(\w+)", c):
                doc["programs"].setdefault(name, stem(name))
        m = re.search(r"/progs/(\S+)\.bpf\.o", " ".join(setup))
        if m:
            doc["programs"].setdefault(m.group(1), m.group(1) + ".bpf.c")
        doc["traced"] = sorted({name for name, _, prog in self.fns.values() if not prog})
        doc["packets"] = []
        for s in self.sent:
            dev, netns, text = s.split()
            doc["packets"].append({"dev": dev, "hex": text} | ({} if netns == "-" else {"netns": netns}))
        text = self.printk.decode(errors="replace")
        doc["printk"] = [l.split("bpf_trace_printk: ", 1)[1].rstrip() for l in text.split("\n") if "bpf_trace_printk: " in l]
        doc["warnings"] = self.warnings()
        doc["reads"] = self.reads
        if self.results:
            doc["helper_results"] = self.results
        if self.taps:
            doc["taps"] = []
            for t in self.taps:
                dev, netns, text = t.split()
                text = self.idents.fix(bytes.fromhex(text)).hex()
                doc["taps"].append({"dev": dev, "hex": text} | ({} if netns == "-" else {"netns": netns}))
        doc["events"] = self.events
        return doc


ALWAYS = ["seq", "stage", "prog", "dev", "netns", "kind", "skb", "ret", "ret_skb", "end_of_life", "drop_reason", "freed"]


def compact(events):
    """`as` and `bytes_same_as`: each event against the one before it of the same kind and packet."""
    last, out = {}, []
    for e in events:
        head = {k: e[k] for k in ALWAYS if k in e}
        body = {k: v for k, v in e.items() if k not in ALWAYS}
        key = (e["kind"], e.get("skb"))
        if body and key in last:
            n, before = last[key]
            if set(before) <= set(body):
                head["as"] = n
                same = {k: v for k, v in body.items() if before.get(k, before) != v}
                if "bytes" in same or "bytes_off" in same:
                    same["bytes_off"], same["bytes"] = body["bytes_off"], body["bytes"]
                head.update(same)
            else:
                head.update(body)
        else:
            head.update(body)
        if body:
            last[key] = (e["seq"], body)
        out.append(head)
    return out


def main():
    raw, listing, design, kernel, outdir = sys.argv[1:6]
    metas = {m["id"]: m for m in json.load(open(listing))}
    fns, here = {}, None
    done = []
    for kind, blob in chunks(open(raw, "rb")):
        if kind == C_FN:
            n, name, ret, prog = blob.decode().split()
            fns[int(n)] = (name, ret, prog == "1")
        elif kind == C_EXPERIMENT:
            here = Experiment(metas[blob.decode()[1:]], design, kernel, dict(fns))
            done.append(here)
        elif here is None:
            pass
        elif kind in (C_REC, C_REPORT):
            here.raw.append((kind, blob))
        elif kind == C_CMD:
            n, rc = blob.split()
            here.rcs[int(n)] = int(rc)
        elif kind == C_NETNS:
            inum, name = blob.decode().split()
            here.netns[int(inum)] = name
        elif kind == C_SENT:
            here.sent.append(blob.decode())
        elif kind == C_PRINTK:
            here.printk += blob
        elif kind == C_KMSG:
            here.kmsg += blob
        elif kind == C_TAP:
            here.taps.append(blob.decode())
        elif kind == C_LOG:
            here.log.append(blob.decode())
        elif kind == C_DONE:
            here.whole = True
        if kind == C_FN and here:
            here.fns = dict(here.fns)
            n, name, ret, prog = blob.decode().split()
            here.fns[int(n)] = (name, ret, prog == "1")
    for x in done:
        if not x.whole:
            print(x.meta["id"], "was cut off")
            continue
        doc = x.build()
        doc["events"] = compact(doc["events"])
        with open("%s/%s.%s.json" % (outdir, x.meta["id"], design), "w") as f:
            head = {k: v for k, v in doc.items() if k != "events"}
            text = json.dumps(head, indent=1)[:-2]
            # a list of names takes one line
            text = re.sub(r'"traced": \[[^]]*\]', lambda it: " ".join(it.group(0).split()), text)
            f.write(text + ',\n "events": [\n' + ",\n".join("  " + json.dumps(e, separators=(",", ":")) for e in doc["events"]) + "\n ]\n}\n")
        if x.log or doc.get("setup_failed") or doc["warnings"]:
            print(x.meta["id"], [setup_text(doc, f) for f in ([doc["setup_failed"]] if isinstance(doc.get("setup_failed"), dict) else doc.get("setup_failed", []))],
                  [l.strip()[:200] for l in x.log], doc["warnings"][:3])


def setup_text(doc, failed):
    return "%s -> %d" % (doc["setup"][failed["command"]][:120], failed["rc"])


main()
