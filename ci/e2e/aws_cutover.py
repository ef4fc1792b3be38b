#!/usr/bin/env python3
"""A team's own cutover with the genuine AWS CLI: the shell script moves 300 live calls and none is dropped, each mistake planted in
it is found out, and what the README says about rehearsing can be typed as it stands."""
import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

SCENARIO = "scenarios/aws_script.yaml"
LOOSE = ["-e", "TURN_P95=5s"]          # this machine may be busy, and its speed is not what is tested
DIR = tempfile.mkdtemp(prefix="crossfade-aws-")
# The distribution's CLI, whatever else is called aws here.
CLI = {"AWS": "/usr/bin/aws", "HOME": DIR}


def script():
    """the shell script with the genuine CLI moves 300 live calls: 0 dropped, its belief audited, exit 0"""
    told = subprocess.run([CLI["AWS"], "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert told.startswith("aws-cli/"), told
    record, path = os.path.join(DIR, "script"), os.path.join(DIR, "script.json")
    code, out, err = lib.run(["run", SCENARIO, *LOOSE, "--dir", record, "--out", f"json={path}"], env=CLI, timeout=240)
    with open(os.path.join(record, "script.log")) as f:
        said = f.read()
    assert code == 0, f"exit {code}\n{out[-3000:]}\n{err[-1000:]}\n{said[-2000:]}"
    result = lib.load_result(path)
    assert result["ledger"]["dropped"] == 0 and result["ledger"]["started"] > 500, result["ledger"]
    phases = [p["name"] for p in result["phases"]]
    for name in ("smoke", "shift", "drain", "buffer", "teardown"):
        assert name in phases, phases
    checks = {c["name"]: c for c in result["checks"]}
    for name in ("dropped_calls", "state_continuity", "new_calls_to_green", "drained_before_teardown", "config", "cutover"):
        assert checks[name]["verdict"] == "pass" and checks[name]["exposed"] > 0, checks[name]
    assert re.search(r"^crossfade: weights-ok 0 100$", said, re.M) and re.search(r"^crossfade: drained blue 0 2 0$", said, re.M), said


def mistakes():
    """every mistake planted in the script is named, and nothing unrelated"""
    lib.matrix(SCENARIO, ["D31", "D32", "D33", "D34", "D37", "D39"], *LOOSE, where=os.path.join(DIR, "matrix"), env=CLI,
               timeout=900)


def section(title):
    """The commands of a README section: its indented lines."""
    with open(os.path.join(lib.ROOT, "README.md")) as f:
        text = f.read()
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"README.md has no section {title}"
    return [line[4:] for line in found.group(1).splitlines() if line.startswith("    ")]


def readme():
    """every command of "Rehearse your AWS cutover locally", typed one after the other into one shell"""
    commands = section("Rehearse your AWS cutover locally")
    assert len(commands) >= 6 and any(c.startswith("aws ") for c in commands), commands
    typed = "set -eu\ncd " + shlex.quote(lib.ROOT) + "\n" + "\n".join(commands) + "\n"
    mark = "readme" + str(os.getpid())
    done = subprocess.run(["/bin/bash", "-c", typed], env=lib.environment(mark, {**CLI, "TURN_P95": "5s"}), timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    left = lib.leftovers(mark)
    for pid in left:
        lib.kill(pid)
    assert done.returncode == 0, f"status {done.returncode}\n{typed}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
    assert not left, f"left behind: {lib.describe(left)}"


lib.main([script, mistakes, readme])
