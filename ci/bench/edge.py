"""The bench's part `edge`: our ALB (fixtures/alb) against HAProxy of Debian, one thread each, between the same bare callers and
the same bare echo peer, in one run. A proxy is started afresh for each measurement; the two take turns, ABBA, so that the
neighbours' noise falls on both alike; medians are compared."""
import os
import socket
import statistics
import subprocess
import time

from lib import BUILD, echo_peer, line, program, spoken, start_haproxy

# Turns a second: the same at each size where they are paced, as many as come where they are not.
PACED, FLAT_OUT, MOST = (5000, 500, 5), (200, 0, 5), (9000, 500, 5)   # connections, ms between two turns, seconds
ORDER = ("edge", "haproxy", "haproxy", "edge") * 2
FRAMES = 2   # of a round trip: a turn and its reply, each forwarded once
READY_WITHIN_S = 10
HAPROXY = """
global
    nbthread 1
    maxconn 9500
defaults
    mode http
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
    option forwardfor
frontend callers
    bind fd@{listener}
    default_backend agents
backend agents
    server blue-1 127.0.0.1:{peer} check inter 1000
"""


def upgraded(port):
    """Does it join us with the peer?"""
    head = b"GET /realtime/c HTTP/1.1\r\nHost: e\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=READY_WITHIN_S) as s:
            s.sendall(head)
            return s.recv(64).startswith(b"HTTP/1.1 101 ")
    except OSError:
        return False


class Proxy:
    """One of the two, running, in front of the peer: its `port` and `pid`."""

    def __init__(self, name, peer, where):
        self.listener = None
        start = self.start_edge if name == "edge" else self.start_haproxy
        self.child = start(peer, where)
        self.pid = self.child.pid

    def start_edge(self, peer, _):
        child = subprocess.Popen([os.path.join(BUILD, "fixtures/alb/main"), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
                                  "--idle-timeout-s", "3600", "--health-interval-ms", "1000",
                                  "--target", f"blue=127.0.0.1:{peer}", "--weights", "blue=100,green=0"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.port = int(child.stdout.readline().rpartition(":")[2] or 0)
        return child

    def start_haproxy(self, peer, where):
        child, self.listener = start_haproxy(HAPROXY, where, peer=peer)
        self.port = self.listener.getsockname()[1]
        return child

    def ready(self):
        end = time.monotonic() + READY_WITHIN_S
        while not upgraded(self.port):
            if self.child.poll() is not None or time.monotonic() > end:
                return False
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        if self.listener:
            self.listener.close()


def measure(name, size, peer, where):
    """What the client says of one proxy at one size, or None, having said why."""
    try:
        with Proxy(name, peer, where) as proxy:
            if not proxy.ready():
                line("not measured", f"{name} does not serve within {READY_WITHIN_S} s")
                return None
            told = spoken([program("epoll_client"), str(proxy.port), *map(str, size), str(proxy.pid)], 120)
            if told and (proxy.child.poll() is not None or not told["round_trips"]):
                line("not measured", f"{name} forwarded {told['round_trips']} turns, status {proxy.child.returncode}")
                return None
            return told
    except OSError as error:
        line("not measured", error)
        return None


def compare(what, size, peer, where):
    """{name: [what was told]} of all rounds, or None."""
    rounds = {"edge": [], "haproxy": []}
    for name in ORDER:
        told = measure(name, size, peer, where)
        if not told:
            return None
        rounds[name].append(told)
    cpu = {name: statistics.median(told["proxy_cpu_us"] / FRAMES for told in rounds[name]) for name in rounds}
    rate = {name: statistics.median(told["round_trips"] for told in rounds[name]) * FRAMES / size[2] for name in rounds}
    single = [a["proxy_cpu_us"] / b["proxy_cpu_us"] for a, b in zip(rounds["edge"], rounds["haproxy"])]
    line(f"CPU per frame, {what}", f"{cpu['edge']:.1f} us = {cpu['edge'] / cpu['haproxy']:.2f} x HAProxy's "
         f"{cpu['haproxy']:.1f} us (rounds {min(single):.2f} to {max(single):.2f})", "at most 1.2 x")
    line(f"frames a second, {what}", f"{rate['edge']:,.0f}, HAProxy {rate['haproxy']:,.0f}")
    return rounds


def edge(where):
    print("the ALB edge against HAProxy, both between the bare client and the echo peer", flush=True)
    with echo_peer() as peer:
        paced = compare(f"paced, {PACED[0]:,} connections", PACED, peer, where)
        if not paced:
            return
        held = {name: statistics.median(told["proxy_bytes_per_connection"] for told in paced[name]) for name in paced}
        line(f"memory per connection at {PACED[0]:,}", f"{held['edge']:,.0f} bytes = {held['edge'] / held['haproxy']:.2f} x "
             f"HAProxy's {held['haproxy']:,.0f}", "at most 1 x")
        if not compare(f"flat out, {FLAT_OUT[0]} connections", FLAT_OUT, peer, where):
            return
        told = measure("edge", MOST, peer, where)
        if told:
            line("connections through one edge process", f"{told['connections']:,}, {told['round_trips']:,} turns in {MOST[2]} s, "
                 f"{told['unanswered']:,} unanswered", f"{MOST[0]:,}, 0 unanswered")
