#!/usr/bin/env python3
"""The reconnect race: the published pattern forks, the fenced store does not, and what an agent does not tell is not passed over."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

SCENARIO = "scenarios/reconnect_race.yaml"
DIR = tempfile.mkdtemp(prefix="crossfade-race-")


def race(name, *words, env=None):
    """(exit code, result.json, what was printed) of one run of the race."""
    path = os.path.join(DIR, f"{name}.json")
    code, out, err = lib.run(["run", *words, "--dir", os.path.join(DIR, name), "--out", f"json={path}"], timeout=240, env=env)
    assert os.path.exists(path), f"exit {code}\n{out[-2000:]}\n{err[-1000:]}"
    return code, lib.load_result(path), out


def check_of(result, name):
    return next(c for c in result["checks"] if c["name"] == name)


def published_forks():
    """STORE=published: exit 99, `fork` and nothing else, both writers named; judged again the same"""
    code, result, out = race("published", SCENARIO, "-e", "STORE=published")
    assert code == 99 and set(result["anomalies"]) == {"fork"}, (code, result["anomalies"], out[-2000:])
    split = check_of(result, "split_brain")
    assert split["verdict"] == "fail" and split["violations"] == result["anomalies"]["fork"], split
    text = split["witnesses"][0]["text"]
    assert "lost update (P4)" in text and "both accepted" in text and text.count(" wrote turn ") == 2, text
    assert "no_fence" in split["summary"], split["summary"]
    again = os.path.join(DIR, "again.json")
    code, out, err = lib.run(["check", os.path.join(DIR, "published"), "--out", f"json={again}"], timeout=60)
    assert code == 99, f"check: exit {code} {err}"
    assert lib.load_result(again)["anomalies"] == result["anomalies"]


def fenced_does_not():
    """STORE=fenced: exit 0, every check exposed, and late writes met the fence"""
    code, result, out = race("fenced", SCENARIO, "-e", "STORE=fenced")
    assert code == 0 and result["anomalies"] == {}, (code, result["anomalies"], out[-2000:])
    assert all(c["verdict"] == "pass" and c["exposed"] > 0 for c in result["checks"]), result["checks"]
    summary = check_of(result, "split_brain")["summary"]
    refused = int(summary.split(" stale ones refused")[0].split()[-1].replace(",", ""))
    assert refused > 10, summary
    assert "no_fence" not in summary, summary


def what_is_not_told_is_not_judged():
    """an agent that tells neither turns nor digest: inconclusive, no_digest, and never a pass"""
    bare = os.path.join(DIR, "bare.yaml")
    with open(os.path.join(lib.ROOT, "scenarios/demo.yaml")) as f, open(bare, "w") as out:
        out.write(f.read().replace("stack: local", "stack: { agent_defect: bare }")
                   .replace("  - smoke:    { color: green }\n", ""))
    code, result, out = race("bare", bare, "-e", "LIVE=40")
    continuity = check_of(result, "state_continuity")
    assert code == 98 and continuity["verdict"] == "inconclusive", (code, continuity, out[-2000:])
    assert "no_digest" in {r["reason"] for r in continuity["reasons"]}, continuity
    assert result["anomalies"] == {}, result["anomalies"]
    assert "only counts" in out, out[-3000:]


def planted():
    """D04 and D16, which are made for the race, are named and nothing else"""
    lib.matrix(SCENARIO, ["D04", "D16"], where=os.path.join(DIR, "matrix"))


lib.main([published_forks, fenced_does_not, what_is_not_told_is_not_judged, planted])
