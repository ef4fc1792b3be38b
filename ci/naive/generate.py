#!/usr/bin/env python3
"""Small random records: a legal cutover with 1 to 4 calls, and a few things in it changed. The changes prefer the edges of
judgement 2.3: a cookie as old as it may be, a reply at the instant of its write, a hangup at the instant of a signal.

  ci/naive/generate.py SEED     prints the record of that seed
"""
import hashlib
import json
import random
import sys

S, MS = 10**9, 10**6
START, SHIFT, DRAIN, DRAINED, TEARDOWN, END = 10 * S, 18_100 * MS, 18_120 * MS, 24 * S, 27 * S, 53 * S
RESUMABLE, ALL = 1, 9   # profile; STATE_HAS_DIGEST | STATE_HAS_TURNS
INSTANCES = {"blue": ("blue-1", "blue-2"), "green": ("green-1", "green-2")}


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Story:
    """Events as they are added; `lines` puts them in the order of time. Stamps of one time keep the order they came in."""

    def __init__(self, seed):
        self.random, self.events = random.Random(seed), []
        self.back = None   # since when blue has the weight again

    def add(self, t, kind, **fields):
        event = {"t": t, "kind": kind, **{k: v for k, v in fields.items() if v not in (0, "", None)}}
        self.events.append(event)
        return event

    def lines(self):
        return [json.dumps(e) for e in sorted(self.events, key=lambda e: e["t"])]

    def pick(self, *kinds, where=lambda e: True):
        found = [e for e in self.events if e["kind"] in kinds and where(e)]
        return self.random.choice(found) if found else None


def cutover(s):
    for color, names in INSTANCES.items():
        for name in names:
            s.add(9 * S, "spawn", instance=name, color=color)
    s.add(9_900 * MS, "config", ver=100, aux=2, turn=2, n=20, flags=1)
    s.add(START, "run.start", n=1)
    s.add(SHIFT - 10 * MS, "phase.begin", code="shift", n=2)
    s.add(SHIFT, "weight.inv", epoch=100)
    s.add(SHIFT + 2 * MS, "weight.ok", due=SHIFT, epoch=100)
    s.add(SHIFT + 5 * MS, "config", epoch=100, aux=2, turn=2, n=20)
    s.add(SHIFT + 10 * MS, "phase.end", code="shift", n=2)
    s.add(DRAIN, "phase.begin", code="drain", n=3)
    s.add(DRAINED - 10 * MS, "belief", color="blue", aux=2)
    s.add(DRAINED, "phase.end", code="drain", n=3)
    s.add(TEARDOWN - 20 * MS, "phase.begin", code="teardown", n=5)
    s.add(TEARDOWN - 10 * MS, "action.inv", code="deregister", color="blue")
    s.add(TEARDOWN - 5 * MS, "action.ok", due=TEARDOWN - 10 * MS, code="deregister", color="blue")
    for name in INSTANCES["blue"]:
        s.add(TEARDOWN, "signal", instance=name, color="blue", code=15)
        s.add(TEARDOWN + 40 * MS, "exit", instance=name, color="blue")
    s.add(TEARDOWN + 100 * MS, "phase.end", code="teardown", n=5)
    s.add(END, "run.end")


class Voice:
    """One caller, as it goes."""

    def __init__(self, s, number):
        self.s, self.id = s, f"c-{number}"
        self.leg = self.turn = 0
        self.jar = None   # color, instance and time of the cookie
        self.digest = digest_of(f"call|{self.id}")
        self.resumable = s.random.random() < 0.7
        self.fenced, self.epoch, self.ver = s.random.random() < 0.3, 0, 0
        starts = [11 * S, 15 * S, 16 * S, 17 * S, 17_500 * MS, SHIFT - MS, SHIFT + 1500 * MS, 22 * S]
        self.t = s.random.choice(starts + ([21_100 * MS, 23 * S] if s.back else []))
        self.t += s.random.randrange(900) * MS + number * 1000

    def add(self, at, kind, **fields):
        return self.s.add(self.t + at, kind, call=self.id, **{"leg": self.leg, **fields})

    def on(self):
        return {"color": self.color, "instance": self.instance}

    def told(self):
        return {"flags": 15, "ver": self.ver, "epoch": self.epoch} if self.fenced else {"flags": ALL}

    def write(self, at):
        if not self.fenced:
            self.command(at, "setex")
            return
        self.ver += 1
        self.command(at, "eval", ver=self.ver, epoch=self.epoch)

    def command(self, at, verb, **more):
        fields = {"leg": 0, "conn": 1, "code": verb, "n": self.turn, "digest": self.digest, "flags": 10, **self.on(),
                  **more}
        if verb != "get":
            fields.update(aux=1800, turn=4, leg=0x1111)   # how many fields, and which
        self.add(at, "cmd.ok", due=self.t + at - MS // 2, **fields)

    def dial(self):
        sent = bool(self.jar and self.t - self.jar[2] <= 2 * S)
        if sent:
            self.color, self.instance = self.jar[:2]
        else:
            self.color = "green" if SHIFT + MS <= self.t < (self.s.back or END) else "blue"
            self.instance = self.s.random.choice(INSTANCES[self.color])
        carried = 1 if self.jar and self.resumable else 0
        self.add(0, "dial.inv", due=self.t, flags=carried)
        self.add(3 * MS, "dial.ok", due=self.t, code=101, flags=carried | 2, **self.on())
        self.jar = (self.color, self.instance, self.t + 3 * MS)
        if self.leg:
            self.add(4 * MS, "resume.inv", turn=self.turn, n=self.turn)
            self.command(5 * MS, "get")
        self.epoch += 1
        if self.fenced:
            self.write(6 * MS)   # the claim
        self.add(7 * MS, "resume.ok" if self.leg else "start.ok", n=self.turn, digest=self.digest, **self.told(), **self.on())
        self.t += 10 * MS

    def speak(self):
        token = self.s.random.getrandbits(64)
        self.turn += 1
        self.digest = digest_of(f"{self.digest}|{self.turn}|{token:016x}")
        self.add(0, "turn.inv", due=self.t, turn=self.turn, digest=self.digest, ver=token >> 32, epoch=token & 0xffffffff)
        if self.s.random.random() < 0.3:
            self.turn -= 1
            self.command(2 * MS, "get")   # what is there before this turn, but for the digest, which nobody looks at
            self.turn += 1
        self.write(33 * MS)
        self.add(36 * MS, "reply.ok", turn=self.turn, n=self.turn, digest=self.digest, **self.told(), **self.on())
        self.t += 40 * MS

    def lose(self):
        """The caller cuts its leg, and comes back when its cookie is young, old, or just on an edge."""
        self.add(0, "leg.lose", due=self.t)
        self.add(MS // 10, "leg.end", n="fin", **self.on())
        self.leg += 1
        edges = [self.jar[2] + S, self.jar[2] + 3 * S, self.t + 100 * MS, self.t + 1200 * MS, self.t + 3500 * MS]
        self.t = max(self.t + 20 * MS, self.s.random.choice(edges) + self.s.random.choice([-1, 0, 0, 1]))
        self.dial()

    def hang_up(self):
        self.add(0, "hangup.inv", due=self.t, turn=self.turn)
        self.add(2 * MS, "leg.end", code=1000, **self.on())
        self.add(3 * MS, "call.end", turn=self.turn, aux=self.leg + 1)

    def live(self):
        turns = self.s.random.randint(1, 5)
        self.add(0, "call.start", due=self.t, flags=RESUMABLE if self.resumable else 0, turn=turns)
        self.dial()
        for _ in range(turns):
            self.t += self.s.random.choice([200, 500, 1000]) * MS
            self.speak()
            if self.resumable and self.s.random.random() < 0.5:
                self.t += 100 * MS
                self.lose()
        self.t += 300 * MS
        self.hang_up()


# ---- changes; each may find nothing to change ----

def forget(*kinds, where=lambda e: True):
    def change(s):
        e = s.pick(*kinds, where=where)
        if e:
            s.events.remove(e)
    return change


def agent_cuts(s):
    """A leg ends early, by the agent or what is before it; the call is over, or hangs up as if nothing was."""
    e = s.pick("leg.end", where=lambda e: e.get("code") == 1000)
    if not e:
        return
    call, back = e["call"], s.random.choice([100 * MS, S, 2 * S])
    t = s.random.choice([e["t"] - back, TEARDOWN + MS, TEARDOWN + 2 * S])
    t = max([t] + [x["t"] + MS for x in s.events if x["kind"] == "start.ok" and x["call"] == call])
    s.events.remove(e)
    how = s.random.choice([{"code": 1000}, {"code": 1012}, {"n": "fin"}, {"n": "rst"}])
    on = [x for x in s.events if x["kind"] == "dial.ok" and x["call"] == call and x["t"] < t][-1]
    s.add(t, "leg.end", call=call, leg=on.get("leg", 0), flags="agent", color=on.get("color"), instance=on.get("instance"),
          aux=s.random.choice([100, 9000, 10000]), **how)
    gone = ("turn.inv", "reply.ok", "cmd.ok", "hangup.inv", "call.end", "dial.inv", "dial.ok", "resume.inv", "resume.ok",
            "leg.lose", "leg.end")
    if s.random.random() < 0.8:
        s.events = [x for x in s.events if x.get("call") != call or x["t"] <= t or x["kind"] not in gone]
        if s.random.random() < 0.8:
            s.events = [x for x in s.events if x.get("call") != call or x["kind"] != "call.end"]
            s.add(t + s.random.choice([MS, 5 * S - 1, 5 * S, 6 * S]), "call.end", call=call,
                  code=s.random.choice(["dropped", "dropped", "truncated", "abandoned"]))


def another_color(s):
    e = s.pick("dial.ok", where=lambda e: "color" in e)
    if e:
        color = "green" if e["color"] == "blue" else "blue"
        name = s.random.choice(INSTANCES[color])
        for x in s.events:
            if x.get("call") == e["call"] and x.get("leg", 0) == e.get("leg", 0) and "color" in x and x["t"] >= e["t"]:
                x["color"], x["instance"] = color, name


def another_count(s):
    e = s.pick("resume.ok", "reply.ok", "start.ok")
    if e:
        e["n"] = max(0, e.get("n", 0) + s.random.choice([-1, 1, 2]))
        if s.random.random() < 0.5:
            told = [x["digest"] for x in s.events if x["kind"] == "turn.inv" and x["call"] == e["call"] and x["turn"] == e["n"]]
            e["digest"] = told[0] if told else e["digest"]


def another_digest(s):
    e = s.pick("resume.ok", "reply.ok")
    if e:
        e["digest"] = digest_of("another") if s.random.random() < 0.7 else s.pick("turn.inv")["digest"]


def no_digest(s):
    e = s.pick("resume.ok", "reply.ok", "start.ok")
    if e:
        e["flags"] &= 8


def moved_write(s):
    """The write comes at the instant of its reply, or on one side of it."""
    e = s.pick("cmd.ok", where=lambda e: e["code"] == "setex")
    if e:
        reply = [x for x in s.events if x["kind"] == "reply.ok" and x["call"] == e["call"] and x["turn"] == e["n"]]
        if reply:
            e["t"] = reply[0]["t"] + s.random.choice([-1, 0, 0, 1, 500 * MS])
            e["due"] = e["t"] - MS // 2
            if s.random.random() < 0.5:   # which of two at one instant stands first
                s.events.remove(e)
                s.events.append(e)


def unsure_write(s):
    e = s.pick("cmd.ok", where=lambda e: e["code"] == "setex")
    if e:
        e["kind"] = s.random.choice(["cmd.info", "cmd.err"])


def nothing_there(s):
    e = s.pick("cmd.ok", where=lambda e: e["code"] == "get")
    if e:
        e["flags"] = 9
        e["due"] = s.random.choice([e["due"], e["t"] - 3 * S])


def written_by_another(s):
    e = s.pick("cmd.ok", where=lambda e: e["code"] == "setex")
    if e:
        e["color"], e["instance"] = "green", "green-2"


def other_fields(s):
    """One write has more fields than those before and after it, or others."""
    e = s.pick("cmd.ok", where=lambda e: e["code"] == "setex")
    if e:
        e.update(s.random.choice([{"turn": 5}, {"turn": 5, "leg": 0x1511}, {"leg": 0x1112}, {"turn": 3}, {"turn": 0, "leg": 0}]))


def other_ttl(s):
    e = s.pick("cmd.ok", where=lambda e: e["code"] == "setex")
    if e:
        e.update(s.random.choice([{"aux": s.random.choice([0, 2, 1797, 1798, 1799, 1801])}, {"code": "set"},
                                  {"code": "set", "aux": 0, "flags": 10 | s.random.choice([0, 16, 16, 32])}]))


def twice(s):
    e = s.pick("reply.ok")
    if e:
        t = e["t"] + s.random.choice([0, MS, 900 * MS])
        over = [x["t"] for x in s.events if x["kind"] == "leg.end" and x["call"] == e["call"] and x["t"] > e["t"]]
        s.events.append({**e, "t": min([t] + [x - 1 for x in over])})   # on a leg that is still there


def late_reply(s):
    e = s.pick("reply.ok")
    if e:
        later = e["t"] - 36 * MS + s.random.choice([5 * S - 1, 5 * S, 5 * S + 1])
        for x in s.events:   # the rest of the call waits with it
            if x.get("call") == e["call"] and x["t"] > e["t"]:
                x["t"] += later - e["t"]
        e["t"] = later


def late_resume(s):
    e = s.pick("resume.ok")
    if e:
        ends = [x["t"] for x in s.events if x["kind"] == "leg.end" and x["call"] == e["call"] and x["t"] < e["t"]]
        later = max(ends) + s.random.choice([5 * S, 5 * S + 1, 6 * S]) - e["t"]
        if later > 0:
            at = e["t"]
            for x in s.events:
                if x.get("call") == e["call"] and x["t"] >= at:
                    x["t"] += later


def jar_lets_go(s):
    e = s.pick("dial.inv", where=lambda e: e.get("flags") == 1)
    if e:
        for x in s.events:
            if x["kind"] in ("dial.inv", "dial.ok") and x["call"] == e["call"] and x.get("leg") == e["leg"]:
                x["flags"] = x.get("flags", 0) & 2


def no_set_cookie(s):
    e = s.pick("dial.ok")
    if e:
        e["flags"] &= 1


def two_origins(s):
    """The first message names another place than the 101: then neither is believed."""
    e = s.pick("start.ok", "resume.ok")
    if e:
        e["flags"] |= 16
        e.pop("color", None), e.pop("instance", None)


def said_at_ready(s):
    """The 101 does not say the color; the first message does, or that neither."""
    e = s.pick("dial.ok")
    if e:
        e.pop("color", None), e.pop("instance", None)
        if s.random.random() < 0.3:
            for x in s.events:
                if x["kind"] in ("start.ok", "resume.ok") and x["call"] == e["call"] and x.get("leg", 0) == e.get("leg", 0):
                    x.pop("color", None), x.pop("instance", None)


def moved_signal(s):
    e = s.pick("signal", "exit")
    if e:
        here = {x["call"] for x in s.events if "call" in x and x.get("instance") == e["instance"]}
        ends = [x["t"] for x in s.events if x["kind"] in ("hangup.inv", "leg.lose", "leg.end", "dial.ok") and x["call"] in here]
        at = [20 * S, DRAINED + S] + [t + d for t in ends for d in (-MS - 1, -MS, -1, 1, MS)]
        e["t"] = max(START + S, s.random.choice(at))
        if e["kind"] == "signal":
            e["code"] = s.random.choice([9, 15])
            for x in s.events:
                if x["kind"] == "exit" and x["instance"] == e["instance"]:
                    x["t"] = max(x["t"], e["t"] + 40 * MS)
                    x["code"] = 137 if e["code"] == 9 else 0
        else:
            for x in s.events:
                if x["kind"] == "signal" and x["instance"] == e["instance"]:
                    x["t"] = min(x["t"], e["t"])


def moved_belief(s):
    e = s.pick("belief")
    if e:
        e["t"] = s.random.choice([19 * S, 21 * S, 23 * S])
        e.update(s.random.choice([{}, {"n": 1}, {"aux": 1}, {"digest": "0" * 15 + "1"}]))


def drain_ends_otherwise(s):
    e = s.pick("phase.end", where=lambda e: e["code"] == "drain")
    if e:
        e.update(s.random.choice([{"flags": 1}, {"flags": 2}, {"t": 19 * S}, {"t": 21 * S}]))


def cookies_last(s):
    e = s.pick("config")
    if e:
        e["aux"] = s.random.choice([1, 3, 86400, 26])


def refused(s):
    """A call is never admitted: 503s, perhaps while the weights are moved."""
    if s.pick("call.start", where=lambda e: e["call"] == "c-refused"):
        return
    t = s.random.choice([12 * S, SHIFT - 1, SHIFT, SHIFT + MS, SHIFT + 2 * MS + S, SHIFT + 2 * MS + S + 1, 22 * S])
    s.add(t, "call.start", call="c-refused", due=t, turn=2)
    s.add(t, "dial.inv", call="c-refused", due=t)
    s.add(t + MS, "dial.fail", call="c-refused", code=s.random.choice([503, 403]), n="http_status", due=t)
    s.add(t + 5 * S, "call.end", call="c-refused", code=s.random.choice(["refused", "refused", "abandoned"]))


def no_shift(s):
    s.events = [e for e in s.events if e["kind"] not in ("weight.inv", "weight.ok") and (e["kind"] != "config" or "ver" in e)]


def roll_back(s):
    """Twenty seconds in, blue is given the weight again; most often it is still there."""
    t = 20 * S
    if s.random.random() < 0.8:
        gone = [] if s.random.random() < 0.1 else ["deregister"]
        s.events = [e for e in s.events if e["kind"] not in ("signal", "exit") and e.get("code") not in gone]
    s.add(t, "phase.begin", code="rollback", n=3)
    s.add(t + 10 * MS, "weight.inv", ver=100)
    s.add(t + 12 * MS, "weight.ok", due=t + 10 * MS, ver=100)
    s.add(t + 15 * MS, "config", ver=100, aux=2, turn=2, n=20, flags=2)
    s.add(t + 30 * MS, "phase.end", code="rollback", n=3)
    s.back = t + 11 * MS


def rolled_back_otherwise(s):
    end = s.pick("phase.end", where=lambda e: e["code"] == "rollback")
    read = s.pick("config", where=lambda e: e["t"] > 20 * S)
    if not end or not read:
        return
    s.random.choice([
        lambda: end.update(flags=1), lambda: end.update(flags=2), lambda: end.update(t=31_250 * MS),
        lambda: end.update(t=31_250 * MS + 1), lambda: read.pop("flags", None), lambda: read.update(t=20_500 * MS),
        lambda: read.update(flags=0, digest="0" * 15 + "7"), lambda: s.pick("config").update(digest="0" * 15 + "7", epoch=50),
        lambda: s.pick("config").update(flags=0), lambda: s.events.remove(read)])()


def dials_after(s):
    """A fresh dial at the end of a rollback's propagation, or a nanosecond after."""
    end = s.pick("phase.end", where=lambda e: e["code"] == "rollback")
    if end and not s.pick("call.start", where=lambda e: e["call"] == "c-9"):
        voice = Voice(s, 9)
        voice.t = end["t"] + S + s.random.choice([0, 1])
        voice.live()


def another_writer(s):
    """Somebody writes what the call's writer wrote, or once more what it wrote before."""
    e = s.pick("cmd.ok", where=lambda e: e["code"] in ("setex", "eval"))
    if not e:
        return
    others = [x for x in s.events if x["kind"] == "cmd.ok" and x["call"] == e["call"] and x["instance"] != e["instance"]]
    by = s.random.choice(others)["instance"] if others and s.random.random() < 0.7 else s.random.choice(sum(INSTANCES.values(), ()))
    again = {**e, "instance": by, "color": by.split("-")[0]}
    again["t"] = e["t"] + s.random.choice([0, 1, MS, 30 * MS, 1100 * MS])
    again["due"] = s.random.choice([e["t"] - 1, e["t"], e["t"] + 1, again["t"]])
    again["due"] = min(again["due"], again["t"])
    if s.random.random() < 0.4:
        again["digest"] = digest_of("another")
    if "ver" in e and s.random.random() < 0.5:
        again["ver"] = e["ver"] + 50
    if "epoch" in e and s.random.random() < 0.3:
        again["epoch"] = max(1, e["epoch"] - 1)
    if s.random.random() < 0.4:
        read = s.random.choice([e["t"] - 1, e["t"], e["t"] + 1])
        s.events.append({**again, "code": "get", "n": max(0, e.get("n", 0) - s.random.choice([0, 1, 1])), "due": read, "t": read + 1})
        again["t"] = max(again["t"], read + 2)
    s.events.append(again)


def shared_epoch(s):
    e = s.pick("cmd.ok", where=lambda e: e["code"] == "eval" and e.get("epoch", 0) > 1)
    if e:
        e["epoch"] -= 1


def former_voice(s):
    """The leg before speaks once more, when the one after it has been ready for as long as that may take."""
    ready = s.pick("resume.ok")
    told = ready and s.pick("reply.ok", where=lambda e: e["call"] == ready["call"] and e.get("leg", 0) < ready["leg"])
    if told:
        since = s.random.choice([ready["t"], ready["t"] - MS])
        s.events.append({**told, "t": since + 250 * MS + s.random.choice([-1, 0, 1])})


def back_to_blue(s):
    t = s.random.choice([20 * S, 21 * S])
    s.add(t, "weight.inv", ver=100)
    s.add(t + 2 * MS, "weight.ok", due=t, ver=100)


CHANGES = [forget("reply.ok"), forget("cmd.ok"), forget("cmd.ok", where=lambda e: e["code"] == "setex"), forget("call.end"),
           forget("exit"), forget("belief"), forget("config"), forget("hangup.inv"), agent_cuts, agent_cuts, another_color,
           another_color, another_count, another_digest, no_digest, moved_write, moved_write, unsure_write, nothing_there,
           written_by_another, other_fields, other_fields, other_ttl, other_ttl, twice, late_reply, late_resume, jar_lets_go,
           no_set_cookie, said_at_ready, two_origins, moved_signal, moved_signal, moved_belief, drain_ends_otherwise, cookies_last,
           refused, no_shift, another_writer, another_writer, another_writer, shared_epoch, former_voice, former_voice]


def record(seed):
    s = Story(seed)
    cutover(s)
    if s.random.random() < 0.25:
        roll_back(s)
    changes = CHANGES + ([rolled_back_otherwise] * 9 + [dials_after] * 9 if s.back else [back_to_blue])
    for number in range(s.random.randint(1, 4)):
        Voice(s, number).live()
    for _ in range(s.random.choice([0, 1, 1, 1, 2, 2, 3])):
        s.random.choice(changes)(s)
    return s.lines()


if __name__ == "__main__":
    print("\n".join(record(int(sys.argv[1]))))
