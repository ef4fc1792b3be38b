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
def redis_port(*options):
    """The port of a redis-server; a free one, asked again should somebody be quicker."""
    for _ in range(5):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
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


def certificates():
    """A folder with an authority's ca.pem, another's stranger.pem, and by the first NAME.pem and NAME.key: good, expired, and
    for another name."""
    where = tempfile.mkdtemp()

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=where, check=True, capture_output=True, timeout=WITHIN_S)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "stranger"):
        openssl("req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    for name, days, names in (("good", "2", "DNS:localhost,IP:127.0.0.1"), ("expired", "-1", "DNS:localhost,IP:127.0.0.1"),
                              ("other", "2", "DNS:other.example")):
        with open(os.path.join(where, "names"), "w") as f:
            f.write(f"subjectAltName={names}\n")
        openssl("req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", "request.pem")
        openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                "-extfile", "names", "-out", f"{name}.pem")
    return where


@contextlib.contextmanager
def redis_tls(where, *options):
    """Port and unix socket of a redis-server that speaks nothing but TLS on its port, with the certificate `good`; it wants to
    be shown one."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with redis_server("--tls-port", str(port), "--bind", "127.0.0.1", "--tls-cert-file", f"{where}/good.pem", "--tls-key-file",
                      f"{where}/good.key", "--tls-ca-cert-file", f"{where}/ca.pem", *options) as path:
        yield port, path


def tls():
    """rediss://: clients work through it, all is on record, no password is; who goes past it is told"""
    where, secret = certificates(), "Hunter2-" + "".join(uuid.uuid4().hex for _ in range(8))
    with redis_tls(where) as (port, path):
        shown = ("--upstream-cert", f"{where}/good.pem", "--upstream-key", f"{where}/good.key")
        with Tap(f"rediss://localhost:{port}", "--upstream-ca", f"{where}/ca.pem", *shown) as tap:
            assert tap.cli("SETEX", "call:c-1", "60", "x") == "OK\n"
            big = "x" * (4 << 20)
            assert tap.cli("-x", "SET", "big", stdin=text_file(big)) == "OK\n"
            assert tap.cli("GET", "big") == big + "\n"
            genuine("redis-benchmark", "-p", tap.port, "-n", "3200", "-c", "20", "-P", "16", "--csv", "-t", "set,lrange_600")
            genuine("redis-cli", "-s", path, "ACL", "SETUSER", "agent", "on", f">{secret}", "~*", "+@all")
            with tap.connect() as s:
                s.sendall(f"AUTH agent {secret}\r\n".encode())
                assert read_all(s, 5) == b"+OK\r\n"
                assert not memory_holds(tap.process.pid, secret[-200:].encode())
                s.sendall(b"PING\r\n")   # what is asked before the end of the stream is answered after it
                s.shutdown(socket.SHUT_WR)
                assert read_all(s, 7) == b"+PONG\r\n" and s.recv(1) == b""
            past = subprocess.Popen(["redis-cli", "-h", "localhost", "-p", str(port), "--tls", "--cacert", f"{where}/ca.pem",
                                     "--cert", f"{where}/good.pem", "--key", f"{where}/good.key", "SUBSCRIBE", "past"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            try:
                lane = os.path.join(tap.dir, "tap-0.lane")
                assert lib.wait_until(lambda: b"last command subscribe" in open(lane, "rb").read(), 20), "not told"
            finally:
                past.kill()
                past.wait()
        assert tap.row("setex")[:2] == [1, 1] and tap.row("lrange")[1] >= 3200, tap.summary
        assert "bypass        1 past the tap: 127.0.0.1:" in tap.summary and "limit " not in tap.summary, tap.summary
        with open(lane, "rb") as f:
            assert secret.encode() not in f.read()


def tls_refused():
    """rediss://: an unknown issuer, another name, an expired certificate, none of ours and no TLS at all: refused, and told once"""
    where = certificates()

    def refused(words, told):
        got, _, err = lib.run(["tap", *words, "--dir", os.path.join(tempfile.mkdtemp(), "r")])
        assert got == 97 and told in err, f"{words}: exit {got}: {err}"

    def speak(tap):
        """A client that must be cut off unanswered."""
        with tap.connect() as s, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            s.sendall(b"PING\r\n")
            assert s.recv(10) == b""

    with redis_tls(where) as (port, path), redis_port() as plain:
        def show(name):
            genuine("redis-cli", "-s", path, "CONFIG", "SET", "tls-cert-file", f"{where}/{name}.pem", "tls-key-file",
                    f"{where}/{name}.key")
        at, ca = f"rediss://127.0.0.1:{port}", ("--upstream-ca", f"{where}/ca.pem")
        trusted = (*ca, "--upstream-cert", f"{where}/good.pem", "--upstream-key", f"{where}/good.key")
        refused(("--upstream", at), "unknown issuer /CN=ca")
        refused(("--upstream", at, "--upstream-ca", f"{where}/stranger.pem"), "unknown issuer /CN=ca")
        refused(("--upstream", at, *ca), f"{at}: tlsv13 alert certificate required")
        refused(("--upstream", f"rediss://127.0.0.1:{plain}", *trusted), f"rediss://127.0.0.1:{plain}: ")
        with Tap(at, *trusted) as tap:
            assert tap.cli("PING") == "PONG\n"
            for name in ("expired", "other"):
                show(name)
                speak(tap)
                speak(tap)
            show("good")
            assert tap.cli("PING") == "PONG\n", "and it goes on"
        for reason in ("the certificate is expired since ", "the name 127.0.0.1 is not in other.example"):
            told = re.findall(rf"^limit +tap: agents are cut off: {at}: {reason}", tap.summary, re.M)
            assert len(told) == 1, tap.summary
        for name, reason in (("expired", "the certificate is expired since "),
                             ("other", "the name 127.0.0.1 is not in other.example")):
            show(name)
            refused(("--upstream", at, *trusted), reason)


def mistakes():
    """what is wrong on the command line is said in one sentence: exit 104, or 97 when Redis is not there"""
    cases = [(104, "--upstream is needed", ()), (104, "not HOST:PORT or unix:PATH", ("--upstream", "nowhere")),
             (97, "/nowhere/s", ("--upstream", "unix:/nowhere/s")),
             (104, "not rediss://HOST:PORT", ("--upstream", "rediss://127.0.0.1:1/0")),
             (104, "not rediss://HOST:PORT", ("--upstream", "rediss://agent:secret@127.0.0.1:1")),
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
            assert got == code and told in err and "secret" not in err, f"{words}: exit {got}: {err}"


lib.main([benchmark, client, random_bytes, passwords, bypass, tls, tls_refused, levers, mistakes])
