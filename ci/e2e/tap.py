#!/usr/bin/env python3
"""End to end: `crossfade tap` before a genuine redis-server, spoken to by the genuine clients of the redis-tools package and
by whoever sends random bytes."""
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import uuid

import lib

WITHIN_S = 120


def genuine(*words, timeout=WITHIN_S, ok=True, stdin=subprocess.DEVNULL):
    """What a genuine client prints."""
    done = subprocess.run(words, stdin=stdin, capture_output=True, text=True, errors="replace", timeout=timeout)
    assert not ok or done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-500:]}"
    return done.stdout


@contextlib.contextmanager
def redis_server(*options):
    """The path of the unix socket of a redis-server without a port."""
    where = tempfile.mkdtemp()
    path = os.path.join(where, "s")
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", where, *options],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert lib.wait_until(lambda: os.path.exists(path), 20), "redis-server did not come up"
        yield path
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def redis_port(*options, tls=()):
    """The port of a redis-server; a free one, asked again should somebody be quicker. With the options for it, of TLS alone."""
    for _ in range(5):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        ports = ["--port", "0", "--tls-port", str(port), *tls] if tls else ["--port", str(port)]
        server = subprocess.Popen(["redis-server", *ports, "--bind", "127.0.0.1", "--save", "", "--dir",
                                   tempfile.mkdtemp(), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def answers():
                with socket.socket() as s:
                    return s.connect_ex(("127.0.0.1", port)) == 0
            if lib.wait_until(lambda: server.poll() is not None or answers(), 20) and server.poll() is None:
                yield port
                return
        finally:
            server.kill()
            server.wait()
    raise AssertionError("no free port for redis-server")


class Tap:
    """`crossfade tap` while it runs; afterwards `summary` is what it printed last."""

    def __init__(self, upstream, *options):
        self.dir = os.path.join(tempfile.mkdtemp(), "record")
        self.process = subprocess.Popen([lib.CROSSFADE, "tap", "--upstream", upstream, "--dir", self.dir, *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=lib.environment(uuid.uuid4().hex))
        self.doors, self.summary = [], ""
        for line in self.process.stdout:
            if line.startswith("door"):
                self.doors.append(line.split()[1])
            if line.startswith("record"):
                break

    def __enter__(self):
        assert self.doors, self.process.communicate()[1]
        self.port = self.doors[0].rpartition(":")[2]
        return self

    def __exit__(self, kind, *rest):
        self.process.send_signal(signal.SIGINT)
        try:
            self.summary, errors = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.summary, errors = self.process.communicate()
        if kind is None:
            assert self.process.returncode == 0, f"exit {self.process.returncode}: {errors}\n{self.summary}"

    def cli(self, *words, **more):
        return genuine("redis-cli", "-h", "127.0.0.1", "-p", self.port, *words, **more)

    def row(self, verb):
        """[commands, ok, nil, refused, unknown] of a verb in the summary."""
        found = re.search(rf"^  {verb} +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) ", self.summary, re.MULTILINE)
        return [int(n) for n in found.groups()] if found else None

    def connect(self):
        return socket.create_connection(("127.0.0.1", int(self.port)), 20)


def read_all(s, size):
    data = b""
    while len(data) < size:
        more = s.recv(65536)
        assert more, f"closed after {data!r}"
        data += more
    return data


def benchmark():
    """redis-benchmark: all its tests, alone and in pipelines of 16, nothing refused, nothing unread"""
    with redis_server() as path:
        with Tap(f"unix:{path}") as tap:
            for more in ((), ("-P", "16")):
                told = genuine("redis-benchmark", "-p", tap.port, "-n", "3200", "-c", "20", "--csv", *more)
                assert '"MSET (10 keys)"' in told, told
        assert "passed on unread" not in tap.summary, tap.summary
        assert tap.row("all")[4] == 0 and tap.row("get")[:2] == [6400, 6400], tap.summary
        assert tap.row("lrange")[1] >= 25600, tap.summary


def client():
    """redis-cli: values, transactions, scripts, RESP3, --latency, --bigkeys, --pipe, subscriptions, MONITOR"""
    with redis_server() as path:
        with Tap(f"unix:{path}") as tap:
            assert tap.cli("SETEX", "call:c-1", "60", '{"turns":1,"digest":"00000000000000ff"}') == "OK\n"
            assert '"turns":1' in tap.cli("GET", "call:c-1")
            assert '"turns":1' in tap.cli("-3", "GET", "call:c-1")
            assert tap.cli("EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", "1", "call:c-2", "x") == "OK\n"
            big = "x" * (1 << 20)
            assert tap.cli("-x", "SET", "big", stdin=text_file(big)) == "OK\n"
            assert len(tap.cli("GET", "big")) == (1 << 20) + 1
            batch = tap.cli(stdin=text_file("MULTI\nSET a 1\nLPUSH a 2\nGET a\nEXEC\nMULTI\nSET b 1\nDISCARD\nGET b\n"))
            assert "WRONGTYPE" in batch, batch
            assert "biggest" in tap.cli("--bigkeys").lower()
            pipe = "".join(f"SET k{i} {i}\r\n" for i in range(2000))
            assert "replies: 2000" in tap.cli("--pipe", stdin=text_file(pipe))
            latency = subprocess.run(["timeout", "-s", "INT", "2", "redis-cli", "-p", tap.port, "--latency"],
                                     stdin=subprocess.DEVNULL, capture_output=True, text=True)
            assert re.match(r"\d+ \d+ \d+\.\d+ \d+", latency.stdout), latency
            with listening(tap, "SUBSCRIBE", "news") as heard:
                assert lib.wait_until(lambda: tap.cli("PUBLISH", "news", "hello") == "1\n", 20)
                assert lib.wait_until(lambda: "hello" in heard(), 20), heard()
            with listening(tap, "MONITOR") as heard:
                assert lib.wait_until(lambda: "OK" in heard(), 20)
                assert lib.wait_until(lambda: tap.cli("PING") and '"PING"' in heard(), 20), heard()
        assert tap.row("multi")[:2] == [2, 2] and tap.row("lpush")[3] == 1, tap.summary
        assert "unread: MONITOR" in tap.summary and tap.summary.count("passed on unread") == 1, tap.summary


def text_file(text):
    f = tempfile.TemporaryFile("w+")
    f.write(text)
    f.seek(0)
    return f


@contextlib.contextmanager
def listening(tap, *words):
    """A redis-cli that only listens; what it has heard so far."""
    with tempfile.NamedTemporaryFile("r") as out, open(out.name, "w") as sink:
        child = subprocess.Popen(["redis-cli", "-p", tap.port, *words], stdin=subprocess.DEVNULL, stdout=sink)
        try:
            def heard():
                out.seek(0)
                return out.read()
            yield heard
        finally:
            child.kill()
            child.wait()


def random_bytes():
    """random bytes: the tap says that it cannot read them, lives on, and Redis answers the next client"""
    dice = random.Random(7)
    with redis_server() as path:
        with Tap(f"unix:{path}") as tap:
            for i in range(200):
                with tap.connect() as s:
                    begin = dice.choice([b"", b"*3\r\n$3\r\nSET\r\n", b"*1\r\n$4\r\nPING\r\n", b"MULTI\r\n", b"SUBSCRIBE a\r\n"])
                    s.sendall(begin + dice.randbytes(dice.randrange(3000)))
                    if i % 2:
                        s.shutdown(socket.SHUT_WR)
                        s.settimeout(20)
                        with contextlib.suppress(ConnectionResetError):
                            while s.recv(65536):
                                pass
            assert tap.cli("PING") == "PONG\n"
        assert tap.row("ping"), tap.summary


def passwords():
    """a password is in no byte of the record, whether AUTH or HELLO carries it, in one piece or two"""
    secret = "Hunter2-" + "".join(uuid.uuid4().hex for _ in range(8))   # more than registers hold, which the stack may keep
    with redis_server("--requirepass", secret) as path:
        with Tap(f"unix:{path}") as tap:
            assert tap.cli("--no-auth-warning", "-a", secret, "PING") == "PONG\n"
            assert tap.cli("--no-auth-warning", "-3", "-a", secret, "--user", "default", "PING") == "PONG\n"
            with tap.connect() as s:
                s.sendall(f"HELLO 3 AUTH default {secret[:9]}".encode())
                s.sendall(f"{secret[9:]}\r\n".encode())
                assert read_all(s, 1)[:1] == b"%"
                found = memory_holds(tap.process.pid, secret[-200:].encode())
            assert not found, f"the tap still has the password in memory: {found}"
        assert "NOAUTH" in tap.summary, "the census cannot be taken without the password, and says so\n" + tap.summary
    for name in os.listdir(tap.dir):
        with open(os.path.join(tap.dir, name), "rb") as f:
            assert secret.encode() not in f.read(), name
    assert secret not in tap.summary


def memory_holds(pid, wanted):
    """The mapping of a process that holds the bytes, or None."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if not place:
                continue
            begin, end = (int(n, 16) for n in place.groups())
            if end - begin > 1 << 28:   # a sanitiser's own
                continue
            memory.seek(begin)
            if wanted in memory.read(end - begin):
                return line.strip()
    return None


def bypass():
    """a client past the tap is told with its address and last command; one that says it is ours is not"""
    with redis_port() as port:
        with Tap(f"127.0.0.1:{port}") as tap, tap.connect() as agent:
            agent.sendall(b"SETEX call:c-1 60 x\r\n")
            assert read_all(agent, 5) == b"+OK\r\n"
            with socket.create_connection(("127.0.0.1", port), 20) as ours, \
                    socket.create_connection(("127.0.0.1", port), 20) as past:
                ours.sendall(b"CLIENT SETNAME crossfade-mine\r\nGET a\r\n")
                assert read_all(ours, 10) == b"+OK\r\n$-1\r\n"
                past.sendall(b"SET call:c-1 y\r\n")
                assert read_all(past, 5) == b"+OK\r\n"
                address = "%s:%d" % past.getsockname()
                lane = os.path.join(tap.dir, "tap-0.lane")
                assert lib.wait_until(lambda: address.encode() in open(lane, "rb").read(), 20), "not told"
        assert f'bypass        1 past the tap: {address}, name "", last command set' in tap.summary, tap.summary
        assert "; 1 clients past" in tap.summary, tap.summary


def certificate(folder, *names):
    """Paths of an authority's certificate, of one it signed for the names, and of that one's key."""
    ca, ca_key, pem, key, request, extra = (os.path.join(folder, name) for name in
                                            ("ca.pem", "ca.key", "redis.pem", "redis.key", "redis.csr", "names"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    with open(extra, "w") as f:
        f.write(f"subjectAltName={','.join(names)}\n")
    genuine("openssl", "req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-subj", "/CN=Some authority", "-days", "2")
    genuine("openssl", "req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=redis")
    genuine("openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
            "-extfile", extra, "-out", pem)
    return ca, pem, key


def tls():
    """a redis-server that speaks TLS alone, and wants to be shown a certificate: clients without TLS come through the tap"""
    with tempfile.TemporaryDirectory() as folder:
        ca, pem, key = certificate(folder, "IP:127.0.0.1")
        options = ("--tls-cert-file", pem, "--tls-key-file", key, "--tls-ca-cert-file", ca, "--tls-auth-clients", "yes")
        ours = ("--upstream-ca", ca, "--upstream-cert", pem, "--upstream-key", key)
        with redis_port(tls=options) as port:
            past = ("redis-cli", "-p", str(port), "--tls", "--cacert", ca, "--cert", pem, "--key", key)
            with Tap(f"rediss://127.0.0.1:{port}", *ours) as tap:
                assert tap.cli("SETEX", "call:c-1", "60", "x") == "OK\n"
                assert genuine(*past, "GET", "call:c-1") == "x\n", "it is with Redis"
                big = os.path.join(folder, "big")
                with open(big, "w") as f:
                    f.write("a" * (1 << 20))
                with open(big) as f:
                    assert tap.cli("-x", "SET", "big", stdin=f) == "OK\n"
                assert len(tap.cli("GET", "big")) == (1 << 20) + 1
                genuine("redis-benchmark", "-p", tap.port, "-P", "16", "-n", "20000", "-t", "get", "-q")
            assert tap.row("setex") == [1, 1, 0, 0, 0] and tap.row("get")[:2] == [20001, 20001], tap.summary
            assert "; 0 never answered; 0 clients past the tap" in tap.summary, tap.summary
            wrong = [(f"rediss://127.0.0.1:{port}", (), "unknown issuer"),
                     (f"rediss://localhost:{port}", ours, "the name localhost is not in 127.0.0.1"),
                     (f"rediss://127.0.0.1:{port}", ("--upstream-ca", ca), "certificate required")]
            for upstream, words, told in wrong:
                code, _, err = lib.run(["tap", "--upstream", upstream, *words])
                assert code == 97 and told in err and upstream in err, f"exit {code}: {err}"


def levers():
    """levers from the command line: an error, a swallowed answer and a delay, each with its bite"""
    with redis_server() as path:
        options = ("--instance", "blue-1=blue=0", "--instance", "green-1=green=0", "--lever", "error OOM where color=blue verb=set",
                   "--lever", "swallow where verb=setex count=1", "--lever", "delay 300ms where verb=get")
        with Tap(f"unix:{path}", *options) as tap:
            assert tap.cli("SET", "a", "1", ok=False).startswith("OOM command not allowed")
            assert genuine("redis-cli", "-p", tap.doors[1].rpartition(":")[2], "SET", "a", "1") == "OK\n"
            with tap.connect() as s:
                s.sendall(b"SETEX call:c-1 60 x\r\n")
                with contextlib.suppress(ConnectionResetError):
                    assert s.recv(10) == b""
            assert genuine("redis-cli", "-s", path, "GET", "call:c-1") == "x\n", "it took effect"
            tap.cli("GET", "call:c-1")
        assert re.search(r"^  get .* 3\d\d(\.\d+)? ms", tap.summary, re.MULTILINE), tap.summary
        assert tap.row("set") == [2, 1, 0, 1, 0] and "levers took 3" in tap.summary, tap.summary


def mistakes():
    """what is wrong on the command line is said in one sentence: exit 104, or 97 when Redis is not there"""
    cases = [(104, "--upstream is needed", ()), (104, "not HOST:PORT or unix:PATH", ("--upstream", "nowhere")),
             (97, "/nowhere/s", ("--upstream", "unix:/nowhere/s")),
             (104, "not rediss://HOST:PORT", ("--upstream", "rediss://127.0.0.1:1/0")),
             (104, "CA file /nowhere: No such file", ("--upstream", "rediss://127.0.0.1:1", "--upstream-ca", "/nowhere")),
             (104, "come together", ("--upstream", "rediss://127.0.0.1:1", "--upstream-key", "k")),
             (104, "only a rediss:// one has TLS", ("--upstream", "127.0.0.1:1", "--upstream-ca", "ca.pem"))]
    with redis_server() as path:
        there = ("--upstream", f"unix:{path}")
        cases += [(104, "not NAME=COLOR=PORT", (*there, "--instance", "blue-1")),
                  (104, "zap: not delay", (*there, "--lever", "zap")),
                  (104, "has no ${call}", (*there, "--key", "call"))]
        for code, told, words in cases:
            got, _, err = lib.run(["tap", *words, "--dir", os.path.join(tempfile.mkdtemp(), "r")])
            assert got == code and told in err, f"{words}: exit {got}: {err}"


lib.main([benchmark, client, random_bytes, passwords, bypass, tls, levers, mistakes])
