#!/usr/bin/env python3
"""Bad input: a clear error that names value, limit and place, the exit code that says whose fault it is, and nothing left
running (which lib.run sees to after each command)."""
import os
import resource
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

DEMO = os.path.join(lib.ROOT, "scenarios/demo.yaml")
BAD, HARNESS, INCONCLUSIVE = 104, 97, 98


def scenario(*replacements):
    """demo.yaml with words replaced; each must be there, or the test tests nothing."""
    with open(DEMO) as f:
        text = f.read()
    for old, new in replacements:
        assert old in text, f"demo.yaml no longer holds {old!r}"
        text = text.replace(old, new, 1)
    return written(text)


def written(text):
    handle, path = tempfile.mkstemp(suffix=".yaml")
    with os.fdopen(handle, "w") as f:
        f.write(text)
    return path


def refused(args, code, *parts, **how):
    """The command ends with the code and says all the parts on stderr, in one go and without our own words for a crash."""
    found, out, err = lib.run(args, **{"timeout": 60, **how})
    assert found == code, f"{' '.join(args)}: exit {found}, not {code}\n{out[-1000:]}\n{err[-1000:]}"
    for part in parts:
        assert part in err, f"{' '.join(args)}: {part!r} is not in: {err}"
    assert "our own bug" not in err, err
    return err


def refused_file(replacements, *parts):
    """run and validate say the same of a bad file: place, offending line, what is wrong."""
    path = scenario(*replacements)
    for command in ("run", "validate"):
        err = refused([command, path], BAD, f"{path}:", *parts)
        place = err.split(f"{path}:", 1)[1].split(":")
        assert place[0].isdigit() and place[1].isdigit(), f"no line and column: {err}"


def unknown_key():
    """a misspelt key: file:line:column, the line itself, the nearest key"""
    refused_file([("  hold:", "  hodl:")], "hodl", '"hold"', "  hodl: {")


def unknown_key_on_top():
    """a misspelt key at the top of the file"""
    refused_file([("cutover:\n", "cut_over:\n")], "cut_over", "cutover")


def duplicate_key():
    """the same key twice"""
    refused_file([("seed: 7", "seed: 7\nseed: 8")], "seed")


def bad_unit():
    """a duration without, or with an unknown unit: the value is named"""
    refused_file([("min: 2s", "min: 2parsecs")], "2parsecs")
    refused_file([("idle: 10s", "idle: 10")], "idle", "10")


def bad_percentile():
    """a percentile above 100"""
    refused_file([("p(99)", "p(999)")], "999")


def unknown_metric():
    """a gate on what is not measured"""
    refused_file([("  redis_turn:", "  redis_trun:")], "redis_trun", "redis_turn")


def contradicting_timers():
    """timers that cannot both hold: quiet shorter than stickiness, calls longer than longest_call"""
    refused_file([("deadline: 16s", "quiet: 500ms, deadline: 16s")], "quiet", "stickiness")
    refused_file([("longest_call: 8s", "longest_call: 5s")], "longest_call")


def broken_yaml():
    """what is not YAML, an empty file, bytes: no crash"""
    for text in ("name: [", "", "\t\0\1", "- a\n- b\n", "name: x\n  about: y\n"):
        path = written(text)
        refused(["run", path], BAD, path)
        refused(["validate", path], BAD, path)


def unknown_plugin():
    """a balancer or dialect this build does not have, said by validate as well, and once by matrix"""
    path = scenario(("stack: local", "stack: local\ntarget: { wire: plane }"))
    for command in ("run", "validate", "plan", "matrix"):
        refused([command, path], BAD, "target.wire", "plane", '"plain"', timeout=15)
    refused(["validate", scenario(("stack: local", "stack: local\nbalancer: { driver: nginx }"))], BAD, "nginx", "list")


def reader_leaves():
    """| head: the exit code stays the verdict's"""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        code = subprocess.run([lib.CROSSFADE, "plan", DEMO, "--calls"], stdout=writer, stderr=subprocess.PIPE, timeout=60)
    finally:
        os.close(writer)
    assert code.returncode == 0 and not code.stderr, f"exit {code.returncode}: {code.stderr}"


def missing_file():
    """a scenario that is not there, or is a folder"""
    refused(["run", "scenarios/no_such.yaml"], BAD, "scenarios/no_such.yaml", "No such file")
    refused(["run", "scenarios"], BAD, "scenarios")


def undefined_variable():
    """a variable without a value: the place and how to give one"""
    refused(["run", "scenarios/deployed.yaml"], BAD, "scenarios/deployed.yaml:", "HOST", "-e HOST=")
    refused(["run", DEMO, "-e", "LIVE"], BAD, "LIVE", "KEY=VALUE")
    refused(["run", DEMO, "-e", "LIVE=many"], BAD, "many", "live")


def bad_command_and_flags():
    """a misspelt command or flag: the nearest valid word; a missing or needless value"""
    refused(["rnu", DEMO], BAD, "rnu", '"run"')
    refused(["run", DEMO, "--sed", "3"], BAD, "--sed", "--seed")
    refused(["run", DEMO, "--seed"], BAD, "--seed", "value")
    refused(["run", DEMO, "--seed", "-1"], BAD, "--seed", "-1")
    refused(["run", DEMO, "--seed", "seven"], BAD, "--seed", "seven")
    refused(["run", DEMO, "--quiet=yes"], BAD, "--quiet")
    refused(["run", DEMO, "--workers", "0"], BAD, "--workers", "0", "16")
    refused(["run", DEMO, "--defect", "D99"], BAD, "D99")
    refused(["run"], BAD, "SCENARIO")


def bad_source_addresses():
    """--local-ips that are no addresses: refused before anything is started"""
    refused(["run", DEMO, "--local-ips", "127.0.0.300-5", "--dir", os.path.join(tempfile.mkdtemp(), "run")], BAD, "127.0.0.300-5")


def one_word_too_many():
    """a second scenario is not silently ignored"""
    refused(["run", DEMO, "scenarios/blue_green.yaml", "--dir", os.path.join(tempfile.mkdtemp(), "run")], BAD,
            "scenarios/blue_green.yaml")


def bad_outputs():
    """a report nobody writes, a folder that is not there: said before the first call, not after the last"""
    refused(["run", DEMO, "--out", "jsn=x"], BAD, "jsn", "json", timeout=15)
    refused(["run", DEMO, "--out", "json=/no/such/folder/x.json"], BAD, "/no/such/folder", timeout=15)
    refused(["run", DEMO, "--out", "json"], BAD, "json", timeout=15)


def bad_run_directory():
    """check, report and explain of what is no run; a run into a place that cannot be written"""
    empty = tempfile.mkdtemp()
    refused(["check", empty], BAD, empty)
    refused(["report", empty, "--out", "text=-"], BAD, empty)
    refused(["explain", empty, "c-0-1"], BAD, empty)
    refused(["check", "/no/such/run"], BAD, "/no/such/run")
    taken = written("here is a file")
    refused(["run", DEMO, "--dir", os.path.join(taken, "run")], BAD, taken, timeout=15)


def limited(descriptors):
    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    return lower


def too_many_calls():
    """more calls than `ulimit -n` carries: refused with the number, the limit and what would fit, not measured"""
    refused(["run", DEMO, "-e", "LIVE=1000"], BAD, "1000", "600", "ulimit", before=limited(600), timeout=15)
    refused(["run", DEMO, "-e", "LIVE=20"], BAD, "ulimit", "at most about 0 calls", before=limited(250), timeout=15)
    refused(["run", DEMO, "-e", "LIVE=20"], BAD, "513", "400", "at most about 0 calls", before=limited(400), timeout=15)
    refused(["run", DEMO, "-e", "LIVE=0"], BAD, "live")


def fake_redis(body):
    """A PATH whose redis-server is this script."""
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "redis-server")
    with open(path, "w") as f:
        f.write(body)
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def redis_does_not_start():
    """redis-server ends at once: our stack is broken, its own words are shown or pointed at"""
    record = os.path.join(tempfile.mkdtemp(), "run")
    refused(["run", DEMO, "--dir", record], HARNESS, "redis",
            env=fake_redis("#!/bin/sh\necho 'FATAL: planted by a test' >&2\nexit 1\n"))


def redis_never_listens():
    """redis-server lives and never answers: over after a deadline, not never"""
    record = os.path.join(tempfile.mkdtemp(), "run")
    refused(["run", DEMO, "--dir", record], HARNESS, "redis", env=fake_redis("#!/bin/sh\nexec tail -f /dev/null\n"),
            timeout=90)


def redis_is_missing():
    """no redis-server in PATH: said, with its name"""
    found, out, err = lib.run(["run", DEMO, "--dir", os.path.join(tempfile.mkdtemp(), "run")],
                              env={"PATH": tempfile.mkdtemp()}, timeout=60)
    assert found in (BAD, HARNESS) and "redis-server" in err, f"exit {found}: {err}"


def script_cannot_be_started():
    """A cutover script that is not there, or not executable: told before anybody calls, no failed cutover"""
    with open(os.path.join(lib.ROOT, "scenarios/aws_script.yaml")) as f:
        text = f.read()
    for script, says in (("/nowhere/cutover.sh", "No such file"), ("/etc/passwd", "Permission denied"), ("no-such-cutover", "PATH")):
        path = written(text.replace("fixtures/cutover/cutover.sh", script))
        record = os.path.join(tempfile.mkdtemp(), "run")
        refused(["run", path, "--dir", record], BAD, script, says)
        assert not os.path.exists(os.path.join(record, "script.log")), record


def target_refuses():
    """a deployed system nobody listens at: never a pass, the address is named, and the report says the same code"""
    path = written("""
name: refusing
about: Nobody listens there.
seed: 1
stack: none
target: { url: "ws://127.0.0.1:9/realtime/${call}", wire: plain }
state: { redis: "127.0.0.1:9" }
balancer: { driver: alb, endpoint: "http://127.0.0.1:9", path: "/realtime/*" }
timers: { stickiness: 1s, longest_call: 3s, propagation: 1s, setup_within: 2s, dead_after: 2s, deregistration_delay: 5s, idle: 10s }
calls:
  live: 3
  ramp: 500ms
  hold: { lognormal: { mean: 2s, sigma: 0.2 }, min: 1s, max: 3s }
  turn: { every: 500ms }
  profiles:
    bridge: { share: 100% }
cutover:
  - steady: { for: 2s }
gates:
  refused: [ "count == 0" ]
""")
    record = os.path.join(tempfile.mkdtemp(), "run")
    err = refused(["run", path, "--dir", record], INCONCLUSIVE, "127.0.0.1:9")
    result = lib.load_result(os.path.join(record, "result.json"))
    assert result["exit_code"] == INCONCLUSIVE and result["verdict"] == "inconclusive", err
    code, out, _ = lib.run(["check", record])
    assert code == INCONCLUSIVE and "127.0.0.1:9" in out, f"check: exit {code}\n{out}"


if __name__ == "__main__":
    lib.main([unknown_key, unknown_key_on_top, duplicate_key, bad_unit, bad_percentile, unknown_metric, contradicting_timers,
              broken_yaml, unknown_plugin, reader_leaves, missing_file, undefined_variable, bad_command_and_flags, bad_source_addresses, one_word_too_many, bad_outputs,
              bad_run_directory, too_many_calls, redis_does_not_start, redis_never_listens, redis_is_missing, script_cannot_be_started, target_refuses])
