#!/usr/bin/env python3
"""Two judges of eight invariants, one of them naive (ci/naive/check.py, straight from the rules): they agree, on random small
records and on the golden ones. A disagreement is a bug in one of the two; the record is printed."""
import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

sys.path.insert(0, os.path.join(lib.ROOT, "ci/naive"))
import check
import generate

JUDGE = os.path.join(lib.BUILD, "ci/naive/judge")
RECORDS = 5000
# Of each check, verdicts enough among the random records for the agreement to mean something.
ENOUGH = 20
ENOUGH_TO_SEE = 2000
# Seconds; some calls' states have less left to live. Golden records are judged without, as the unit tests do.
TTL_FLOOR = 1797
# Golden records that show what the naive judge does not know: scripts, standstills of ours, weights between 0 and 100.
BEYOND = {
    "drained_before_teardown-fail-killed-by-a-script": "an exit without a signal on record",
    "dropped_calls-inconclusive-the-tap-stood-still": "our own standstill",
    "new_calls_to_green-fail-nobody-has-a-share": "weights in two steps",
    "new_calls_to_green-fail-split": "a share that is tested",
    "new_calls_to_green-inconclusive-off-by-chance": "a share that is tested",
    "new_calls_to_green-inconclusive-split": "a share that is tested",
    "new_calls_to_green-pass-only-split": "a share that is tested",
    "new_calls_to_green-pass-black-in-a-scripts-rollback": "a rollback that was announced later than begun",
    "rollback-pass-green-had-a-share": "a share that is tested",
}


def first_judge(records):
    """{name: {check: verdict}} of the program, for {name: lines}, with the naive judge's floor of the time to live"""
    path = os.path.join(tempfile.mkdtemp(), "records")
    with open(path, "w") as f:
        for name, lines in records.items():
            f.write(f"=== {name}\n" + "".join(f"{line}\n" for line in lines))
    done = subprocess.run([JUDGE, path, str(check.TTL_FLOOR)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{JUDGE}: exit {done.returncode}: {done.stderr[-1000:]}"
    return {name: dict(v.split(":") for v in verdicts) for name, *verdicts in (line.split() for line in done.stdout.splitlines())}


def differences(records):
    """Yields a text for each check the two judges see differently; counts the verdicts they agree on."""
    judged, agreed = first_judge(records), {}
    assert len(judged) == len(records), f"{len(judged)} of {len(records)} records judged"
    for name, lines in records.items():
        if "harness" in judged[name]:
            yield f"{name}: contradicts itself: not a record anybody could have written"
        for of, (verdict, said) in check.judge(lines).items():
            first = judged[name].get(of, "unasked")
            if first != verdict:
                yield f"{name}: {of} is {first}, naively {verdict}: {'; '.join(said)}\n" + "\n".join(lines)
            else:
                agreed[of, verdict] = agreed.get((of, verdict), 0) + 1
    few = [f"{of} {verdict} {agreed.get((of, verdict), 0)} times" for of in check.CHECKS
           for verdict in ("pass", "inconclusive", "fail") if agreed.get((of, verdict), 0) < ENOUGH]
    if few and len(records) >= RECORDS:
        yield f"too few to mean anything: {', '.join(few)}"


def random_records():
    """5,000 random records of 1 to 4 calls: the same verdict of each of eight checks"""
    check.TTL_FLOOR = TTL_FLOOR
    found = next(differences({str(seed): generate.record(seed) for seed in range(RECORDS)}), None)
    assert not found, f"ci/naive/generate.py SEED prints the record\n{found}"


def golden_records():
    """the golden records, but those beyond it: the same verdict of each of eight checks"""
    check.TTL_FLOOR = 0
    records = {}
    for path in sorted(glob.glob(os.path.join(lib.ROOT, "fixtures/histories/*.ndjson"))):
        with open(path) as f:
            records[os.path.basename(path)[:-len(".ndjson")]] = f.read().splitlines()
    gone = set(BEYOND) - set(records)
    assert not gone, f"no such record: {', '.join(gone)}"
    found = [text for text in differences(records) if text.split(":", 1)[0] not in BEYOND]
    assert not found, "\n".join(found)


# One number of the naive judge's that is wrong; the comparison must notice each.
WRONG = {"PROPAGATION": 0, "LAG_MAX": 0, "TICK": 0, "RACE": 0, "RESUME_WITHIN": 4 * check.S, "DEAD_AFTER": 4 * check.S,
         "REMEMBERED": 1, "TTL_FLOOR": TTL_FLOOR + 1}


def a_wrong_judge_is_seen():
    """a naive judge with any one number wrong disagrees: the comparison compares"""
    check.TTL_FLOOR = TTL_FLOOR
    records = {str(seed): generate.record(seed) for seed in range(ENOUGH_TO_SEE)}
    judged, missed = first_judge(records), []
    for name, wrong in WRONG.items():
        kept = getattr(check, name)
        setattr(check, name, wrong)
        try:
            if not any(judged[seed].get(of, "unasked") != verdict for seed, lines in records.items()
                       for of, (verdict, _) in check.judge(lines).items()):
                missed.append(f"{name} {wrong}")
        finally:
            setattr(check, name, kept)
    assert not missed, f"nothing noticed {', '.join(missed)}"


lib.main([random_records, golden_records, a_wrong_judge_is_seen])
