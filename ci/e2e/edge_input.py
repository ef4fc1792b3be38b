#!/usr/bin/env python3
"""Bad input on the sockets of the local stack's edge, both of them: whatever is sent is answered or the connection closed, in
time; the process stays the one it was, a call that was open before is not harmed, new calls are answered."""
import os
import select
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

HEAD_LIMIT = 64 * 1024
HEAD_WITHIN_S, CONTROL_WITHIN_S = 1, 10   # the first we set; the second the edge has of its own
PATIENCE_S = 30                           # for anything else
UPGRADE = b"Host: e\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
          b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = b"&Version=2015-12-01"


def dial(port):
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def send(s, data):
    """The other side may have hung up meanwhile, which is an answer as well."""
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def received(s):
    """All it says until it hangs up, or until it has joined us with the agent. Raises when it does neither in time."""
    told = b""
    try:
        while not (told.startswith(b"HTTP/1.1 101 ") and b"\r\n\r\n" in told):
            more = s.recv(65536)
            if not more:
                break
            told += more
    except ConnectionResetError:
        pass
    except socket.timeout:
        raise AssertionError(f"neither answered nor closed within {PATIENCE_S} s; so far {told[:80]!r}") from None
    return told


def exchange(port, data, finish=False):
    """What comes back for the bytes; finish: and a FIN behind them."""
    with dial(port) as s:
        send(s, data)
        if finish:
            try:
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass   # it has hung up already
        return received(s)


def post(body, *fields):
    return b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: %d\r\n" % len(body) + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body


def agent(listener):
    """Healthy, and an echo: says 101 to an upgrade and everything back that follows."""
    def serve(s):
        with s:
            told = b""
            while b"\r\n\r\n" not in told:
                more = s.recv(65536)
                if not more:
                    return
                told += more
            if b"pgrade: websocket" not in told:
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            more = told.partition(b"\r\n\r\n")[2] or s.recv(65536)
            while more:
                s.sendall(more)
                more = s.recv(65536)

    def serve_one(s):
        try:
            serve(s)
        except OSError:
            pass   # the other side is gone

    while True:
        threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()


class Edge:
    """The program, with an agent behind it and one call open through it."""

    def __enter__(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        threading.Thread(target=agent, args=(listener,), daemon=True).start()
        self.child = subprocess.Popen([os.path.join(lib.BUILD, "fixtures/alb/main"), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
                                       "--target", f"blue=127.0.0.1:{listener.getsockname()[1]}", "--weights", "blue=100,green=0",
                                       "--health-interval-ms", "200", "--head-timeout-ms", str(HEAD_WITHIN_S * 1000)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.listen, self.control = (int(self.child.stdout.readline().rpartition(":")[2]) for _ in range(2))
        assert lib.wait_until(self.admits, PATIENCE_S), "the edge never admitted a call"
        self.call = dial(self.listen)
        self.call.sendall(b"GET /realtime/c HTTP/1.1\r\n" + UPGRADE + b"\r\n")
        assert received(self.call).startswith(b"HTTP/1.1 101 ")
        return self

    def __exit__(self, *_):
        self.call.close()
        self.child.kill()
        self.child.wait()

    def admits(self):
        return exchange(self.listen, b"GET /realtime/c HTTP/1.1\r\n" + UPGRADE + b"\r\n").startswith(b"HTTP/1.1 101 ")

    def unharmed(self):
        assert self.child.poll() is None, f"the edge ended with {self.child.returncode}"
        self.call.sendall(b"still there?")
        assert self.call.recv(64) == b"still there?", "the open call was harmed"
        assert self.admits(), "no new call is admitted"
        told = exchange(self.control, post(b"Action=DescribeTargetGroups" + VERSION))
        assert told.startswith(b"HTTP/1.1 200 "), told[:200]


EDGE = Edge()


def refused(port, data, what, finish=False):
    """An answer of the 4xx, or none and an end."""
    told = exchange(port, data, finish)
    assert not told or told.startswith(b"HTTP/1.1 4"), f"{what}: {told[:120]!r}"
    return told


def oversized_heads():
    """heads over every limit: one long field, many fields, a long path, a line without an end"""
    for port in (EDGE.listen, EDGE.control):
        for what, head in (
            ("a long field", b"GET /realtime/c HTTP/1.1\r\nHost: e\r\nX: " + b"x" * HEAD_LIMIT + b"\r\n\r\n"),
            ("many fields", b"GET /realtime/c HTTP/1.1\r\nHost: e\r\n" + b"X: y\r\n" * 1000 + b"\r\n"),
            ("a long path", b"GET /realtime/" + b"x" * HEAD_LIMIT + b" HTTP/1.1\r\nHost: e\r\n\r\n"),
            ("a line without an end", b"GET /" + b"x" * (1 << 20)),
            ("no line at all", b"\r\n" * HEAD_LIMIT),
        ):
            refused(port, head, what)
    EDGE.unharmed()


def slow_heads():
    """a head that comes a byte at a time is over in time, whoever sends how many; calls go on meanwhile"""
    for port, count, within_s in ((EDGE.listen, 200, HEAD_WITHIN_S), (EDGE.control, 80, CONTROL_WITHIN_S)):
        begin, left, told = time.monotonic(), {}, []
        for _ in range(count):
            s = dial(port)
            left[s] = b""
            send(s, b"GET /realtime/c HTTP/1.1\r\nX: ")
        while left:
            assert time.monotonic() - begin < 2 * within_s + PATIENCE_S, f"{len(left)} of {count} are still held open"
            for s in select.select(list(left), [], [], 0.1)[0]:
                told.append(received(s))
                s.close()
                del left[s]
            for s in left:
                send(s, b"x")
            if port == EDGE.listen:
                assert EDGE.admits(), "nobody else is admitted meanwhile"
        assert time.monotonic() - begin >= within_s, "they were not even heard out"
        assert all(not t or t.startswith(b"HTTP/1.1 408 ") for t in told), set(told)
    EDGE.unharmed()


def half_closed_sockets():
    """a FIN in the middle of a head or a body, behind a whole head, and nothing at all"""
    whole = b"GET /realtime/c HTTP/1.1\r\n" + UPGRADE + b"\r\n"
    body = post(b"Action=DescribeRules" + VERSION)
    for port, data in ((EDGE.listen, whole), (EDGE.control, body)):
        for size in (0, 1, 30, len(data) - 1):
            refused(port, data[:size], f"{size} bytes and a FIN", finish=True)
    told = exchange(EDGE.listen, whole, finish=True)
    assert not told or told.startswith(b"HTTP/1.1 101 "), told[:120]
    with dial(EDGE.listen) as s:   # one direction over, the other still in use
        s.sendall(whole + b"last words")
        s.shutdown(socket.SHUT_WR)
        told = received(s)
        while (more := s.recv(65536)):   # to the FIN that answers ours
            told += more
        assert told.endswith(b"last words"), told[-80:]
    EDGE.unharmed()


def cookies_of_64_kib():
    """cookies as large as a head may be, and larger: many, one long, one that looks like ours"""
    for cookie in (b"a=" + b"x" * 60000, b"a=1; " * 12000, b"AWSALBTG=" + b"A" * 60000, b"AWSALB=%s; " % (b"A" * 64) * 800,
                   b";" * 60000, b"=" * 60000):
        told = exchange(EDGE.listen, b"GET /realtime/c HTTP/1.1\r\n" + UPGRADE + b"Cookie: " + cookie + b"\r\n\r\n")
        assert told.startswith((b"HTTP/1.1 101 ", b"HTTP/1.1 4")), f"{cookie[:20]}: {told[:80]}"
        refused(EDGE.listen, b"GET /realtime/c HTTP/1.1\r\n" + UPGRADE + b"Cookie: " + cookie + b"x" * 8192 + b"\r\n\r\n", cookie[:20])
    EDGE.unharmed()


def invalid_utf8():
    """bytes that are no text, in path, name, value and form"""
    for bad in (b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\x80" * 300):
        for head in (b"GET /realtime/" + bad + b" HTTP/1.1\r\n" + UPGRADE, b"GET /realtime/c HTTP/1.1\r\n" + UPGRADE + b"X: " + bad + b"\r\n",
                     b"GET /realtime/c HTTP/1.1\r\n" + UPGRADE + bad + b": x\r\n", b"GET /realtime/c?" + bad + b" HTTP/1.1\r\n" + UPGRADE):
            told = exchange(EDGE.listen, head + b"\r\n")
            assert not told or told.startswith((b"HTTP/1.1 101 ", b"HTTP/1.1 4")), f"{head[:60]}: {told[:80]}"
        for body in (b"Action=" + bad + VERSION, b"Action=DescribeRules&" + bad + b"=x" + VERSION,
                     b"Action=DescribeTargetGroups&Names.member.1=" + bad + VERSION):
            answered_with_error(body)
    EDGE.unharmed()


def answered_with_error(body, *fields):
    """A 4xx whose body is a whole error, in the protocol that was spoken."""
    told = exchange(EDGE.control, post(body, *fields))
    assert told.startswith(b"HTTP/1.1 4"), f"{body[:80]}: {told[:120]}"
    if fields:
        assert b'"__type"' in told, f"{body[:80]}: {told[-200:]}"
        return
    answer = xml.etree.ElementTree.fromstring(told.partition(b"\r\n\r\n")[2])
    assert answer.find(".//{*}Error/{*}Code").text, f"{body[:80]}: {told[-200:]}"


def malformed_bodies():
    """forms and JSON that are none: an error of AWS's form, never an end of the process"""
    for body in (b"", b"&", b"=", b"Action", b"Action=", b"Action=%", b"Action=%4", b"Action=%zz", b"Action=%00", b"a=1&" * 600, b"\0",
                 b"Action=DescribeRules", b"Action=DescribeRules&Version=2015-12-0", b"Action=" + b"x" * 100000 + VERSION,
                 b"Action=ModifyRule&RuleArn=" + b"x" * 100000 + VERSION, b"Action=ModifyRule&Actions.member.99999999999.Type=forward" + VERSION,
                 b"Action=DescribeTargetHealth&TargetGroupArn=%3Cb%3E%26" + VERSION, b"Action=DescribeRules&PageSize=-1" + VERSION):
        answered_with_error(body)
    for body in (b"", b"{", b"[]", b"null", b"{}" * 2, b"[" * 100000, b'{"a":' * 100000, b'{"Namespace":"\\ud800"}', b"\xff{}",
                 b'{"MetricDataQueries":[1e999]}'):
        answered_with_error(body, b"X-Amz-Target: GraniteServiceVersion20100801.GetMetricData")
    EDGE.unharmed()


def malformed_posts():
    """lengths that are wrong, missing, doubled or a lie; other methods and paths"""
    for head in (b"GET / HTTP/1.1", b"POST /x HTTP/1.1", b"POST / HTTP/1.1", b"POST / HTTP/1.1\r\nContent-Length: -1",
                 b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999", b"POST / HTTP/1.1\r\nContent-Length: 2097152",
                 b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked",
                 b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
        refused(EDGE.control, head + b"\r\n\r\n", head, finish=True)
        refused(EDGE.listen, head + b"\r\n\r\n", head, finish=True)
    EDGE.unharmed()


def resets_and_silence():
    """hundreds of connections that say nothing and end with a reset, on both ports"""
    for port in (EDGE.listen, EDGE.control):
        for _ in range(300):
            s = dial(port)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.close()
    EDGE.unharmed()


if __name__ == "__main__":
    with EDGE:
        lib.main([oversized_heads, slow_heads, half_closed_sockets, cookies_of_64_kib, invalid_utf8, malformed_bodies, malformed_posts,
                  resets_and_silence])
