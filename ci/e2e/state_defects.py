#!/usr/bin/env python3
"""What agents do wrong with the state of a call (D09 to D19) and with their descriptors (D29), over a scenario whose states live
for seconds only: each is named and nothing else, and agents that refresh the state, or write a field more, pass."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

OVERLAYS = ["short_ttl", "notes", "D09", "D10", "D11", "D12", "D13", "D14", "D18", "D19", "D29"]
# What the first witness of the anomaly says: who, what, and the limit.
SAYS = {"D09": ("ttl_short", "kept what was left of a time to live"), "D10": ("ttl_missing", "it never expires"),
        "D11": ("ttl_missing", "a second command set one"), "D12": ("cross_call", "the state of another call"),
        "D13": ("field_strip", "without one that blue-"), "D14": ("agent_error", "turns or last_n is not a count"),
        "D18": ("stale_resume", ""), "D19": ("ack_lost", "")}
DIR = tempfile.mkdtemp(prefix="crossfade-state-")


def planted():
    """each is named, with a sentence that says what it did; the controls pass"""
    lib.matrix("scenarios/short_ttl.yaml", OVERLAYS, where=os.path.join(DIR, "matrix"), jobs=4)
    for overlay, (anomaly, words) in SAYS.items():
        result = lib.load_result(os.path.join(DIR, "matrix", f"{overlay}-1", "result.json"))
        witnesses = [w for c in result["checks"] for w in c["witnesses"] if w["anomaly"] == anomaly]
        assert witnesses and all(words in w["text"] and w["call"] for w in witnesses), (overlay, witnesses[:3])
    left = {}
    for overlay in ("D10", "D29"):   # what they leave when all is over
        result = lib.load_result(os.path.join(DIR, "matrix", f"{overlay}-1", "result.json"))
        left[overlay] = next(c for c in result["checks"] if c["name"] == "residue")["witnesses"][0]["text"]
    assert "never expire" in left["D10"] and "more descriptors than at first: green-" in left["D29"], left


lib.main([planted])
