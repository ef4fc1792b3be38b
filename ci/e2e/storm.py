#!/usr/bin/env python3
"""Callers who are sent away all at once, and come to green all at once, although the scenario declares a spread."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

DIR = tempfile.mkdtemp(prefix="crossfade-storm-")


def sent_away_at_once():
    """D21 where closes are to be spread over 2 s: disturbance and storm name instance, number and limit"""
    path, result_path = os.path.join(DIR, "spread.yaml"), os.path.join(DIR, "result.json")
    with open(os.path.join(lib.ROOT, "scenarios/blue_green.yaml")) as f, open(path, "w") as out:
        text = f.read()
        assert text.count("dead_after: 5s") == 1
        out.write(text.replace("dead_after: 5s", "close_spread: 2s, dead_after: 5s"))
    code, out, err = lib.run(["run", path, "-e", "REDIS_P99=250ms", "-e", "TURN_P95=5s", "--defect", "D21", "--dir",
                              os.path.join(DIR, "run"), "--out", f"json={result_path}"], timeout=240)
    assert code == 99, f"exit {code}\n{out[-3000:]}\n{err[-1000:]}"
    result = lib.load_result(result_path)
    checks = {c["name"]: c for c in result["checks"]}
    closes = [w for w in checks["storm"]["witnesses"] if w["anomaly"] == "close_storm"]
    assert {w["text"].split()[0] for w in closes} == {"blue-1", "blue-2"}, checks["storm"]
    assert all("(declared spread 2000 ms)" in w["text"] for w in closes), closes
    disturbed = checks["disturbance"]["witnesses"]
    assert disturbed and all(w["anomaly"] == "disturbed" and w["call"] for w in disturbed), checks["disturbance"]
    # A call may end between the signal and its first effect: what follows looks like a drain cut short.
    causes = {w["cause"] for w in disturbed}
    assert "cut_by_sigterm" in causes and causes <= {"cut_by_sigterm", "drain_cut_short"}, checks["disturbance"]
    assert result["anomalies"]["disturbed"] == checks["disturbance"]["violations"] > 10, result["anomalies"]


lib.main([sent_away_at_once])
