#!/usr/bin/env python3
"""scenarios/deployed.yaml against a system that is there already: `stack up`, with signatures verified, stands in for it. The
template is run as it stands but for its durations, which are the stack's."""
import os
import re
import subprocess
import tempfile

import lib
import stack

SHORTER = {"wss://": "ws://",
           "deregistration_delay: 15m": "deregistration_delay: 20s", "longest_call: 10m": "longest_call: 6s",
           "propagation: 30s": "propagation: 1s", "dead_after: 10s": "dead_after: 5s",
           "ramp: 30s": "ramp: 1s", "mean: 3m, sigma: 0.6 }, min: 30s, max: 10m": "mean: 3s, sigma: 0.5 }, min: 1s, max: 6s",
           "every: 5s, silence: { share: 5%, for: 20s }": "every: 500ms", "exponential: 2m": "exponential: 2s",
           "full-jitter 200ms..5s": "full-jitter 100ms..500ms",
           "steady: { for: 2m }": "steady: { for: 4s }", "deadline: 15m": "deadline: 25s", "buffer: { for: 30s }": "buffer: { for: 2s }"}


def shortened():
    with open(os.path.join(lib.ROOT, "scenarios/deployed.yaml")) as f:
        text = f.read()
    for long, short in SHORTER.items():
        assert long in text, f"scenarios/deployed.yaml has no {long!r} any more"
        text = text.replace(long, short)
    path = os.path.join(tempfile.mkdtemp(), "deployed.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def exported(s):
    with open(s.file("env")) as f:
        return dict(re.match(r"export (\w+)='(.*)'$", line).groups() for line in f)


def run(s, scenario, **changed):
    """(exit code, result.json, everything printed) of a run by the environment that the stack exports"""
    facts = exported(s)
    env = {key: value for key, value in facts.items() if key.startswith("AWS_")} | changed
    record = os.path.join(tempfile.mkdtemp(), "run")
    code, out, err = lib.run(
        ["run", scenario, "--dir", record, "-e", f"HOST={facts['WS_URL'].split('/')[2]}",
         "-e", f"GREEN={facts['GREEN_INSTANCES'].split()[0]}", "-e", f"REDIS={facts['REDIS']}", "-e", f"ENDPOINT={facts['ENDPOINT_URL']}",
         "-e", f"RULE={facts['RULE_ARN']}", "-e", "GROUP_STICKINESS=2s", "-e", "TARGET_STICKINESS=2s", "-e", "RESUME_WITHIN=8s",
         "-e", "TURN_P95=5s"], env=env, timeout=240)
    return code, lib.load_result(os.path.join(record, "result.json")), out + err


def cut_over_and_not_twice():
    """With another key 98, and who refused; with its own 0; then 98, as everything is on green already"""
    scenario = shortened()
    with stack.stack("--verify") as s:
        s.status()
        code, result, text = run(s, scenario, AWS_SECRET_ACCESS_KEY="not-this-one")
        assert code == result["exit_code"] == 98 and "SignatureDoesNotMatch" in text, f"{code}\n{text}"
        assert "not-this-one" not in text and result["ledger"]["started"] == 0, text
        code, result, text = run(s, scenario)
        assert code == result["exit_code"] == 0, f"{code}\n{text}"
        assert result["ledger"]["dropped"] == 0 and result["ledger"]["completed"] > 30, result["ledger"]
        assert {"split_brain", "rollback"} <= {n["name"] for n in result["not_asked"]}, result["not_asked"]
        code, result, text = run(s, scenario)
        assert code == result["exit_code"] == 98 and "blue has weight 0 before the cutover" in text, f"{code}\n{text}"


if __name__ == "__main__":
    lib.main([cut_over_and_not_twice])
