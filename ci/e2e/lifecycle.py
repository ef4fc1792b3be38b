#!/usr/bin/env python3
"""Every way out of a run leaves nothing behind: a normal end, Ctrl-C once and twice, SIGKILL of `run`, of its supervisor, of
both, and of a process of the stack, in the middle of a canary and of an operator's script. And what the exit codes then say."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

ROOT = lib.ROOT
# A short run with few calls: what is tested is the way out, not the verdict.
QUICK = ["-e", "REDIS_P99=2s", "-e", "TURN_P95=20s"]


class Run:
    """One `crossfade run` in the background, with everything it started findable by a mark in the environment."""

    def __init__(self, *words, scenario="scenarios/demo.yaml", env=None):
        self.mark = uuid.uuid4().hex
        self.dir = tempfile.mkdtemp(prefix="crossfade-lifecycle-")
        self.record = os.path.join(self.dir, "run")
        env = dict(os.environ, CROSSFADE_TEST_MARK=self.mark, **(env or {}))
        self.log = open(os.path.join(self.dir, "stderr"), "w+b")
        self.out = open(os.path.join(self.dir, "stdout"), "w+b")
        self.process = subprocess.Popen(
            [lib.CROSSFADE, "run", scenario, "--dir", self.record, *QUICK, *words],
            cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.log, start_new_session=True)

    def stderr(self):
        with open(self.log.name, errors="replace") as f:
            return f.read()

    def stdout(self):
        with open(self.out.name, errors="replace") as f:
            return f.read()

    def reaches(self, phase, within=120):
        """Waits for the line of a phase in the live view."""
        lib.wait_until(lambda: f"s  {phase}\n" in self.stderr() or self.process.poll() is not None, within)
        assert self.process.poll() is None, f"ended early: {self.stderr()[-2000:]}"

    def pid_of(self, word):
        """The process of this run whose command line holds the word."""
        for pid in lib.leftovers(self.mark):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if word.encode() in f.read().split(b"\0"):
                        return pid
            except OSError:
                pass
        raise AssertionError(f"no process with {word} among {lib.leftovers(self.mark)}")

    def redis_pid(self):
        """redis-server rewrites its environment: it is known by its log."""
        with open(os.path.join(self.record, "redis.log")) as f:
            return int(re.search(r"pid=(\d+), just started", f.read())[1])

    def redis_runs(self):
        try:
            pid = self.redis_pid()
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                return b"redis-server" in f.read()   # a zombie has no command line
        except (OSError, TypeError):
            return False

    def ends(self, within=120):
        return self.process.wait(timeout=within)

    def leaves_nothing(self, within=30):
        lib.wait_until(lambda: not lib.leftovers(self.mark), within)
        left = lib.leftovers(self.mark)
        assert not left, f"left behind: {left}"
        lib.wait_until(lambda: not self.redis_runs(), within)
        assert not self.redis_runs(), "redis-server left behind"
        sockets = [os.path.join(d, f) for d, _, files in os.walk(self.dir) for f in files
                   if os.path.exists(os.path.join(d, f)) and
                   (os.stat(os.path.join(d, f)).st_mode & 0o170000) == 0o140000]
        assert not sockets, f"socket files left: {sockets}"


def interrupted_once():
    """Ctrl-C once: live calls finish, the report is written, exit 105"""
    run = Run()
    run.reaches("shift")
    os.kill(run.process.pid, signal.SIGINT)
    code = run.ends()
    run.leaves_nothing()
    assert code == 105, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    result = lib.load_result(os.path.join(run.record, "result.json"))
    assert result["ledger"]["abandoned"] == 0, result["ledger"]
    assert result["ledger"]["dropped"] == 0, result["ledger"]
    lib.judged_again(run.record, code, run.stdout())


def interrupted_twice():
    """Ctrl-C twice: stops now, live calls are abandoned, exit 105"""
    run = Run()
    run.reaches("shift")
    os.kill(run.process.pid, signal.SIGINT)
    lib.wait_until(lambda: "once more" in run.stderr(), 30)
    os.kill(run.process.pid, signal.SIGINT)
    code = run.ends(60)
    run.leaves_nothing()
    assert code == 105, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    result = lib.load_result(os.path.join(run.record, "result.json"))
    ledger = result["ledger"]
    assert ledger["abandoned"] > 0, ledger
    assert ledger["started"] == sum(ledger[k] for k in ("completed", "dropped", "refused", "live", "abandoned")), ledger


def interrupted_while_starting():
    """Ctrl-C before the stack is up: no fault of anybody, exit 105 with a report, which check repeats byte for byte"""
    run = Run()
    lib.wait_until(lambda: os.path.exists(os.path.join(run.record, "redis.log")), 30)
    os.kill(run.process.pid, signal.SIGINT)
    code = run.ends(60)
    run.leaves_nothing()
    assert code == 105, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    lib.judged_again(run.record, code, run.stdout())


def run_killed():
    """SIGKILL of run: the supervisor ends everything"""
    run = Run()
    run.reaches("shift")
    run.process.kill()
    run.ends()
    run.leaves_nothing()


def supervisor_killed():
    """SIGKILL of the supervisor: everything dies with it, run says so with exit 97"""
    run = Run()
    run.reaches("shift")
    os.kill(run.pid_of("__supervisor"), signal.SIGKILL)
    code = run.ends()
    run.leaves_nothing()
    assert code == 97, f"exit {code}"
    assert "supervisor" in run.stderr(), run.stderr()[-500:]


def both_killed():
    """SIGKILL of run and supervisor at once: nothing is left"""
    run = Run()
    run.reaches("shift")
    supervisor = run.pid_of("__supervisor")
    os.kill(run.process.pid, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    run.ends()
    run.leaves_nothing()


def killed_while_starting():
    """SIGKILL of run before the stack is up: nothing is left"""
    run = Run()
    lib.wait_until(lambda: lib.leftovers(run.mark) and os.path.exists(os.path.join(run.record, "redis.log")), 30)
    run.process.kill()
    run.ends()
    run.leaves_nothing()


def worker_killed():
    """SIGKILL of a worker: exit 97, and the record says so as well"""
    run = Run()
    run.reaches("shift")
    os.kill(run.pid_of("__worker"), signal.SIGKILL)
    code = run.ends()
    run.leaves_nothing()
    assert code == 97, f"exit {code}"
    lib.judged_again(run.record, code, run.stdout())


def redis_killed():
    """SIGKILL of redis-server: our stack broke, exit 97, named"""
    run = Run()
    run.reaches("shift")
    os.kill(run.redis_pid(), signal.SIGKILL)
    code = run.ends()
    run.leaves_nothing()
    assert code == 97, f"exit {code}"
    assert "redis ended" in run.stderr(), run.stderr()[-500:]
    lib.judged_again(run.record, code, run.stdout())


def agent_killed():
    """SIGKILL of an agent from outside: its calls are dropped, and the cause is that it died, not a guess and not unknown"""
    run = Run()
    run.reaches("smoke")
    os.kill(run.pid_of("blue-1"), signal.SIGKILL)
    code = run.ends()
    run.leaves_nothing()
    assert code == 99, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    result = lib.load_result(os.path.join(run.record, "result.json"))
    causes = {(c["name"], w["cause"]) for c in result["checks"] for w in c["witnesses"]}
    assert ("dropped_calls", "instance_died") in causes, causes
    assert ("drained_before_teardown", "instance_died") in causes, causes
    assert not any(cause == "unknown" for _, cause in causes), causes
    lib.judged_again(run.record, code, run.stdout())


def agent_frozen():
    """SIGSTOP of an agent from outside, until callers have given up: they heard nothing, and the cause is that it stood still"""
    run = Run()
    run.reaches("smoke")
    pid = run.pid_of("blue-1")
    os.kill(pid, signal.SIGSTOP)
    lib.wait_until(lambda: re.search(r"dropped [1-9]", run.stderr()) or run.process.poll() is not None, 60)
    lib.kill(pid, signal.SIGCONT)
    code = run.ends()
    run.leaves_nothing()
    assert code == 99, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    result = lib.load_result(os.path.join(run.record, "result.json"))
    muted = [w for c in result["checks"] if c["name"] == "dropped_calls" for w in c["witnesses"] if w["anomaly"] == "muted"]
    assert muted and all(w["cause"] == "frozen" and w["instance"] == "blue-1" for w in muted), muted
    lib.judged_again(run.record, code, run.stdout())


def record_survives():
    """A killed run's record is readable: check judges the prefix, never as a pass"""
    run = Run()
    run.reaches("shift")
    run.process.kill()
    os.kill(run.pid_of("__supervisor"), signal.SIGKILL)
    run.ends()
    run.leaves_nothing()
    code, out, err = lib.run(["check", run.record, "--out", f"json={run.dir}/again.json"], timeout=60)
    assert code in (97, 98, 99, 105), f"exit {code}: {err}"
    with open(f"{run.dir}/again.json") as f:
        result = json.load(f)
    assert result["verdict"] != "pass", result["verdict"]
    assert result["ledger"]["started"] > 0, result["ledger"]


def recorded(run):
    """All events of the run's record."""
    path = os.path.join(run.dir, "record.ndjson")
    code, _, err = lib.run(["report", run.record, "--out", f"ndjson={path}"], timeout=60)
    assert code == 0, err
    with open(path) as f:
        return [json.loads(line) for line in f if '"kind"' in line]


def weights_went_back(run):
    """The balancer's last word is what it said first, and the rollback's own dials were blue's."""
    events = recorded(run)
    looks = [e for e in events if e["kind"] == "config"]
    assert len(looks) >= 3 and looks[0]["note"] == looks[-1]["note"], [e["note"] for e in looks]
    assert any(e["note"] != looks[0]["note"] for e in looks), "the weights never moved"
    begun = [e["t"] for e in events if e["kind"] == "phase.begin" and e["code"] == "rollback"]
    assert len(begun) == 1, begun
    answered = [e["code"] for e in events if e["kind"] == "action.ok" and e["t"] > begun[0]]
    assert "rollback" in answered and "fresh_dial" in answered, answered
    dials = [e["color"] for e in events if e["kind"] == "probe.ok" and e["t"] > begun[0]]
    assert dials[-3:] == ["blue"] * 3, dials
    return events


def interrupted_in_a_canary():
    """Ctrl-C in the middle of a canary: the weights go back to the snapshot, proved by fresh dials; no call is lost"""
    run = Run(scenario="scenarios/canary.yaml", env={"LIVE": "60"})
    lib.wait_until(lambda: run.stderr().count("s  bake\n") == 2 or run.process.poll() is not None, 120)
    os.kill(run.process.pid, signal.SIGINT)
    code = run.ends()
    run.leaves_nothing()
    assert code == 105, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    weights_went_back(run)
    result = lib.load_result(os.path.join(run.record, "result.json"))
    assert result["ledger"]["dropped"] == 0 and result["ledger"]["abandoned"] == 0, result["ledger"]


# Moves everything to green with the AWS CLI, then hangs, deaf to whatever can be ignored, with a child that is deaf as well.
HANGING = """#!/bin/bash
trap '' HUP INT TERM
echo "crossfade: phase shift"
/usr/bin/aws --endpoint-url "$ENDPOINT_URL" elbv2 modify-rule --rule-arn "$RULE_ARN" --actions \
    "$(/usr/bin/aws --endpoint-url "$ENDPOINT_URL" elbv2 describe-rules --rule-arns "$RULE_ARN" --query 'Rules[0].Actions' |
       sed 's/"Weight": 0/"Weight": 7/; s/"Weight": 100/"Weight": 0/')" > /dev/null || exit 9
echo "crossfade: phase drain"
(exec -a deaf-child sleep 3600) & wait; wait
"""


def hanging(deadline):
    """The demo with such a script in place of its steps."""
    folder = tempfile.mkdtemp(prefix="crossfade-script-")
    script, path = os.path.join(folder, "cut"), os.path.join(folder, "script.yaml")
    with open(script, "w") as f:
        f.write(HANGING)
    os.chmod(script, 0o700)
    with open(os.path.join(ROOT, "scenarios/demo.yaml")) as f:
        demo = f.read()
    cutover = f"cutover:\n  - steady: {{ for: 2s }}\n  - script: {{ deadline: {deadline} }}\n  - steady: {{ for: 1s }}\ngates:"
    text = re.sub(r"cutover:\n.*?gates:", cutover, demo, flags=re.S).replace("turn_response{phase:drain}", "turn_response")
    with open(path, "w") as f:
        f.write(text + f"balancer: {{ driver: exec, command: [ {script} ], path: '/realtime/*' }}\n")
    return path


def script_hangs():
    """A script past its deadline is killed with its children, and what it moved goes back"""
    run = Run(scenario=hanging("6s"))
    code = run.ends()
    run.leaves_nothing()
    assert code == 99, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    events = weights_went_back(run)
    failed = [e["note"] for e in events if e["kind"] == "phase.end" and e.get("flags") == 1]
    assert failed == ["the script did not end within 6 s and was killed"], failed
    assert [e["note"] for e in events if e["kind"] == "said"] == ["crossfade: phase shift", "crossfade: phase drain"]


def interrupted_in_a_script():
    """Ctrl-C while a script runs: it is ended, and what it moved goes back"""
    run = Run(scenario=hanging("60s"))
    run.reaches("drain")
    os.kill(run.process.pid, signal.SIGINT)
    code = run.ends()
    run.leaves_nothing()
    assert code == 105, f"exit {code}: {run.stdout()[-1500:]}{run.stderr()[-500:]}"
    weights_went_back(run)


def run_killed_in_a_script():
    """SIGKILL of run while a script runs: the script and its children are gone with everything else"""
    run = Run(scenario=hanging("60s"))
    run.reaches("drain")
    run.pid_of("deaf-child")
    run.process.kill()
    run.ends()
    run.leaves_nothing()


def all_killed_in_a_script():
    """SIGKILL of run, supervisor and director at once while a script runs: nothing is left"""
    run = Run(scenario=hanging("60s"))
    run.reaches("drain")
    run.pid_of("deaf-child")
    for pid in [run.process.pid, run.pid_of("__supervisor"), run.pid_of("__director")]:
        lib.kill(pid)
    run.ends()
    run.leaves_nothing()


if __name__ == "__main__":
    lib.main([interrupted_once, interrupted_twice, interrupted_while_starting, interrupted_in_a_canary, run_killed,
              supervisor_killed, both_killed, killed_while_starting, worker_killed, redis_killed, agent_killed, agent_frozen, record_survives,
              script_hangs, interrupted_in_a_script, run_killed_in_a_script, all_killed_in_a_script])
