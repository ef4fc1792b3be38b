#!/usr/bin/env python3
"""Callers that speak wss: a whole cutover passes through a TLS listener; a listener without TLS 1.3 and certificates that do not
hold are found out by the check made for it, each with its reason; a listener that is not there is none of its findings."""
import json
import os
import socket
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

SCENARIO = "scenarios/tls.yaml"
# Few callers and short waits, where it is the listener that is judged.
BRIEF = [("live: 100", "live: 20"), ("for: 5s", "for: 1s"), ("stickiness: 2s", "stickiness: 1s"), ("quiet: 3s", "quiet: 2s"),
         ("longest_call: 8s", "longest_call: 4s"), ("max: 8s", "max: 4s"), ("mean: 4s", "mean: 3s"),
         ("buffer:   { for: 2s }", "buffer:   { for: 1s }"), ("steady:   { for: 3s }", "steady:   { for: 1s }")]
DIR = tempfile.mkdtemp(prefix="crossfade-tls-")


def result_of(name):
    return lib.load_result(os.path.join(DIR, name, "result.json"))


def check_of(result, name):
    return next(c for c in result["checks"] if c["name"] == name)


def shortened(name, edits):
    """The scenario with some of its text replaced, as a file of its own."""
    with open(os.path.join(lib.ROOT, SCENARIO)) as f:
        text = f.read()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    path = os.path.join(DIR, f"{name}.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def events(name, kind):
    history = os.path.join(DIR, f"{name}.ndjson")
    code, _, err = lib.run(["report", os.path.join(DIR, name), "--out", f"ndjson={history}"], timeout=60)
    assert code in (0, 98, 99), err
    with open(history) as f:
        return [e for e in map(json.loads, f) if e["kind"] == kind]


def cutover():
    """100 callers through a TLS listener and a whole cutover: exit 0, every call by TLS 1.3, no key left in the record"""
    code, out, err = lib.run(["run", SCENARIO, "--dir", os.path.join(DIR, "good")], timeout=240)
    assert code == 0, f"exit {code}\n{out[-3000:]}\n{err[-1000:]}"
    result = result_of("good")
    assert result["ledger"]["dropped"] == 0 and result["ledger"]["started"] > 100, result["ledger"]
    found = check_of(result, "tls")
    assert found["verdict"] == "pass" and found["exposed"] > 100, found
    assert {e.get("aux") for e in events("good", "dial.ok")} == {0x0304}
    assert [e.get("flags", 0) for e in events("good", "tls")] == [0, 1]
    left = sorted(f for f in os.listdir(os.path.join(DIR, "good")) if f.endswith(".pem"))
    assert left == ["ca.pem", "certificate.pem"], left


def flawed_listeners():
    """2016-08, expired, wrong name, untrusted: exit 99 by tls alone, each with its anomaly and reason"""
    brief = shortened("brief", BRIEF)
    for defect, anomaly, reason in (
            ("tls_2016_08", "tls_version", "cannot do TLS 1.3"),
            ("tls_expired", "tls_certificate", "is expired since 20"),
            ("tls_wrong_name", "tls_certificate", "the name 127.0.0.1 is not in other.example"),
            ("tls_untrusted", "tls_certificate", "unknown issuer /CN=Somebody else's CA")):
        code, out, err = lib.run(["run", brief, "--defect", defect, "--dir", os.path.join(DIR, defect)], timeout=240)
        assert code == 99, f"{defect}: exit {code}\n{out[-3000:]}\n{err[-1000:]}"
        result = result_of(defect)
        failed = [c["name"] for c in result["checks"] if c["verdict"] == "fail"]
        assert failed == ["tls"], f"{defect}: {failed}"
        assert set(result["anomalies"]) == {anomaly}, f"{defect}: {result['anomalies']}"
        assert reason in check_of(result, "tls")["witnesses"][0]["text"], check_of(result, "tls")["witnesses"][0]
        refused = result["ledger"]["refused"]
        assert (refused == 0) == (anomaly == "tls_version"), f"{defect}: {result['ledger']}"


def nobody_listens():
    """a port nobody listens on: calls are refused, exit 99, and tls has no finding"""
    with socket.socket() as bound:   # ours, and never listened on: nobody else can
        bound.bind(("127.0.0.1", 0))
        dead = shortened("dead", [("wss://${alb}/realtime/", f"wss://127.0.0.1:{bound.getsockname()[1]}/${{alb}}/"),
                                  ("  - smoke:    { color: green }\n", ""), *BRIEF])
        code, out, err = lib.run(["run", dead, "--dir", os.path.join(DIR, "dead")], timeout=240)
    assert code == 99, f"exit {code}\n{out[-3000:]}\n{err[-1000:]}"
    result = result_of("dead")
    assert result["ledger"]["refused"] > 0 and result["ledger"]["completed"] == 0, result["ledger"]
    assert next(g for g in result["gates"] if g["key"] == "refused")["verdict"] == "fail", result["gates"]
    found = check_of(result, "tls")
    assert found["verdict"] == "inconclusive" and not found.get("witnesses"), found
    assert {e["n"] for e in events("dead", "dial.fail")} == {"refused"}


def contradictions():
    """wss without a listener that speaks TLS, and the reverse, are errors with their place; a CA file must be one"""
    for name, edits, told in (
            ("plain", [("wss://", "ws://")], ":7:18: stack.tls makes the listener speak TLS"),
            ("bare", [('stack: { kind: local, tls: "${TLS_POLICY:-ELBSecurityPolicy-TLS13-1-2-2021-06}" }', "stack: local")],
             ":7:18: wss:// needs a listener with TLS"),
            ("no-ca", [("/${call}\" }", "/${call}\", ca: /nonexistent/ca.pem }")], "/nonexistent/ca.pem")):
        path = shortened(name, edits)
        code, out, err = lib.run(["run", path, "--dir", os.path.join(DIR, name)], timeout=60)
        assert code == 104 and told in err, f"{name}: exit {code}\n{out[-500:]}\n{err}"


if __name__ == "__main__":
    lib.main([cutover, flawed_listeners, nobody_listens, contradictions])
