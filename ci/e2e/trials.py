#!/usr/bin/env python3
"""Trials of what one hopes never to need, and of other ways to share traffic: there and back, a canary in steps, affinity by source
address."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

LOOSE = ["-e", "TURN_P95=5s", "-e", "REDIS_P99=250ms"]   # this machine may be busy, and its speed is not what is tested
DIR = tempfile.mkdtemp(prefix="crossfade-trials-")


def passed(name):
    """Plays a scenario that must pass: its result, with the checks by name."""
    path = os.path.join(DIR, f"{name}.json")
    code, out, err = lib.run(["run", f"scenarios/{name}.yaml", *LOOSE, "--dir", os.path.join(DIR, name),
                              "--out", f"json={path}"], timeout=240)
    assert code == 0, f"exit {code}\n{out[-3000:]}\n{err[-1000:]}"
    result = lib.load_result(path)
    checks = {c["name"]: c for c in result["checks"]}
    for check in checks.values():
        assert check["verdict"] == "pass" and check["exposed"] > 0, check
    assert result["ledger"]["dropped"] == 0 and result["ledger"]["refused"] == 0, result["ledger"]
    return result, checks


def there_and_back():
    """blue, green, blue with live calls: state survives both ways, the balancer is as before, blue serves again"""
    result, checks = passed("rollback")
    assert checks["rollback"]["exposed"] > 20, checks["rollback"]
    crossed = {(row["phase"], row["color"]) for row in result["latency"] if row["metric"] == "resume_gap"}
    assert {"blue", "green"} <= {color for _, color in crossed}, crossed
    assert "rollback" in [p["name"] for p in result["phases"]], result["phases"]


def canary():
    """95/5, 75/25, 50/50, 0/100 with a gate between: the split of fresh dials is tested"""
    result, checks = passed("canary")
    assert [p["name"] for p in result["phases"]].count("bake") == 4, result["phases"]
    told = checks["new_calls_to_green"]["summary"]
    assert all(f"at {weights}" in told for weights in ("95/5", "75/25", "50/50")), told


def source_address():
    """affinity by source address: no cookie is asked for, and nobody is dropped"""
    _, checks = passed("client_ip")
    assert "sticky_reconnect" not in checks, sorted(checks)


def what_fails_goes_back():
    """a denied call half-way, a gate that sees a broken green at 5 %, a drain past its deadline: rolled back, 0 dropped"""
    overlays = ("denied_shift", "canary_broken_green", "drain_deadline")
    where = os.path.join(DIR, "back")
    lib.matrix("scenarios/blue_green.yaml", overlays, *LOOSE, where=where)
    for overlay in overlays:
        result = lib.load_result(os.path.join(where, f"{overlay}-1", "result.json"))
        checks = {c["name"]: c for c in result["checks"]}
        assert result["ledger"]["dropped"] == 0, (overlay, result["ledger"])
        assert checks["rollback"]["verdict"] == "pass" and checks["rollback"]["exposed"] > 0, (overlay, checks["rollback"])


lib.main([there_and_back, canary, source_address, what_fails_goes_back])
