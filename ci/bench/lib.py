"""What the parts of the bench share: where the programs are, how a line is told."""
import contextlib
import json
import os
import shutil
import socket
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("CROSSFADE_BUILD", "build")


def program(name):
    return os.path.join(BUILD, "ci/bench", name)


def line(what, value, asked=""):
    print(f"  {what:<46} {value}" + (f"   (asked for: {asked})" if asked else ""), flush=True)


def spoken(command, timeout):
    """The JSON a bench program prints, or None, having said why."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        line("not measured", error)
        return None
    if done.returncode:
        line("not measured", f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
        return None
    return json.loads(done.stdout)


def start_haproxy(config, where, **words):
    """The peer: the child, and the socket it listens at, which it inherits so that no port is lost to others."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    path = os.path.join(where, "haproxy.cfg")
    with open(path, "w") as f:
        f.write(config.format(listener=listener.fileno(), **words))
    program_file = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin") or "haproxy"
    return subprocess.Popen([program_file, "-db", "-q", "-f", path], pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), listener


@contextlib.contextmanager
def echo_peer():
    """The port of one that runs for as long as it is needed."""
    peer = subprocess.Popen([program("echo_peer")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield peer.stdout.readline().strip()
    finally:
        peer.stdin.close()
        peer.wait()
