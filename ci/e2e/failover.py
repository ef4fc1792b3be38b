#!/usr/bin/env python3
"""Redis behind Sentinel: a coordinated failover loses nothing, a forced one loses what was acknowledged unless the agents write it
again; nothing of it outlives a kill."""
import concurrent.futures
import os
import signal
import subprocess
import sys
import tempfile
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

SCENARIO = "scenarios/redis_failover.yaml"
DIR = tempfile.mkdtemp(prefix="crossfade-failover-")


def failover(name, *words):
    """(exit code, result.json, what was printed)"""
    path = os.path.join(DIR, f"{name}.json")
    code, out, err = lib.run(["run", SCENARIO, *words, "-e", "LIVE=30", "--dir", os.path.join(DIR, name), "--out", f"json={path}"],
                             timeout=240, env={"QUIET_S": "3", "BUFFER_S": "1", "GRACE_S": "1"})
    assert os.path.exists(path), f"exit {code}\n{out[-2000:]}\n{err[-1000:]}"
    return code, lib.load_result(path), out


def coordinated():
    """FAILOVER=coordinated: exit 0, the primary changed and nothing is lost"""
    code, result, out = failover("coordinated", "-e", "FAILOVER=coordinated")
    assert code == 0 and result["anomalies"] == {}, (code, result["anomalies"], out[-3000:])


def forced():
    """FAILOVER=sentinel: exit 99, `ack_lost` with its turns; judged again the same"""
    code, result, out = failover("forced", "-e", "FAILOVER=sentinel")
    # A call that began in that second has lost all it had: its state is gone, not short.
    assert code == 99 and "ack_lost" in result["anomalies"], (code, result["anomalies"], out[-3000:])
    assert set(result["anomalies"]) <= {"ack_lost", "evaporated"}, result["anomalies"]
    continuity = next(c for c in result["checks"] if c["name"] == "state_continuity")
    texts = [w["text"] for w in continuity["witnesses"] if w["anomaly"] == "ack_lost"]
    assert texts and all("turn" in t and "two Redis servers were primary" in t for t in texts), continuity["witnesses"]
    left = [f for f in os.listdir(os.path.join(DIR, "forced")) if f.endswith((".rdb", ".aof"))]
    assert not left, f"states of calls on the disk: {left}"   # of a replica that was filled anew
    again = os.path.join(DIR, "again.json")
    code, out, err = lib.run(["check", os.path.join(DIR, "forced"), "--out", f"json={again}"], timeout=60)
    assert code == 99 and lib.load_result(again)["anomalies"] == result["anomalies"], (code, err)


def reapplied():
    """FAILOVER=sentinel AFTER=reapply: exit 0, two agents a color write again what the new primary lacks, the newest first"""
    code, result, out = failover("reapplied", "-e", "FAILOVER=sentinel", "-e", "AFTER=reapply", "-e", "INSTANCES=2")
    assert code == 0 and result["anomalies"] == {}, (code, result["anomalies"], out[-3000:])


def fenced():
    """STORE=fenced, both at once: coordinated, exit 0; sentinel, exit 99: what was acknowledged is gone, and the fence with it"""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = [pool.submit(failover, f"fenced-{how}", "-e", "STORE=fenced", "-e", f"FAILOVER={how}")
                for how in ("coordinated", "sentinel")]
        (code, result, out), (lossy_code, lossy, lossy_out) = [r.result() for r in runs]
    assert code == 0 and result["anomalies"] == {}, (code, result["anomalies"], out[-3000:])
    assert lossy_code == 99 and "ack_lost" in lossy["anomalies"], (lossy_code, lossy["anomalies"], lossy_out[-3000:])
    # Whose state went back is closed with 4409 as if another had claimed it; whose state is gone is claimed anew, with epoch 1.
    assert set(lossy["anomalies"]) <= {"ack_lost", "evaporated", "zombie_write", "fenced_off"}, lossy["anomalies"]
    dropped = next(c for c in lossy["checks"] if c["name"] == "dropped_calls")
    assert dropped["violations"] == lossy["anomalies"].get("fenced_off", 0), lossy["anomalies"]
    assert all("closed 4409" in w["text"] for w in dropped["witnesses"]), dropped["witnesses"]


def killed():
    """SIGKILL of run and supervisor once the Sentinels are there: no server, no Sentinel is left"""
    folder, mark = os.path.join(DIR, "killed"), uuid.uuid4().hex
    run = subprocess.Popen([lib.CROSSFADE, "run", SCENARIO, "--dir", folder], cwd=lib.ROOT, env=lib.environment(mark),
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = os.path.join(folder, "director.log")   # started last
    assert lib.wait_until(lambda: os.path.exists(log), 60), "the run did not come up"
    there = lib.leftovers(mark)
    told = lib.describe(there)
    assert told.count("redis-server") == 6, told
    supervisor = next(pid for pid in there if "__supervisor" in lib.describe([pid]))
    os.kill(run.pid, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    run.wait()
    lib.wait_until(lambda: not lib.leftovers(mark), 20)
    left = lib.leftovers(mark)
    for pid in left:
        lib.kill(pid)
    assert not left, lib.describe(left)
    assert not [f for f in os.listdir(folder) if f.endswith((".rdb", ".aof"))], os.listdir(folder)


lib.main([coordinated, forced, reapplied, fenced, killed])
