"""The bench's part `tap`: commands through `crossfade tap` against the same commands direct, before one redis-server, in one
run; and through HAProxy in mode tcp, which passes bytes on and reads none of them: what any proxy costs here. They take turns,
back and forth, so that the neighbours' noise falls on all alike; medians are compared. Where it is allowed, all programs of the measurement run at a real-time priority: it is the tap that is asked about, not its neighbours."""
import os
import shutil
import signal
import socket
import statistics
import subprocess
import time

from lib import BUILD, line, program, spoken, start_haproxy

CONNECTIONS, RATE, SECONDS = 20, 10000, 1
WAYS = ("direct", "tap", "haproxy")
ORDER = (WAYS + WAYS[::-1]) * 6
PIPELINE, COMMANDS, FLAT_OUT = 16, 400000, 12   # the last: of ORDER
HAPROXY = """
global
    nbthread 1
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen redis
    bind fd@{listener}
    server one 127.0.0.1:{redis}
"""
READY_WITHIN_S = 10


def undisturbed():
    """All that this process and its children do from now on, before whatever else the machine does. False: not allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        return True
    except PermissionError:
        return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def start_redis(port):
    child = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + READY_WITHIN_S
    while not answers(port) and child.poll() is None and time.monotonic() < end:
        # tidy: sleep: the pause between two looks
        time.sleep(0.02)
    return child


def start_tap(port, where):
    """The child, and the port of its door."""
    child = subprocess.Popen([os.path.join(BUILD, "crossfade"), "tap", "--upstream", f"127.0.0.1:{port}", "--dir",
                              os.path.join(where, "tap")], stdout=subprocess.PIPE, text=True)
    door = child.stdout.readline().split()[1].rpartition(":")[2]
    child.stdout.readline(), child.stdout.readline()
    return child, int(door)


def cpu_us(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def paced(ports):
    times = {name: [] for name in WAYS}
    for name in ORDER:
        told = spoken([program("redis_client"), str(ports[name]), str(CONNECTIONS), str(RATE), str(SECONDS)], 60)
        if not told:
            return
        times[name].append(told)
    for quantile, asked in (("p50", ""), ("p99", "at most 1")):
        direct, tap, haproxy = (statistics.median(t[f"{quantile}_us"] for t in times[name]) for name in WAYS)
        line(f"{quantile} of a command at {RATE:,}/s", f"{direct:.0f} us direct, {tap:.0f} us through the tap: adds "
             f"{tap - direct:.0f} us = {(tap - direct) / 60:.2f} of 60 us; HAProxy adds {haproxy - direct:.0f} us", asked)


def flat_out(ports, pid):
    rates = {name: {} for name in WAYS}
    spent = 0
    for name in ORDER[:FLAT_OUT]:
        before = cpu_us(pid)
        done = subprocess.run(["redis-benchmark", "-p", str(ports[name]), "-P", str(PIPELINE), "-n", str(COMMANDS), "-t", "set,get",
                               "-r", "10000", "--csv"], capture_output=True, text=True, timeout=120)
        if done.returncode:
            line("not measured", f"redis-benchmark: exit {done.returncode}: {done.stderr.strip()}")
            return
        spent += cpu_us(pid) - before if name == "tap" else 0
        for row in done.stdout.splitlines()[1:]:
            test, rate = row.replace('"', "").split(",")[:2]
            rates[name].setdefault(test, []).append(float(rate))
    for test in rates["direct"]:
        direct, tap, haproxy = (statistics.median(rates[name][test]) for name in WAYS)
        line(f"redis-benchmark -P {PIPELINE}, {test}", f"{direct / 1000:,.0f} thousand/s direct, {tap / 1000:,.0f} through the tap = "
             f"{tap / direct:.2f} of it; HAProxy {haproxy / direct:.2f}", "at least 0.5")
    line("CPU of the tap per command", f"{spent / (COMMANDS * 2 * FLAT_OUT / len(WAYS)):.2f} us")


def tap(where):
    print("the Redis tap, before one redis-server", flush=True)
    missing = [name for name in ("redis-server", "redis-benchmark", "haproxy")
               if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        line("not measured", f"not here: {' '.join(missing)}")
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    line("real-time priority", "yes" if undisturbed() else "not allowed: the neighbours' noise is in the numbers")
    try:
        measure(where)
    finally:
        os.sched_setscheduler(0, *before)


def measure(where):
    port = free_port()
    redis = start_redis(port)
    haproxy, listener = start_haproxy(HAPROXY, where, redis=port)
    try:
        child, door = start_tap(port, where)
        try:
            ports = {"direct": port, "tap": door, "haproxy": listener.getsockname()[1]}
            paced(ports)
            flat_out(ports, child.pid)
        finally:
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=60)
    finally:
        for peer in (haproxy, redis):
            peer.kill()
            peer.wait()
        listener.close()
        shutil.rmtree(os.path.join(where, "tap"), ignore_errors=True)
