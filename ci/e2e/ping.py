#!/usr/bin/env python3
"""`crossfade ping`, against agents, a Redis and an edge of the local stack, and against servers that each do one thing wrong: the
exit code, the step that failed, its sentence, and the same in JSON."""
import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import uuid

import lib

AGENT = os.path.join(lib.BUILD, "fixtures/agent/main")
EDGE = os.path.join(lib.BUILD, "fixtures/alb/main")


# ---- what is pinged ----

@contextlib.contextmanager
def program(*args):
    """A program of the local stack that says its addresses line by line on stdout: the first is on a line of its own."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("ALB_")}
    with subprocess.Popen(args, env=own, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child.stdout.readline().strip().split("=", 1)[1]
        finally:
            child.kill()


@contextlib.contextmanager
def redis():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        try:
            assert lib.wait_until(lambda: ask(port, "PING") == "+PONG", 20), "redis-server does not answer"
            yield f"127.0.0.1:{port}"
        finally:
            child.kill()


def ask(port, *words):
    """One Redis command, the first line of its answer; "" when nobody listens"""
    try:
        with socket.create_connection(("127.0.0.1", int(port)), 5) as s:
            s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            return s.makefile().readline().strip()
    except OSError:
        return ""


def agent(store, color="green", *flags):
    return program(AGENT, "--color", color, "--instance", f"{color}-1", "--listen", "127.0.0.1:0", "--redis", store,
                   "--key-prefix", "call:", "--ttl-s", "1800", "--think-ms", "5", *flags)


def edge(blue, green, *flags):
    return program(EDGE, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--target", f"blue={blue}", "--target",
                   f"green={green}", "--health-interval-ms", "50", "--healthy", "2", "--weights", "blue=100,green=0", *flags)


@contextlib.contextmanager
def server(serve):
    """Accepts, and does what `serve` does with each connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def accept():
        with contextlib.suppress(OSError):   # closed: the test is over
            while True:
                connection = listener.accept()[0]
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection):
        with connection, contextlib.suppress(OSError):
            serve(connection)
            over.wait(60)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def head_of(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(4096)
        if not more:
            raise OSError("gone")
        head += more
    return head.decode()


def upgrade(connection, *messages):
    """The 101, and these text frames"""
    key = [line.split(": ")[1] for line in head_of(connection).split("\r\n") if line.lower().startswith("sec-websocket-key")][0]
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    connection.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    for message in messages:
        data = json.dumps(message).encode()
        connection.sendall(bytes([0x81, len(data)]) + data)


# ---- the ping ----

def ping(url, *flags, code, env=None, timeout=30):
    """(the result, the text)"""
    out = os.path.join(lib.SCRATCH, f"{uuid.uuid4().hex}.json")
    found, text, complaint = lib.run(["ping", url, *flags, "--out", f"json={out}"], env=env, timeout=timeout)
    assert found == code, f"exit {found}, not {code}: {text}{complaint}"
    result = lib.load_result(out)
    assert result["schema"] == "crossfade.ping/1" and result["exit_code"] == code, result
    assert f"exit {code}" in text.splitlines()[0], text
    names = [s["name"] for s in result["steps"]]
    assert all(f" {name} " in text for name in names), text
    return result, text


def fails_at(step, words, url, *flags, code=99):
    result, text = ping(url, *flags, code=code)
    last = result["steps"][-1]
    assert last["name"] == step and last["ok"] is False and words in last["error"], result["steps"]
    assert all(s["ok"] and s["error"] is None for s in result["steps"][:-1]), result["steps"]
    assert result["verdict"] == "fail", result["verdict"]
    assert words in text, text
    if step != "tls":   # whose certificate is told either way
        assert text.rstrip().endswith(last["error"]), f"more is said than what failed: {text}"
    return result


def refused(words, *args):
    code, out, err = lib.run(["ping", *args])
    assert code == 104 and words in err and not out, f"{args}: {code}: {out}{err}"


# ---- the tests ----

def a_good_agent_passes():
    """Directly, with the state read back: every step, turns 1, a time to live, and the key is gone afterwards"""
    with redis() as store, agent(store) as green:
        result, text = ping(f"ws://{green}/realtime/", "--color", "green", "--redis", store, code=0)
        assert [s["name"] for s in result["steps"]] == \
            ["resolve", "connect", "upgrade", "ready", "color", "turn", "state", "resume"], result["steps"]
        assert result["color"] == "green" and result["instance"] == "green-1" and result["verdict"] == "pass", result
        assert result["state"]["source"] == "redis" and result["state"]["turns"] == 1, result["state"]
        assert 1795 <= result["state"]["ttl_s"] <= 1800, result["state"]
        assert all(0 <= s["ms"] < 5000 for s in result["steps"]) and result["tls"] is None, result
        assert ask(store.split(":")[1], "DBSIZE") == ":0", "the key is left behind"
        assert "PASS" in text and result["call"] in text, text
        # The id of its own place, and a second ping has another.
        again, _ = ping(f"ws://{green}/realtime/${{call}}?x=1", "--redis", store, "--key", "call:${call}", "--ttl", "30m", code=0)
        assert again["call"] != result["call"] and again["url"].endswith(f"/{again['call']}?x=1"), again


def without_redis_it_says_so():
    """The state is what the agent tells of it, and the text says that Redis was not looked at"""
    with redis() as store, agent(store) as green:
        result, text = ping(f"ws://{green}/realtime/", code=0)
        assert result["state"]["source"] == "agent" and result["state"]["turns"] == 1 and len(result["state"]["digest"]) == 16
        assert "Redis was not looked at" in text and "any would do" in text, text
        result, _ = ping(f"ws://{green}/realtime/", "--no-resume", code=0)
        assert result["steps"][-1]["name"] == "state", result["steps"]


def the_test_rule_takes_it_to_green_at_weight_0():
    """Through the edge: blue answers, the header goes to green; asking blue for green fails at color, before any turn"""
    with redis() as store, agent(store, "blue") as blue, agent(store) as green, edge(blue, green) as alb:
        url = f"ws://{alb}/realtime/"

        def healthy():
            return lib.run(["ping", url, "--no-resume"])[0] == 0
        assert lib.wait_until(healthy, 30), "the edge does not serve blue"
        assert ping(url, "--color", "blue", code=0)[0]["instance"] == "blue-1"
        result, _ = ping(url, "--color", "green", "--header", "X-Crossfade-Color: green", "--redis", store, code=0)
        assert result["instance"] == "green-1", result
        ask(store.split(":")[1], "FLUSHALL")
        result = fails_at("color", "wanted green, was answered by blue-1 (blue)", url, "--color", "green", "--redis", store)
        assert ask(store.split(":")[1], "DBSIZE") == ":0", "a turn was spoken to the wrong color"


def state_that_is_not_in_redis_fails():
    """Agents that keep it in memory (D01): well without --redis, failed at state with it"""
    with redis() as store, agent(store, "green", "--defect", "D01") as green:
        ping(f"ws://{green}/realtime/", code=0)
        fails_at("state", "is not in Redis", f"ws://{green}/realtime/", "--redis", store)


def the_time_to_live_is_looked_at():
    """The agent's is 30 min: another is wanted, and none is found"""
    with redis() as store, agent(store) as green:
        url = f"ws://{green}/realtime/"
        fails_at("state", "should be", url, "--redis", store, "--ttl", "10m")
        fails_at("state", "should be", url, "--redis", store, "--ttl", "1h")
        assert ask(store.split(":")[1], "DBSIZE") == ":0", "the key of a failed ping is left behind"


def each_failure_names_its_step():
    """Dead port, unknown name, 503, a path that is not there, silence, nonsense, no Redis"""
    fails_at("connect", "refused", "ws://127.0.0.1:1/realtime/")
    fails_at("resolve", "no-such-host.invalid", "ws://no-such-host.invalid/realtime/")
    with server(lambda c: (head_of(c), c.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"))) as at:
        fails_at("upgrade", "503", f"ws://{at}/realtime/")
    with server(lambda c: None) as at:
        result = fails_at("upgrade", "ms while waiting for the 101", f"ws://{at}/realtime/",
                          "--timeout", "2s")
        assert 2000 <= result["ms"] < 20000, result["ms"]
    with server(upgrade) as at:
        fails_at("ready", "waiting for ready", f"ws://{at}/realtime/", "--timeout", "2s")
    with server(lambda c: upgrade(c, {"type": "error", "code": "full", "message": "no room"})) as at:
        fails_at("ready", "full: no room", f"ws://{at}/realtime/")
    with server(lambda c: upgrade(c, {"type": "ready"})) as at:
        fails_at("turn", "waiting for the reply to turn 1", f"ws://{at}/realtime/", "--timeout", "2s")
    with server(lambda c: upgrade(c, {"type": "ready"}, {"type": "reply", "n": 1, "turns": 2})) as at:
        fails_at("turn", "says 2 turns, should be 1", f"ws://{at}/realtime/")
    with server(lambda c: upgrade(c, {"type": "ready"}, {"type": "reply", "n": 1, "digest": "0" * 16})) as at:
        fails_at("turn", "digest 0000000000000000, should be ", f"ws://{at}/realtime/")
    with server(lambda c: upgrade(c, {"type": "ready"}, {"type": "reply", "n": 1})) as at:
        fails_at("state", "tells neither turns nor digest", f"ws://{at}/realtime/")
        result, _ = ping(f"ws://{at}/realtime/", "--color", "green", code=99)
        assert [s["name"] for s in result["steps"] if not s["ok"]] == ["color"], result["steps"]
    with redis() as store, agent(store) as green:
        fails_at("upgrade", "40", f"ws://{green}/elsewhere/")
        fails_at("state", "127.0.0.1:1", f"ws://{green}/realtime/", "--redis", "127.0.0.1:1")
        with server(lambda c: c.recv(1)) as mute:   # nothing was read there, so nothing is told of it
            state = fails_at("state", mute, f"ws://{green}/realtime/", "--redis", mute, "--timeout", "1s")["state"]
            assert state["turns"] is None and state["ttl_s"] is None, state


# In a network of its own, where the only name server hears and says nothing.
SILENT_NAME_SERVER = """
import fcntl, socket, struct, subprocess, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(server, 0x8914, struct.pack("16sh14x", b"lo", 0x1))   # SIOCSIFFLAGS, IFF_UP
server.bind(("127.0.0.1", 53))
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
sys.exit(subprocess.run(sys.argv[2:]).returncode)
"""


def a_silent_name_server_does_not_outlast_the_deadline():
    """The resolver's own patience is 10 s; --timeout 600ms ends it"""
    servers, out = (os.path.join(lib.SCRATCH, uuid.uuid4().hex) for _ in range(2))
    with open(servers, "w") as f:
        f.write("nameserver 127.0.0.1\n")
    if os.geteuid() or subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True).returncode:
        raise lib.Skipped("needs root and namespaces for a name server of its own")
    done = subprocess.run(["unshare", "-m", "-n", sys.executable, "-c", SILENT_NAME_SERVER, servers, lib.CROSSFADE, "ping",
                           "ws://voice.example.com/realtime/", "--timeout", "600ms", "--out", f"json={out}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 99 and "no answer of the name servers within 600 ms" in done.stdout, done
    result = lib.load_result(out)
    assert [s["name"] for s in result["steps"]] == ["resolve"] and 600 <= result["ms"] < 5000, result


def a_call_that_does_not_survive_its_leg_fails_at_resume():
    """The second leg is told of no turns, or of another digest, or is not accepted"""
    legs = []

    def forgetful(c):
        legs.append(c)
        upgrade(c, {"type": "ready", "turns": 0}, *([{"type": "reply", "n": 1, "turns": 1}] if len(legs) == 1 else []))
    with server(forgetful) as at:
        fails_at("resume", "the second leg's ready: ready on the second leg says 0 turns, should be 1", f"ws://{at}/realtime/")
    legs.clear()

    def closed(c):
        legs.append(c)
        if len(legs) == 1:
            upgrade(c, {"type": "ready", "turns": 0}, {"type": "reply", "n": 1, "turns": 1})
        else:
            head_of(c)
            c.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    with server(closed) as at:
        fails_at("resume", "the second leg's upgrade: dial failed: http_status 403", f"ws://{at}/realtime/")


def certificate(folder):
    """A self-made authority, and what it signs for 127.0.0.1"""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "10",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", f"{folder}/key.pem",
            "-out", f"{folder}/certificate.pem"]
    subprocess.run(made, check=True, capture_output=True, timeout=30)


def wss_tells_the_certificate():
    """Verified: version, cipher, subject, issuer, days left. Not believed, or for another name: fail at tls, and why"""
    folder = os.path.join(lib.SCRATCH, uuid.uuid4().hex)
    os.mkdir(folder)
    certificate(folder)
    ca = f"{folder}/certificate.pem"
    with redis() as store, agent(store, "blue") as blue, agent(store) as green, \
            edge(blue, green, "--tls-policy", "ELBSecurityPolicy-TLS13-1-2-2021-06", "--certificate", ca, "--key",
                 f"{folder}/key.pem") as alb:
        url = f"wss://{alb}/realtime/"
        assert lib.wait_until(lambda: lib.run(["ping", url, "--ca", ca, "--no-resume"])[0] == 0, 30), "no blue behind the edge"
        result, text = ping(url, "--ca", ca, "--color", "blue", "--redis", store, code=0)
        tls = result["tls"]
        assert tls["version"] == "TLS 1.3" and tls["cipher"].startswith("TLS_") and tls["verified"] is True, tls
        assert "CN=localhost" in tls["subject"] and "CN=localhost" in tls["issuer"] and tls["days_left"] in (9, 10), tls
        assert tls["not_after"].endswith("Z") and tls["reason"] is None, tls
        assert "TLS 1.3" in text and "verified" in text and "days left" in text, text
        assert [s["name"] for s in result["steps"]][:4] == ["resolve", "connect", "tls", "upgrade"], result["steps"]
        result = fails_at("tls", "unknown issuer", url)
        assert result["tls"]["verified"] is False and "CN=localhost" in result["tls"]["subject"], result["tls"]
        fails_at("tls", "", f"wss://{green}/realtime/", "--timeout", "2s")   # it speaks no TLS


def bad_words_are_usage():
    """104, with the word and what would do"""
    refused("a word is missing")
    refused("end it in / or write ${call}", "ws://127.0.0.1:1/realtime")
    refused("not a ws:// or wss://", "http://127.0.0.1:1/")
    refused("blue or green", "ws://127.0.0.1:1/", "--color", "gren")
    refused("did you mean \"plain\"", "ws://127.0.0.1:1/", "--wire", "plian")
    refused("write 'Name: value'", "ws://127.0.0.1:1/", "--header", "nonsense")
    refused("part of every upgrade", "ws://127.0.0.1:1/", "--header", "Host: elsewhere")
    refused("needs --redis", "ws://127.0.0.1:1/", "--key", "call:${call}")
    refused("write ${call}", "ws://127.0.0.1:1/", "--redis", "127.0.0.1:1", "--key", "call")
    refused("not HOST:PORT", "ws://127.0.0.1:1/", "--redis", "nonsense")
    refused("--ca", "ws://127.0.0.1:1/", "--ca", "/no/such/file")
    refused("--timeout", "ws://127.0.0.1:1/", "--timeout", "0s")
    refused("text=FILE or json=FILE", "ws://127.0.0.1:1/", "--out", "yaml=x")
    refused("did you mean \"--color\"", "ws://127.0.0.1:1/", "--colour", "green")


def interrupted():
    """Ctrl-C in the middle: 105, at once, and the report is written"""
    came = threading.Event()
    out = os.path.join(lib.SCRATCH, f"{uuid.uuid4().hex}.json")
    with server(lambda c: (head_of(c), came.set())) as at, subprocess.Popen(
            [lib.CROSSFADE, "ping", f"ws://{at}/realtime/", "--timeout", "60s", "--out", f"json={out}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert came.wait(20), "no call came"
            child.send_signal(signal.SIGINT)
            text = child.communicate(timeout=20)[0]
        finally:
            child.kill()
        assert child.returncode == 105 and "INTERRUPTED" in text, (child.returncode, text)
        result = lib.load_result(out)
        assert result["exit_code"] == 105 and result["verdict"] == "inconclusive", result


def json_to_standard_output():
    """--out json=- : nothing but JSON there"""
    code, out, _ = lib.run(["ping", "ws://127.0.0.1:1/x/", "--out", "json=-"])
    assert code == 99 and json.loads(out)["steps"][-1]["name"] == "connect", out


def the_smoke_test_of_a_pipeline():
    """ci/examples/smoke.sh, as it is copied: passes, and stops the release when green is broken"""
    folder = os.path.join(lib.SCRATCH, uuid.uuid4().hex)
    os.mkdir(folder)
    with redis() as store, agent(store, "blue") as blue, agent(store) as green, edge(blue, green) as alb:
        def smoke(instances):
            shutil.rmtree(folder)
            os.mkdir(folder)
            done = subprocess.run(["ci/examples/smoke.sh"], cwd=lib.ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=60, env={
                                      **lib.environment(uuid.uuid4().hex), "GREEN": instances, "REDIS": store, "OUT": folder,
                                      "URL": f"ws://{alb}/realtime/", "CROSSFADE": lib.CROSSFADE})
            return done.returncode, sorted(os.listdir(folder)), done.stdout + done.stderr
        assert lib.wait_until(lambda: smoke(green)[0] == 0, 30), "the edge does not serve green"
        code, files, text = smoke(f"{green} {green}")
        assert code == 0 and files == ["smoke-1.json", "smoke-2.json", "smoke-balancer.json"] and text.count("PASS") == 3, text
        code, files, text = smoke(f"{green} {blue}")
        assert code == 99 and files == ["smoke-1.json", "smoke-2.json"] and "wanted green" in text, (code, files, text)


if __name__ == "__main__":
    lib.main([a_good_agent_passes, without_redis_it_says_so, the_test_rule_takes_it_to_green_at_weight_0,
              state_that_is_not_in_redis_fails, the_time_to_live_is_looked_at, each_failure_names_its_step,
              a_silent_name_server_does_not_outlast_the_deadline, a_call_that_does_not_survive_its_leg_fails_at_resume,
              wss_tells_the_certificate, bad_words_are_usage, interrupted, json_to_standard_output,
              the_smoke_test_of_a_pipeline])
