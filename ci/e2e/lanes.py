#!/usr/bin/env python3
"""A damaged record through `crossfade check`: inconclusive (98) or refused (104), with the place named; never a pass, never a
conviction of anybody, never a crash."""
import os
import random
import shutil
import struct
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

HEADER, BLOCK, EVENT, KIND = 512, 16, 64, 60   # bytes; where an event has its kind
RUN_ID = 24 + 32                               # where the header has its run
EVENTS = 1                                     # `what` of a block
INCONCLUSIVE, BAD = 98, 104
kept = {}


def recorded():
    """A run that passes, once for all cases."""
    if "run" not in kept:
        folder = os.path.join(tempfile.mkdtemp(), "run")
        code, out, err = lib.run(["run", "scenarios/demo.yaml", "-e", "REDIS_P99=2s", "-e", "TURN_P95=20s", "--dir", folder],
                                 timeout=180)
        assert code == 0, f"the run to be damaged: exit {code}\n{out[-2000:]}\n{err[-1000:]}"
        code, out, err = lib.run(["check", folder])
        assert code == 0, f"the run to be damaged, judged again: exit {code}\n{out[-2000:]}{err}"
        kept["run"] = folder
    return kept["run"]


def lanes():
    return sorted(name for name in os.listdir(recorded()) if name.endswith(".lane"))


def contents(name):
    with open(os.path.join(recorded(), name), "rb") as f:
        return f.read()


def blocks(data):
    """(offset, what, count) of each block"""
    at, found = HEADER, []
    while at < len(data):
        length, _, what, count = struct.unpack_from("=IIII", data, at)
        found.append((at, what, count))
        at += BLOCK + length
    return found


def sealed(data, at):
    """The block's CRC put right after a change in it."""
    length = struct.unpack_from("=I", data, at)[0]
    struct.pack_into("=I", data, at + 4, zlib.crc32(data[at + 8:at + BLOCK + length]))
    return data


def judged(what, *parts, files, codes=(INCONCLUSIVE, BAD)):
    """check of a copy with these files (None: deleted) ends with one of the codes and names all parts."""
    folder = os.path.join(tempfile.mkdtemp(), "run")
    shutil.copytree(recorded(), folder)
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.unlink(path)
        if data is not None:
            with open(path, "wb") as f:
                f.write(data)
    code, out, err = lib.run(["check", folder])
    assert code in codes, f"{what}: exit {code}, not {codes}\n{out[-1500:]}\n{err[-500:]}"
    for part in parts:
        assert part in out + err, f"{what}: {part!r} is not in\n{out[-1500:]}\n{err[-500:]}"
    shutil.rmtree(os.path.dirname(folder))


def whole():
    """undamaged, the record is a pass: what follows is the damage's doing"""
    recorded()


def cut_between_blocks():
    """each lane, cut at every edge of a block (at most 12 of them, first and last included)"""
    for name in lanes():
        data = contents(name)
        edges = [at for at, _, _ in blocks(data)]
        for at in sorted({edges[i * (len(edges) - 1) // 11] for i in range(12)}):
            judged(f"{name} cut at {at}", name, files={name: data[:at]})


def cut_anywhere():
    """each lane, cut at random bytes, some of them in its header"""
    dice = random.Random(1)
    for name in lanes():
        data = contents(name)
        for at in [0, 1, HEADER - 1] + [dice.randrange(HEADER, len(data)) for _ in range(6)]:
            judged(f"{name} cut at {at}", name, files={name: data[:at]})


def flipped_anywhere():
    """each lane, with a bit flipped at random places"""
    dice = random.Random(2)
    for name in lanes():
        for at in [dice.randrange(HEADER) for _ in range(2)] + [dice.randrange(HEADER, len(contents(name))) for _ in range(6)]:
            data = bytearray(contents(name))
            data[at] ^= 1 << dice.randrange(8)
            judged(f"{name} flipped at {at}", name, files={name: data})


def without_a_block():
    """each lane, with one block taken out of it (at most 12 of them, the first and the last included)"""
    for name in lanes():
        data = contents(name)
        found = blocks(data)
        for i in sorted({i * (len(found) - 1) // 11 for i in range(12)}):
            begin = found[i][0]
            end = found[i + 1][0] if i + 1 < len(found) else len(data)
            judged(f"{name} without its block at {begin}", name, files={name: data[:begin] + data[end:]})


def unknown_kind():
    """an event of a kind this program does not know, in a block that is otherwise sound"""
    for name in lanes():
        data = bytearray(contents(name))
        at = next(at for at, what, _ in blocks(data) if what == EVENTS)
        data[at + BLOCK + KIND] = 200
        judged(f"{name} with an event of kind 200", name, "200", files={name: sealed(data, at)})


def lanes_of_two_runs():
    """one lane of another run among them"""
    for name in lanes():
        data = bytearray(contents(name))
        data[RUN_ID] ^= 1
        struct.pack_into("=I", data, HEADER - 4, zlib.crc32(data[:HEADER - 4]))
        judged(f"{name} of another run", ".lane", files={name: data}, codes=(BAD,))


def half_deleted():
    """a run without one of its lanes, without all of them, without its scenario"""
    for name in lanes():
        judged(f"without {name}", name, files={name: None})
    judged("without lanes", "run", files={name: None for name in lanes()}, codes=(BAD,))
    judged("without scenario", "scenario.yaml", files={"scenario.yaml": None}, codes=(BAD,))


def another_scenario():
    """a scenario with one limit changed after the run, by one bit: no other verdict, none at all"""
    data = contents("scenario.yaml")
    assert b"count == 0" in data, data
    judged("changed limit", "scenario.yaml", "recorded with", files={"scenario.yaml": data.replace(b"count == 0", b"count == 8", 1)},
           codes=(BAD,))


if __name__ == "__main__":
    lib.main([another_scenario, whole, cut_between_blocks, cut_anywhere, flipped_anywhere, without_a_block, unknown_kind, lanes_of_two_runs, half_deleted])
