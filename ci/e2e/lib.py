"""For the end-to-end tests: runs the built program as a user would, with a deadline on everything, and finds every process
a run has started. A test is a function; its first line of documentation is what it proves. No test sleeps for a fixed time.
"""
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("CROSSFADE_BUILD", "build"))
CROSSFADE = os.path.join(BUILD, "crossfade")
MARK = "CROSSFADE_TEST_MARK"   # every process a run starts inherits it

# Whatever a test leaves on disk is under one folder: removed when all is well, kept and named when not.
SCRATCH = tempfile.mkdtemp(prefix="crossfade-e2e-")
tempfile.tempdir = SCRATCH


class Skipped(Exception):
    """Raised with the reason by a test that cannot run on this machine."""


def environment(mark, extra=None):
    """Ours, without what would change the meaning of a run."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("CROSSFADE_") and k not in ("GITHUB_ACTIONS", "NO_COLOR")}
    env["PATH"] = "/usr/bin:" + env.get("PATH", "")   # the distribution's aws, whatever else is called so
    env[MARK] = mark
    env.update(extra or {})
    return env


def talks_into(folder, pid):
    """Its standard output or error goes to a file in the folder."""
    for number in (1, 2):
        try:
            if os.readlink(f"/proc/{pid}/fd/{number}").startswith(folder + os.sep):
                return True
        except OSError:
            pass
    return False


def leftovers(mark):
    """Pids of the living processes of a run: those that carry its mark, and, as redis-server writes its title over its
    environment, those whose output is in this script's scratch folder. A zombie has neither and does not count."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as f:
                if wanted in f.read().split(b"\0") or talks_into(SCRATCH, name):
                    found.append(int(name))
        except OSError:
            pass   # ended meanwhile
    return found


def describe(pids):
    """What they are, for a failure's text."""
    lines = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                lines.append(f"{pid} {f.read().replace(bytes(1), b' ').decode(errors='replace')[:120]}")
        except OSError:
            pass
    return "; ".join(lines)


def kill(pid, number=signal.SIGKILL):
    """Signals one process; gone already is fine."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_until(condition, deadline):
    """The condition's value as soon as it is true, or its last value after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value or time.monotonic() >= end:
            return value
        # tidy: sleep: the pause between two looks at the condition
        time.sleep(0.02)


def run(args, env=None, timeout=60, cwd=ROOT, program=CROSSFADE, before=None):
    """Runs `crossfade ARGS` to its end: (exit code, stdout, stderr). Fails when it is not over in time, or when it leaves a
    process behind; either way nothing of it lives on. `before` is called in the child, to lower a limit for example."""
    mark = uuid.uuid4().hex
    child = subprocess.Popen([program, *args], cwd=cwd, env=environment(mark, env), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                             start_new_session=True, preexec_fn=before)
    late = False
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        late = True
    left = wait_until(lambda: not leftovers(mark), 0 if late else 15) or leftovers(mark)
    if left is not True:
        told = describe(left)
        for pid in left:
            kill(pid)
        out, err = child.communicate() if late else (out, err)
        what = f"not over after {timeout} s" if late else f"exit {child.returncode}, but left behind: {told}"
        raise AssertionError(f"crossfade {' '.join(args)}: {what}\n{out[-2000:]}\n{err[-2000:]}")
    if late:
        out, err = child.communicate()
        raise AssertionError(f"crossfade {' '.join(args)}: over only after {timeout} s\n{out[-2000:]}\n{err[-2000:]}")
    return child.returncode, out, err


def judged_again(record, code, text):
    """`check`, from another folder, ends with the same code, prints byte for byte what `run` printed, writes the same
    result.json as `run` left, and changes nothing in the record."""
    def contents():
        found = {}
        for name in sorted(os.listdir(record)):
            with open(os.path.join(record, name), "rb") as f:
                found[name] = f.read()
        return found
    before, elsewhere = contents(), tempfile.mkdtemp()
    for path in (record, os.path.relpath(record, elsewhere)):
        again = os.path.join(elsewhere, "again.json")
        found, out, err = run(["check", path, "--out", f"json={again}"], cwd=elsewhere, timeout=120)
        assert found == code, f"run said {code}, check {found}\n{out[-1500:]}{err[-500:]}"
        assert out == text, "check prints otherwise than run:\n" + "\n".join(
            difflib.unified_diff(text.splitlines(), out.splitlines(), "run", "check", lineterm=""))
        with open(again, "rb") as f:
            assert f.read() == before["result.json"], "check writes another result.json than run"
    assert contents() == before, "check changed the record"


def matrix(scenario, overlays, *words, where, jobs=2, env=None, timeout=600):
    """Each overlay once, their records in `where`: every defect is named and nothing else, every control passes."""
    code, out, err = run(["matrix", scenario, *words, "--clean-seeds", "1", "--seeds", "1", "--jobs", str(jobs), "--dir", where,
                          "--only", ",".join(overlays)], env=env, timeout=timeout)
    print("\n".join("    " + line for line in out.splitlines()))
    wrong = "\n".join(line for line in out.splitlines() if line.startswith("NOT OK"))
    assert code == 0, f"exit {code}\n{wrong}\n{err}"
    named = {line.split()[1] for line in out.splitlines() if line.startswith("ok")}
    assert named == set(overlays), named ^ set(overlays)


def load_result(path):
    with open(path) as f:
        return json.load(f)


def main(cases):
    """Runs the cases, or those named on the command line: one line each, and the count last. Leaves the program."""
    script = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    wanted = sys.argv[1:]
    unknown = set(wanted) - {case.__name__ for case in cases}
    if unknown:
        sys.exit(f"{script}: no case {', '.join(sorted(unknown))}; there are {', '.join(c.__name__ for c in cases)}")
    passed = failed = skipped = 0
    for case in cases:
        if wanted and case.__name__ not in wanted:
            continue
        begin = time.monotonic()
        told, word = "", "ok"
        try:
            case()
            passed += 1
        except Skipped as reason:
            skipped, word, told = skipped + 1, "SKIP", f"skipped: {reason}"
        except Exception as error:   # a test that breaks is a failed test, whatever broke
            failed, word = failed + 1, "NOT OK"
            told = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
        about = (case.__doc__ or "").strip().splitlines() or [""]
        print(f"{word:<6} {script}.{case.__name__}: {about[0]} ({time.monotonic() - begin:.1f} s)", flush=True)
        for line in told.splitlines():
            print(f"         {line}", flush=True)
    if failed:
        print(f"         records kept in {SCRATCH}")
    else:
        shutil.rmtree(SCRATCH, ignore_errors=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    sys.exit(1 if failed else 0)
