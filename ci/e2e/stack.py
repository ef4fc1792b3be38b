#!/usr/bin/env python3
"""`crossfade stack up | status | down`: what it prints can be typed, one stack a folder, every way to its end leaves nothing, and
nobody who only has its pid is taken for it."""
import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import uuid

import lib

OUT = "out.json"


class Stack:
    """One `crossfade stack up` in the background, in a folder of its own."""

    def __init__(self, *words, cwd=None):
        # Not below lib.SCRATCH: what talks into that is a leftover of whatever `lib.run` runs meanwhile.
        self.cwd = cwd or tempfile.mkdtemp(prefix="crossfade-stack-", dir="/tmp")
        self.dir = os.path.join(self.cwd, words[words.index("--dir") + 1] if "--dir" in words else "runs/stack")
        self.mark = uuid.uuid4().hex
        self.out = open(os.path.join(self.cwd, f"{self.mark}.out"), "w+b")
        self.process = subprocess.Popen([lib.CROSSFADE, "stack", "up", *words], cwd=self.cwd, env=lib.environment(self.mark),
                                        stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT,
                                        start_new_session=True)

    def text(self):
        with open(self.out.name, errors="replace") as f:
            return f.read()

    def file(self, name):
        return os.path.join(self.dir, name)

    def facts(self):
        return lib.load_result(self.file("stack.json"))

    def pid(self, name):
        return next(m["process"]["pid"] for m in self.facts()["members"] if m["name"] == name)

    def cli(self, *words, code=0, env=None):
        found, out, err = lib.run(["stack", *words], cwd=self.cwd, env=env)
        assert found == code, f"stack {' '.join(words)}: {found}, not {code}: {out}{err}\n{self.text()[-1500:]}"
        return out + err

    def status(self, code=0, wait="30s"):
        text = self.cli("status", "--wait", wait, "--out", f"json={OUT}", code=code)
        result = lib.load_result(os.path.join(self.cwd, OUT))
        assert result["schema"] == "crossfade.stack_status/1" and result["exit_code"] == code, result
        return result, text

    def shell(self, command):
        """(status, what it printed) of a command typed with the stack's environment"""
        done = subprocess.run(["bash", "-c", f". runs/stack/env && {command}"], cwd=self.cwd, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env={
                                  "PATH": f"/usr/bin:{os.environ['PATH']}", "HOME": lib.SCRATCH, "LC_ALL": "C.UTF-8"})
        return done.returncode, done.stdout

    def left(self):
        """Its processes: those with its mark, and redis-server, which writes its title over that, by where its output goes"""
        return sorted(set(lib.leftovers(self.mark)) | {
            int(pid) for pid in os.listdir("/proc") if pid.isdigit() and lib.talks_into(self.dir, pid)})

    def leaves_nothing(self, within=30):
        lib.wait_until(lambda: not self.left(), within)
        assert not self.left(), f"left behind: {lib.describe(self.left())}"

    def ends(self, within=30):
        code = self.process.wait(timeout=within)
        self.leaves_nothing()
        return code


@contextlib.contextmanager
def stack(*words, cwd=None):
    s = Stack(*words, cwd=cwd)
    try:
        yield s
    finally:
        lib.kill(s.process.pid)
        s.process.wait()
        s.out.close()
        if not cwd:
            lib.wait_until(lambda: not s.left(), 30)
            for pid in s.left():
                lib.kill(pid)
            shutil.rmtree(s.cwd, ignore_errors=True)


def what_it_prints_can_be_typed():
    """Each command it suggests, as it stands, through a cutover and down; then nothing is left, and status says so"""
    with stack() as s:
        s.status()
        commands = [line.strip() for line in s.text().split("Try, in another terminal:\n")[1].splitlines() if line.startswith("  ")]
        assert commands[0] == ". runs/stack/env" and commands[-1].endswith("stack down --dir runs/stack"), commands
        assert sum(c.startswith("aws ") for c in commands) >= 3 and sum(" ping " in c for c in commands) >= 3, commands
        for command in commands[1:]:
            code, text = s.shell(command)
            assert code == 0, f"{command}: {code}: {text}"
            if "describe-rules" in command:
                assert '"Weight": 100' in text and '"Priority": "10"' in text, text
        assert s.ends() == 0, s.text()
        assert "The stack has ended" in s.text(), s.text()
        assert not [f for f in os.listdir(s.file("")) if f in ("stack.json", "env")]
        assert "no stack is there" in s.cli("status", code=104)
        assert "no stack is there" in s.cli("down", code=104)


def status_says_where_everything_is():
    """Members, addresses, weights, health, active calls; files for their owner alone"""
    with stack() as s:
        result, text = s.status()
        assert result["state"] == "up" and result["problems"] == [], result
        assert [m["name"] for m in result["members"]] == ["redis", "blue-1", "blue-2", "green-1", "green-2", "alb"], result
        assert all(m["alive"] for m in result["members"]) and result["weights"] == {"blue": 100, "green": 0}, result
        assert result["healthy"] == result["registered"] == {"blue": 2, "green": 2}, result
        assert result["pid"] == s.process.pid and result["url"].startswith("ws://127.0.0.1:"), result
        assert [m["active_calls"] for m in result["members"] if m["color"]] == [0, 0, 0, 0], result
        assert re.search(r"^up .*exit 0$", text, re.MULTILINE) and "weights   blue 100, green 0" in text, text
        for name in ("stack.json", "env"):
            assert stat.S_IMODE(os.stat(s.file(name)).st_mode) == 0o600, name
        # What it exports is what it prints: a key that any word will do for is no secret.
        with open(s.file("env")) as f:
            lines = f.read().splitlines()
        assert all(f"  {line}" in s.text() for line in lines) and len(lines) > 15, lines


def its_flags_hold_without_a_scenario():
    """--defect, --seed and -e change the stack that nobody wrote a scenario for, or are refused"""
    with stack("--defect", "D40") as s:
        s.status()
        code, text = s.shell('aws --endpoint-url "$ENDPOINT_URL" elbv2 describe-rules --rule-arns "$RULE_ARN"')
        assert code == 0 and '"DurationSeconds": 86400' in text, text
        for words, says in ((["--defect", "D99"], "no defect or control"), (["--seed", "x"], "--seed x"), (["-e", "x"], "-e x")):
            told = s.cli("up", "--dir", "another", *words, code=104)
            assert says in told, told


def a_secret_is_in_one_file():
    """The key pair of --verify is in `env`, which is its owner's alone: not in what is printed, which ends up in logs"""
    with stack("--verify") as s:
        s.status()
        code, secret = s.shell('printf %s "$AWS_SECRET_ACCESS_KEY"')
        assert code == 0 and len(secret) == 40, code
        assert secret not in s.text() and "AWS_SECRET_ACCESS_KEY" in s.text(), "the secret was printed"
        for name in os.listdir(s.dir):
            with open(s.file(name), errors="replace") as f:
                assert (secret in f.read()) == (name == "env"), name


def one_stack_a_folder():
    """A second `up` says who is there, and leaves it alone"""
    with stack() as s:
        s.status()
        told = s.cli("up", code=104)
        assert f"pid {s.process.pid}, since 20" in told and "stack down" in told, told
        s.status()
        with stack("--dir", "another", cwd=s.cwd) as other:   # another folder is another stack
            lib.wait_until(lambda: "is up" in other.text(), 30)
            s.cli("status", "--dir", "another", "--wait", "30s")
            assert "has ended" in s.cli("down", "--dir", "another")
            assert other.ends() == 0
        s.status()


def signals_end_it():
    """Ctrl-C and SIGTERM: exit 0, nothing is left"""
    for number in (signal.SIGINT, signal.SIGTERM):
        with stack() as s:
            s.status()
            s.process.send_signal(number)
            assert s.ends() == 0, s.text()
            assert not os.path.exists(s.file("stack.json"))


def ended_while_it_comes_up():
    """SIGTERM as soon as it is there: exit 0, nothing is left"""
    with stack() as s:
        assert lib.wait_until(lambda: os.path.exists(s.file("redis.log")), 30), s.text()
        s.process.send_signal(signal.SIGTERM)
        assert s.ends() == 0, s.text()
        assert not os.path.exists(s.file("stack.json"))


def an_agent_that_is_ended_is_told():
    """SIGTERM to an agent: `up` says so and goes on, status is 98 and names it; so is the edge's end"""
    with stack() as s:
        s.status()
        os.kill(s.pid("blue-2"), signal.SIGTERM)
        assert lib.wait_until(lambda: "blue-2 has ended, with status 0\n" in s.text(), 20), s.text()
        result, text = s.status(98, wait="0s")
        assert result["state"] == "degraded" and f"blue-2, pid {s.pid('blue-2')}, is gone" in result["problems"], result
        assert "degraded" in text and "gone" in text, text

        def noticed():   # by the edge's health checks
            return "1 of 2 blue targets are healthy" in s.status(98, wait="0s")[0]["problems"]
        assert lib.wait_until(noticed, 30), s.status(98, wait="0s")
        assert s.shell('"$CROSSFADE" ping "$WS_URL" --color blue')[0] == 0, "blue-1 is there still"
        os.kill(s.pid("alb"), signal.SIGKILL)
        assert lib.wait_until(lambda: "alb has ended, by signal 9\n" in s.text(), 20), s.text()
        result, _ = s.status(98, wait="0s")
        assert any(p.startswith("balancer: ") for p in result["problems"]) and result["weights"] is None, result
        os.kill(s.pid("redis"), signal.SIGKILL)
        assert lib.wait_until(lambda: "redis has ended, by signal 9\n" in s.text(), 20), s.text()
        assert any(p.startswith("redis: ") for p in s.status(98, wait="0s")[0]["problems"])
        assert s.process.poll() is None
        s.cli("down")
        assert s.ends() == 0


def killed_it_leaves_nothing():
    """SIGKILL of `up`: its processes die with it; its files are known as stale, by status, by down and by the next `up`"""
    with stack() as s:
        s.status()
        s.process.kill()
        s.process.wait()
        s.leaves_nothing()
        assert f"the stack of pid {s.process.pid}, up since 20" in s.cli("status", code=104)
        assert s.status(104, wait="0s")[0]["state"] == "gone"
        with stack(cwd=s.cwd) as again:
            again.status()
            assert f"The stack of pid {s.process.pid}, up since" in again.text() and "was killed" in again.text(), again.text()
            again.process.kill()
            again.process.wait()
            again.leaves_nothing()
        assert "was gone already; its files are removed" in s.cli("down")
        assert "no stack is there" in s.cli("down", code=104)


def nobody_else_is_signalled():
    """A pid in stack.json that is another's by now: status calls the stack killed, down ends nobody"""
    with stack() as s:
        s.status()   # and only then the stranger: begins are told apart by hundredths of a second
        with subprocess.Popen(["sleep", "600"]) as stranger, contextlib.ExitStack() as after:
            after.callback(stranger.kill)
            with open(s.file("stack.json")) as f:
                text = f.read()
            s.process.kill()
            s.process.wait()
            s.leaves_nothing()
            with open(s.file("stack.json"), "w") as f:
                f.write(text.replace(f'"pid": {s.process.pid},', f'"pid": {stranger.pid},'))
            assert f"the stack of pid {stranger.pid}, up since" in s.cli("status", code=104)
            assert "was gone already" in s.cli("down")
            assert stranger.poll() is None, "down has ended somebody else"


def one_that_does_not_end_is_killed():
    """down waits, then kills, and says so"""
    with stack() as s:
        s.status()
        s.process.send_signal(signal.SIGSTOP)
        told = s.cli("down", "--timeout", "300ms")
        assert "did not end and was killed" in told, told
        s.process.wait()
        s.leaves_nothing()
        assert "no stack is there" in s.cli("status", code=104)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ports_can_be_chosen():
    """--port and --control-port; one that is taken is named, and nothing is left of the attempt"""
    port, control = free_port(), free_port()
    with stack("--port", str(port), "--control-port", str(control)) as s:
        result, _ = s.status()
        assert result["url"] == f"ws://127.0.0.1:{port}/realtime/" and result["endpoint"] == f"http://127.0.0.1:{control}/", result
        told = s.cli("up", "--dir", "another", "--port", str(port), code=104)
        assert f"port {port} of 127.0.0.1 cannot be had: Address already in use" in told, told
        assert os.listdir(os.path.join(s.cwd, "another")) and not os.path.exists(os.path.join(s.cwd, "another/stack.json"))
        s.cli("down")
        assert s.ends() == 0


def verified_it_wants_its_own_key():
    """--verify: the exported pair is accepted, another is not; without it any will do"""
    ask = 'aws --endpoint-url "$ENDPOINT_URL" elbv2 describe-load-balancers'
    with stack("--verify") as s:
        s.status()
        assert s.shell(ask)[0] == 0
        code, text = s.shell(f"AWS_SECRET_ACCESS_KEY=wrong {ask}")
        assert code == 254 and "SignatureDoesNotMatch" in text, text
        # The user's own credentials do not get in the way of status.
        s.cli("status", env={"AWS_ACCESS_KEY_ID": "AKIDOTHER", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "y"})
        s.cli("down")
        assert s.ends() == 0
    with stack() as s:
        s.status()
        code, text = s.shell(f"AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=thing {ask}")
        assert code == 0, text


def a_scenario_says_how_it_is():
    """Timers and TLS of scenarios/tls.yaml: callers speak wss, and the second time, too"""
    with stack(os.path.join(lib.ROOT, "scenarios/tls.yaml")) as s:
        s.status()
        code, text = s.shell('"$CROSSFADE" ping "$WS_URL" --ca "$CA_FILE" --color blue')
        assert code == 0 and "TLS 1.3" in text and "wss://" in text, text
        s.cli("down")
        assert s.ends() == 0
        with stack(os.path.join(lib.ROOT, "scenarios/tls.yaml"), cwd=s.cwd) as again:
            again.status()


def bad_words_are_usage():
    """104, with the word and what would do"""
    cwd = os.path.join(lib.SCRATCH, uuid.uuid4().hex)
    os.mkdir(cwd)
    for args, words in (
            (["stack"], "up, status or down comes first"),
            (["stack", "upp"], "did you mean \"up\""),
            (["stack", "down", "x"], "one word too many"),
            (["stack", "up", "no-such.yaml"], "no-such.yaml"),
            (["stack", "up", "--port", "0"], "a port from 1 to 65535"),
            (["stack", "up", "--prot", "1"], "did you mean \"--port\""),
            (["stack", "up", os.path.join(lib.ROOT, "scenarios/deployed.yaml"), "-e", "HOST=h", "-e", "GREEN=g:1", "-e",
              "REDIS=r:1", "-e", "ENDPOINT=https://e"], "nothing to start"),
            (["stack", "up", "--dir", "/proc/nowhere"], "/proc/nowhere"),
            (["stack", "status", "--wait", "soon"], "--wait soon"),
            (["stack", "status", "--out", "yaml=x"], "write json=FILE")):
        code, out, err = lib.run(args, cwd=cwd)
        assert code == 104 and words in err, f"{args}: {code}: {out}{err}"
    os.makedirs(os.path.join(cwd, "runs/stack"), exist_ok=True)
    for text in ("", "{", "[]", '{"schema": "crossfade.stack/1"}', '{"schema": "other/1"}'):
        with open(os.path.join(cwd, "runs/stack/stack.json"), "w") as f:
            f.write(text)
        for word in ("status", "down"):
            code, out, err = lib.run(["stack", word], cwd=cwd)
            assert code == 104 and "not what a stack says of itself" in err, f"{text}: {word}: {code}: {out}{err}"


if __name__ == "__main__":
    lib.main([what_it_prints_can_be_typed, status_says_where_everything_is, its_flags_hold_without_a_scenario,
              a_secret_is_in_one_file, one_stack_a_folder, signals_end_it, ended_while_it_comes_up, an_agent_that_is_ended_is_told, killed_it_leaves_nothing, nobody_else_is_signalled,
              one_that_does_not_end_is_killed, ports_can_be_chosen, verified_it_wants_its_own_key, a_scenario_says_how_it_is,
              bad_words_are_usage])
