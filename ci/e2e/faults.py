#!/usr/bin/env python3
"""Faults of a scenario: they take effect, are seen to by others, are healed on every way out; one that did nothing proves nothing."""
import os
import re
import signal
import subprocess
import tempfile
import uuid

import lib

DRILL = "scenarios/drills/hiccup.yaml"
REFUSED = "scenarios/drills/refused_writes.yaml"


def check(result, name):
    return next(c for c in result["checks"] if c["name"] == name)


def run(scenario, code, *words):
    record = os.path.join(tempfile.mkdtemp(), "run")
    found, out, err = lib.run(["run", scenario, "--dir", record, *words], timeout=240)
    assert found == code, f"exit {found}, not {code}\n{out[-3000:]}\n{err[-1000:]}"
    return lib.load_result(os.path.join(record, "result.json")), out, record


def changed(old, new):
    with open(os.path.join(lib.ROOT, DRILL)) as f:
        text = f.read()
    assert old in text, f"{DRILL} has no {old!r}"
    path = os.path.join(tempfile.mkdtemp(), "changed.yaml")
    with open(path, "w") as f:
        f.write(text.replace(old, new))
    return path


def a_hiccup_is_survived():
    """Slow writes and a frozen agent: exit 0, and both bit; judged again the same"""
    result, out, record = run(DRILL, 0, "-e", "TURN_P95=20s")
    bite, residue = check(result, "bite"), check(result, "residue")
    assert bite["verdict"] == "pass" and bite["exposed"] == 2, bite
    assert residue["verdict"] == "pass", residue
    lib.judged_again(record, 0, out)


def frozen_for_too_long():
    """The agent stands still longer than its callers wait: 99, they are muted, and `frozen` is why"""
    result, out, _ = run(DRILL, 99, "-e", "FROZEN=8s", "-e", "TURN_P95=20s")
    dropped = check(result, "dropped_calls")
    causes = [w["cause"] for w in dropped["witnesses"]]
    # A dial that was never answered does not say by whom: who came back and was not let in was blocked.
    assert "frozen" in causes and set(causes) <= {"frozen", "blocked"}, f"{dropped}\n{out[:3000]}"
    assert check(result, "bite")["verdict"] == "pass", out


def one_without_effect_proves_nothing():
    """A lever for commands that never come: 98, no_bite, though nothing else is wrong"""
    result, out, _ = run(changed("class=write", "verb=del"), 98, "-e", "TURN_P95=20s")
    bite = check(result, "bite")
    assert bite["verdict"] == "inconclusive" and "no_bite" in [r["reason"] for r in bite["reasons"]], f"{bite}\n{out[:2000]}"
    assert not [c["name"] for c in result["checks"] if c["verdict"] == "fail"], out[:3000]


def refused_writes_are_lost_in_the_open_or_not():
    """Redis refuses writes: an agent that says so mutes its caller (redis_refused), D03 loses what it answered (ack_lost)"""
    result, out, _ = run(REFUSED, 99, "-e", "TURN_P95=20s")
    dropped = check(result, "dropped_calls")
    assert dropped["verdict"] == "fail" and {w["cause"] for w in dropped["witnesses"]} == {"redis_refused"}, f"{dropped}\n{out[:3000]}"
    assert check(result, "state_continuity")["verdict"] != "fail", out[:3000]
    result, out, _ = run(REFUSED, 99, "--defect", "D03", "-e", "TURN_P95=20s")
    assert check(result, "dropped_calls")["verdict"] == "pass", out[:3000]
    assert "ack_lost" in [w["anomaly"] for w in check(result, "state_continuity")["witnesses"]], out[:3000]


def what_cannot_be_is_said_first():
    """No such agent, step, action of the tap: 104, before anything is started"""
    for old, new, *parts in (("green-1", "green-9", "green-9", "blue-1 to green-2"), ("at: drain", "at: rollback", "no step rollback"),
                             ("delay 20ms", "dealy 20ms", "dealy", "redis_lever")):
        code, out, err = lib.run(["run", changed(old, new)])
        assert code == 104 and all(p in err for p in parts), f"{code}: {err}"


def interrupted_in_the_middle_it_is_healed():
    """Ctrl-C while an agent stands still: it goes on, its calls end as planned, nothing is left"""
    mark, folder = uuid.uuid4().hex, tempfile.mkdtemp()
    record = os.path.join(folder, "run")
    with open(os.path.join(folder, "log"), "w+", encoding="utf-8") as log:
        child = subprocess.Popen([lib.CROSSFADE, "run", DRILL, "--dir", record, "-e", "FROZEN=60s", "-e", "TURN_P95=20s"],
                                 cwd=lib.ROOT, env=lib.environment(mark), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 start_new_session=True)

        def stopped():
            states = []
            for pid in lib.leftovers(mark):
                try:
                    with open(f"/proc/{pid}/stat") as f:
                        states.append(re.search(r"\) (\w)", f.read())[1])
                except OSError:
                    pass
            return "T" in states
        try:
            lib.wait_until(lambda: stopped() or child.poll() is not None, 120)
            assert stopped(), "nobody was ever stopped"
            child.send_signal(signal.SIGINT)
            lib.wait_until(lambda: not stopped(), 20)
            assert not stopped(), "still stopped"
            code = child.wait(timeout=120)
            lib.wait_until(lambda: not lib.leftovers(mark), 15)
            assert not lib.leftovers(mark), lib.describe(lib.leftovers(mark))
        finally:
            for pid in lib.leftovers(mark):
                lib.kill(pid)
            child.wait()
    result = lib.load_result(os.path.join(record, "result.json"))
    assert code == result["exit_code"] and code in (105, 99), code
    assert check(result, "residue")["verdict"] != "fail", check(result, "residue")


if __name__ == "__main__":
    lib.main([a_hiccup_is_survived, frozen_for_too_long, one_without_effect_proves_nothing,
              refused_writes_are_lost_in_the_open_or_not, what_cannot_be_is_said_first, interrupted_in_the_middle_it_is_healed])
