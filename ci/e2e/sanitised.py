#!/usr/bin/env python3
"""One cutover, and one with a planted defect, under ASan and UBSan: every process of the run and of the local stack is clean."""
import glob
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

PROGRAM = os.path.join(lib.ROOT, "build/asan/crossfade")
# A sanitised stack is several times slower, and that is not what is tested.
LOOSE = ["-e", "REDIS_P99=5s", "-e", "TURN_P95=30s", "-e", "LIVE=40"]


def clean_logs(record, out, err):
    for path in glob.glob(os.path.join(record, "*.log")):
        with open(path, errors="replace") as f:
            out += f.read()
    found = re.search(r"(ERROR: \w+Sanitizer|runtime error:).*(\n.*){0,12}", out + err)
    assert not found, f"{found[0]}\nrecord: {record}"


def cutover(code, *words):
    if not os.access(PROGRAM, os.X_OK):
        raise lib.Skipped("build/asan is not built: make FLAVOUR=asan")
    record = os.path.join(tempfile.mkdtemp(), "run")
    found, out, err = lib.run(["run", "scenarios/demo.yaml", "--dir", record, *LOOSE, *words], timeout=240, program=PROGRAM)
    clean_logs(record, out, err)
    assert found in code, f"exit {found}\n{out[-3000:]}\n{err[-2000:]}"


def passes():
    """the clean cutover: no report of a sanitiser, not a failure"""
    cutover((0, 98))   # inconclusive: the machine may be too slow for this build


def fails():
    """a planted defect: the same, and it fails"""
    cutover((99,), "--defect", "D21")


if __name__ == "__main__":
    lib.main([passes, fails])
