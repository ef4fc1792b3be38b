#!/usr/bin/env python3
"""A second judge, to hold the first one against: judgement 2.3 as it is written, by looking through the whole record for each
question. It shares no code with harness/check and is not fast. It knows eight checks, I1 to I8, the scenario of
harness/check/core/story.c, small records (no digest is ever forgotten) and one move of the weights to green, with or
without the way back.

  ci/naive/check.py FILE.ndjson...     one line a check: its verdict, and all it has to say
"""
import json
import sys

S, MS = 10**9, 10**6
PROPAGATION, LASTS, TICK, DEAD_AFTER, RESUME_WITHIN, DELAY, IDLE = S, 2 * S, S, 5 * S, 5 * S, 20 * S, 10 * S
LAG_MAX, RACE = 250 * MS, MS
SIGTERM_WINDOW, SIGKILL_WINDOW, EARLY, LATE = 2 * S, S, S // 2, 2 * S
BURST, SIGNAL_ANSWER, GOODBYE_WINDOW, EXIT_WINDOW = 100 * MS, 10 * MS, S // 4, S
TEARDOWN = ("sigterm", "sigkill", "deregistration", "short", "died", "cap")
DEADLINE = 25 * S
HAS_COOKIE, SET_COOKIE = 1, 2
TWO_ORIGINS = 16
HAS_DIGEST, HAS_VER, HAS_EPOCH, HAS_TURNS = 1, 2, 4, 8
NIL, HAS_STATE, PROBE, CALL_KEY, KEEP_TTL, TTL_AT = 1, 2, 4, 8, 16, 32
TTL = 1800   # seconds, as declared; one less will do
TTL_FLOOR = 0   # seconds that are always left of it; 0: not declared
WRITES = ("set", "setex", "eval")   # an eval is one if it holds a state
HTTP_STATUS, LOCAL_LIMIT = 7, 8   # of dial.fail
WORDS = {"flags": {"resumable": 1, "bridge": 0, "agent": 1, "caller": 0},
         "n": {"close_frame": 0, "fin": 1, "rst": 2, "timeout": 3, "http_status": HTTP_STATUS, "local_limit": LOCAL_LIMIT},
         "code": {"completed": 0, "dropped": 1, "muted": 2, "truncated": 3, "refused": 4, "abandoned": 5}}


def nanoseconds(value):
    if isinstance(value, int):
        return value
    for unit, factor in (("ms", MS), ("us", 1000), ("ns", 1), ("s", S)):
        if value.endswith(unit):
            return round(float(value[:-len(unit)]) * factor)
    raise ValueError(value)


class Event:
    """One line of the record; a field that is not named is 0."""

    def __init__(self, place, line):
        raw = json.loads(line)
        self.place, self.raw = place, raw
        self.t, self.kind = nanoseconds(raw["t"]), raw["kind"]
        self.due = nanoseconds(raw.get("due", -1))
        self.call, self.color, self.instance = raw.get("call"), raw.get("color", ""), raw.get("instance", "")
        self.digest = raw.get("digest", "0" * 16)
        for name in ("leg", "turn", "n", "code", "ver", "epoch", "aux", "flags"):
            value = raw.get(name, 0)
            setattr(self, name, WORDS.get(name, {}).get(value, value))


class Leg:
    """A dial and what came of it, by the caller's record."""

    def __init__(self, call, inv, until):
        mine = [e for e in call.events if inv.place <= e.place < until and e.leg == inv.leg]
        self.number, self.inv = inv.leg, inv
        self.ok = next((e for e in mine if e.kind == "dial.ok"), None)
        self.ready = next((e for e in mine if e.kind in ("start.ok", "resume.ok")), None)
        # What told its color: the 101, else the first message.
        self.placed = next((e for e in (self.ok, self.ready) if e and e.color), None)
        self.color = self.placed.color if self.placed else ""
        self.instance = self.placed.instance if self.placed else ""
        self.cookie = any(e.flags & HAS_COOKIE for e in (self.inv, self.ok) if e)
        self.set_cookie = bool(self.ok and self.ok.flags & SET_COOKIE)
        self.end = next((e for e in call.events if e.place > inv.place and e.place < until and (
            e.kind in ("hangup.inv", "leg.lose") or e.kind == "leg.end" and e.leg == inv.leg)), None)
        self.cut = next((e for e in mine if e.kind == "leg.end"), None)

    def live_at(self, place):
        return bool(self.placed and self.placed.place < place and not (self.end and self.end.place < place))


class Call:
    def __init__(self, events, name):
        self.name = name
        self.events = [e for e in events if e.call == name]
        self.start = next(e for e in self.events if e.kind == "call.start")
        self.resumable = self.start.flags == 1
        self.admitted = self.first("start.ok")
        self.hangup, self.end = self.first("hangup.inv"), self.first("call.end")
        dials = [e for e in self.events if e.kind == "dial.inv"]
        self.legs = [Leg(self, e, dials[i + 1].place if i + 1 < len(dials) else 1 << 60) for i, e in enumerate(dials)]

    def first(self, kind, after=-1):
        return next((e for e in self.events if e.kind == kind and e.place > after), None)

    def all(self, kind):
        return [e for e in self.events if e.kind == kind]

    def lives_at(self, place):
        return bool(self.admitted and self.admitted.place < place and not any(
            e and e.place < place for e in (self.hangup, self.end)))

    def leg_at(self, place):
        """The leg in use: the last that was dialed."""
        before = [leg for leg in self.legs if leg.inv.place < place]
        return before[-1] if before else None

    def losses(self):
        """(the leg.end that left the caller without a leg, the resume.ok that ended it or None)"""
        found, at = [], -1
        for e in self.all("leg.end"):
            leg = self.leg_at(e.place)
            if e.place < at or not leg or e.leg != leg.number or self.hangup and self.hangup.place < e.place:
                continue
            if not self.admitted or self.admitted.place > e.place:
                continue
            back = self.first("resume.ok", e.place)
            found.append((e, back))
            at = back.place if back else 1 << 60
        return found


class Record:
    def __init__(self, lines):
        # Of a lane's damage only the tap's is looked at.
        self.tap_is_torn = any('"role":"tap"' in line and '"damage"' in line for line in lines)
        lines = [line for line in lines if line.strip() and not line.startswith(("#", '{"lane":'))]
        self.events = [Event(i, line) for i, line in enumerate(lines)]
        names = []
        for e in self.events:
            if e.kind == "call.start" and e.call not in names:
                names.append(e.call)
        self.calls = [Call(self.events, name) for name in names]
        self.goodbyes = {}   # times of hangups after its SIGTERM, of each instance
        self.legs = [(call, leg) for call in self.calls for leg in call.legs]
        self.last = self.events[-1].t
        self.run_end = next((e.place for e in self.events if e.kind == "run.end"), 1 << 60)
        self.asked = [e for e in self.events if e.kind == "weight.inv"]
        self.said = [e for e in self.events if e.kind == "weight.ok"]
        self.shift = next((e for e in self.said if not e.ver and e.epoch), None)
        self.colorless = sum(1 for call, leg in self.legs if leg.ready and (not leg.color or leg.ready.flags & TWO_ORIGINS))

    def all(self, kind):
        return [e for e in self.events if e.kind == kind]

    def forgets(self, call):
        """The place where a call that is over is judged: what comes later changes nothing of it."""
        over = call.end.t + LASTS + RESUME_WITHIN if call.end else 1 << 62
        return next((e.place for e in self.events if e.t >= over), len(self.events))

    def zero_since(self, color, place):
        """Since when the color's weight is definitely 0, as known at that place; None when it is not."""
        field, since, pending, looked = ("ver" if color == "blue" else "epoch"), None, False, False
        for e in self.events[:place + 1]:
            weight = getattr(e, field)
            if e.kind == "weight.inv":
                pending, looked = True, True
                since = None if weight else since
            elif e.kind == "weight.ok" or e.kind == "config" and not pending:
                began = self.events[0].t if e.kind == "config" and not looked else e.t
                since = None if weight else began if since is None else since
            pending = pending and e.kind != "weight.ok"
            looked = looked or e.kind == "config"
        return since

    def weights_asked(self, place):
        return any(e.place <= place for e in self.asked)

    def serving(self, color, place):
        """No instance of it was signalled, taken out or has ended."""
        return not any(e.color == color and e.place <= place and (
            e.kind in ("signal", "exit") or e.kind in ("action.inv", "action.ok") and e.code == "deregister")
            for e in self.events)

    def phase(self, place):
        began = [e for e in self.events[:place] if e.kind == "phase.begin"]
        return began[-1].code if began else ""

    def age(self, call, leg):
        """(age of the caller's cookie at the dial, the most it can have been) or None; and whose it is."""
        before = [x for x in call.legs if x.inv.place < leg.inv.place and x.placed]
        issued = [x for x in before if x.set_cookie] or before[:0]
        if not issued:   # a balancer that says nothing: the last 101 is all there is
            issued = before
        if not issued:
            return None
        last = issued[-1]
        at = last.ok.t if last.ok else last.placed.t
        opened = leg.ok.t if leg.ok else leg.placed.t
        return leg.inv.t - at, opened - last.inv.t, last.color, any(x.set_cookie for x in before)

    def cause(self, leg, cut):
        """Which signature a leg's end carries, the nearest; the word, or ''."""
        bare, best = cut.n in (1, 2), []
        if cut.flags != 1:
            return ""
        last_byte = cut.t - cut.aux * MS

        def consider(word, expected, early, late):
            if -early <= cut.t - expected <= late:
                best.append((abs(cut.t - expected), word))
        if bare and cut.aux:
            idles = [e.code for e in self.all("config") if e.place < cut.place and e.code]
            consider("idle", last_byte + (idles[-1] * S if idles else IDLE), EARLY, LATE)
        for number, word, window in ((15, "sigterm", SIGTERM_WINDOW), (9, "sigkill", SIGKILL_WINDOW)):
            signals = [e for e in self.all("signal") if e.instance == leg.instance and e.code == number and e.place < cut.place]
            if signals and (bare or number == 15):
                consider(word, signals[0].t, 0, window)
        out = [e for e in self.all("action.inv") if e.code == "deregister" and e.color == leg.color and e.place < cut.place]
        if bare and out:
            delays = [e.n for e in self.all("config") if e.place < cut.place]
            consider("deregistration", out[0].t + (delays[-1] * S if delays else DELAY), EARLY, LATE)
        reloads = [e for e in self.all("reload") if e.place < cut.place]
        if bare and reloads and reloads[-1].aux:
            consider("reload", reloads[-1].t + reloads[-1].aux * MS, EARLY, LATE)
        self.ends_of_its_own(leg, cut, consider)
        if not best and self.of_many(leg, cut):
            best.append((0, "cap"))
        if not best:
            self.end_of_drain(leg, cut, consider)
        return min(best)[1] if best else ""

    def signals(self, instance, number, place=1 << 60):
        return [e for e in self.all("signal") if e.instance == instance and e.code == number and e.place < place]

    def exit_of(self, instance):
        return next((e for e in self.all("exit") if e.instance == instance), None)

    def ends_of_its_own(self, leg, cut, consider):
        """The instance ended though nobody of ours had said so, or took another call's hangup for its last."""
        end = self.exit_of(leg.instance)
        if end:
            killed = end.code > 128 and end.code != 128 + 15
            told = self.signals(leg.instance, 9, end.place) if killed else \
                self.signals(leg.instance, 9, end.place) + self.signals(leg.instance, 15, end.place)
            if not told:
                consider("died", end.t, EXIT_WINDOW, EXIT_WINDOW)
        term = self.signals(leg.instance, 15)
        for call in self.calls:
            last = call.leg_at(call.hangup.place) if call.hangup else None
            if term and last and last.placed and last.instance == leg.instance and call.hangup.place > term[0].place \
                    and call.hangup.t - term[0].t > SIGNAL_ANSWER and call.hangup.place < cut.place \
                    and not self.answered(leg.instance, term[0], call.hangup):
                self.goodbyes.setdefault(leg.instance, set()).add(call.hangup.t)
        if self.goodbyes.get(leg.instance):
            consider("short", min(self.goodbyes[leg.instance]), 0, GOODBYE_WINDOW)

    def lost_by(self, instance):
        """The ends of legs, by its side, of an instance."""
        return [e for call in self.calls for e, _ in call.losses()
                if e.flags == 1 and (e.instance or call.leg_at(e.place).instance) == instance]

    def answered(self, instance, term, hangup):
        """It had ended a leg already when the other call hung up: that was for the signal."""
        return any(term.place < e.place < hangup.place and e.t - term.t <= SIGTERM_WINDOW for e in self.lost_by(instance))

    def of_many(self, leg, cut):
        """One of the first legs that its instance lost together, long after SIGTERM and before SIGKILL."""
        term, run = self.signals(leg.instance, 15), []
        for e in sorted(self.lost_by(leg.instance), key=lambda e: e.place):
            if not term or term[0].place > e.place or e.t - term[0].t <= SIGTERM_WINDOW or self.signals(leg.instance, 9, e.place):
                continue
            if run and e.t - run[-1].t > BURST:
                if len(run) > 1:
                    break
                run = []
            run.append(e)
        return len(run) > 1 and run[0].t <= cut.t <= run[-1].t

    def end_of_drain(self, leg, cut, consider):
        end = self.exit_of(leg.instance)
        term = self.signals(leg.instance, 15, end.place) if end else []
        if term and term[0].t < end.t and not self.signals(leg.instance, 9):
            consider("short", end.t, EXIT_WINDOW, EXIT_WINDOW)


# ---- the eight; each is (bad, doubtful), or None when it is not asked: what convicts, and what makes a pass impossible ----

def waited_too_long(call):
    """A turn was unanswered past dead_after while the leg it was sent on was up."""
    for turn in call.all("turn.inv"):
        if call.hangup and call.hangup.place < turn.place:
            continue
        leg = call.leg_at(turn.place)
        ends = [e for e in call.events if e.place > turn.place and (
            e.kind == "reply.ok" and e.turn >= turn.turn or e.kind in ("hangup.inv", "call.end") or
            e.kind == "leg.end" and leg and e.leg == leg.number)]
        if ends and ends[0].t - turn.t > DEAD_AFTER:
            return True
    return False


def outcome(record, call):
    """completed, unfinished, refused, or the sort of drop"""
    ended = call.end.code if call.end else None
    if not call.admitted:
        return "unfinished" if ended in (None, 5) else "refused"
    if waited_too_long(call):
        return "muted"
    losses = call.losses()
    if any(back and back.t - cut.t > RESUME_WITHIN for cut, back in losses):
        return "back too late"
    if call.hangup:
        return "completed"
    if losses and not losses[-1][1]:
        cut = losses[-1][0]
        planned = any(e.kind == "leg.lose" and e.leg == cut.leg for e in call.events)
        if cut.flags == 0 and not planned and ended in (2, 5):
            return "muted" if ended == 2 else "unfinished"
        if call.resumable and (call.end.t if call.end else record.last) - cut.t <= RESUME_WITHIN and ended in (None, 5):
            return "unfinished"
        return "dropped"
    return "unfinished" if ended in (None, 5) else "ended by nobody"


def dropped_calls(record):
    outcomes = {call.name: outcome(record, call) for call in record.calls}
    for e in record.all("dial.fail"):   # for lack of our own ports: that says nothing about the call
        if e.n == LOCAL_LIMIT and outcomes[e.call] != "completed":
            outcomes[e.call] = "unfinished"
    bad = [f"{name}: {word}" for name, word in outcomes.items() if word not in ("completed", "unfinished")]
    doubtful = [f"{name}: unfinished" for name, word in outcomes.items() if word == "unfinished"]
    if not record.shift:
        doubtful.append("no shift")
    elif not any(call.lives_at(record.shift.place) for call in record.calls):
        doubtful.append("nobody live across the shift")
    if all(word == "unfinished" for word in outcomes.values()):
        doubtful.append("nobody to judge")
    return bad, doubtful


def reads(call):
    """What the caller was shown against what it knows: I2 a, b, c, and once."""
    acked, version, bad = 0, 0, []
    for e in call.events:
        if e.kind not in ("start.ok", "resume.ok", "reply.ok"):
            continue
        sent = max((x.turn for x in call.all("turn.inv") if x.place < e.place), default=0)
        expected = {x.turn: x.digest for x in call.all("turn.inv") if x.place < e.place}
        expected[0] = next((x.digest for x in call.all("start.ok") if not x.n), None)
        floor = e.turn if e.kind == "reply.ok" else acked
        if e.flags & HAS_TURNS and e.kind == "start.ok" and e.n:
            bad.append(f"{call.name}: began with {e.n} turns")
        elif e.flags & HAS_TURNS and e.kind != "start.ok":
            if e.n < floor:
                bad.append(f"{call.name}: not durable, {e.n} of {floor}")
            elif e.n > sent:
                bad.append(f"{call.name}: phantom, {e.n} of {sent}")
            elif e.flags & HAS_DIGEST and expected.get(e.n) not in (None, e.digest):
                bad.append(f"{call.name}: another digest after {e.n}")
            elif e.flags & HAS_VER and e.ver < version and floor >= acked:   # an old answer is no read
                bad.append(f"{call.name}: version {e.ver} after {version}")
        if e.flags & HAS_VER:
            version = max(version, e.ver)
        if e.kind == "reply.ok":
            acked = max(acked, e.turn)
        elif e.kind == "resume.ok" and e.flags & HAS_TURNS:
            acked = max(acked, e.n)
    answers = call.all("reply.ok")
    for i, first in enumerate(answers):
        for at, again in enumerate(answers[i + 1:], i + 1):
            newest = sorted({x.leg for x in answers[:at]})[-2:]   # of older legs nothing is remembered
            sent_again = any(x.flags & 1 and first.place < x.place < again.place for x in call.all("turn.inv"))
            if first.turn == again.turn and first.leg == again.leg and first.leg in newest and not sent_again:
                bad.append(f"{call.name}: turn {first.turn} answered twice")
    return bad


def accepted(call):
    """The writes of its state that Redis took."""
    return [e for e in call.all("cmd.ok") if e.code in WRITES and e.flags & (CALL_KEY | HAS_STATE | NIL) == CALL_KEY | HAS_STATE]


def persisted(record, call):
    """I2 f: the write that holds the turn was accepted no later than its reply arrived."""
    bad, doubtful = [], []
    writes = accepted(call)
    unsure = [e for e in call.all("cmd.info") if e.code in WRITES and e.flags & HAS_STATE]
    for reply in call.all("reply.ok"):
        earlier = [x for x in call.events if x.place < reply.place]
        known = max([x.turn for x in earlier if x.kind == "reply.ok"] +
                    [x.n for x in earlier if x.kind == "resume.ok" and x.flags & HAS_TURNS], default=0)
        holds = [w for w in writes if w.n >= reply.turn]
        if reply.turn <= known or any(w.t <= reply.t for w in holds):
            continue

        def seen(until, by=reply.instance):
            return any(e.kind.startswith("cmd.") and e.instance == by and e.flags & CALL_KEY and e.place <= until
                       for e in record.events)
        if holds and seen(holds[0].place):
            bad.append(f"{call.name}: turn {reply.turn} acknowledged early")
        elif holds:
            doubtful.append(f"{call.name}: the commands of {reply.instance} were not seen")
        elif any(u.n >= reply.turn for u in unsure):
            continue
        elif seen(record.forgets(call)):
            bad.append(f"{call.name}: turn {reply.turn} never persisted")
        else:
            doubtful.append(f"{call.name}: the commands of {reply.instance} were not seen")
    return bad, doubtful


def aborted(call):
    """A resume shows a turn whose write Redis refused, and that nobody wrote since: G1a."""
    for shown in call.all("resume.ok"):
        writes = [w for w in accepted(call) if w.place < shown.place]
        unsure = [e.n for e in call.all("cmd.info") if e.code in WRITES and e.flags & HAS_STATE and e.place < shown.place]
        for e in call.all("cmd.err"):
            if not (e.code in WRITES and e.flags & (CALL_KEY | HAS_STATE) == CALL_KEY | HAS_STATE and e.place < shown.place):
                continue
            known = any(w.n >= e.n for w in writes) or max(unsure, default=0) >= e.n
            if shown.flags & HAS_TURNS and shown.n >= e.n and not known:
                return [f"{call.name}: aborted read of turn {e.n}"]
    return []


def shown(call):
    """What Redis answered while the call was live: to an agent, or to a look of the harness."""
    gets = [e for e in call.all("cmd.ok") if e.code == "get" and e.flags & CALL_KEY]
    return [e for e in gets + call.all("key") if call.lives_at(e.place)]


def fell_back(call):
    """Redis showed less than it had held, and never all of it again: I2 d, of an agent that echoes nothing."""
    gets = [e for e in shown(call) if e.flags & HAS_STATE and not e.flags & NIL]
    held = sorted(accepted(call) + gets, key=lambda e: e.place)
    for e in gets:
        before = [h for h in held if h.place < e.place]
        most = max((h.n for h in before), default=0)
        first = next((h for h in before if h.n == most), None)
        if first and e.n < most and e.due > first.t and not any(h.place > e.place and h.n >= most for h in held):
            return [f"{call.name}: Redis had {most} turns and shows {e.n}"]
    return []


def evaporated(call):
    for e in shown(call):
        if e.flags & NIL and any(w.n and w.place < e.place and w.t < e.due for w in accepted(call)):
            return [f"{call.name}: evaporated"]
    return []


def stripped(call):
    """I2 g: a color goes on from what the other wrote, and a field of that is gone."""
    writes = accepted(call)
    for before, after in zip(writes, writes[1:]):
        went_on = before.t < after.due and (after.n > before.n or after.ver > before.ver)
        gone = after.turn and (before.leg & ~after.leg or after.turn < before.turn)
        if {before.color, after.color} == {"blue", "green"} and went_on and gone:
            return [f"{call.name}: a field is gone with turn {after.n}"]
    return []


def lasting(call):
    """I2 h: a write sets the declared time to live in the same command."""
    bad = []
    others = [e for e in call.all("cmd.ok") if e.code in ("expire", "persist") and e.flags & (CALL_KEY | NIL) == CALL_KEY]
    told = sorted(accepted(call) + others, key=lambda e: e.place)
    for i, e in enumerate(told):
        left = e.aux * S
        if e.flags & KEEP_TTL:
            since = next((x for x in reversed(told[:i]) if not x.flags & KEEP_TTL), None)
            left = since.aux * S - (e.due - since.t) if since and since.aux and e.due > since.t else 0
        if e.code == "persist" or e.code == "set" and not e.aux and not e.flags & (KEEP_TTL | TTL_AT):
            bad.append(f"{call.name}: turn {e.n} never expires")
        elif left and not (TTL - 1) * S <= left <= TTL * S:
            bad.append(f"{call.name}: turn {e.n} has {left / S} s to live")
    return bad


def least_left(record, call):
    """I2 h: the least that was ever left to live while the call lived, at most so many ns; None: not known."""
    over = call.hangup or call.end
    set_at, ttl, least = None, 0, []

    def run_down(at):
        if set_at is not None and at > set_at:
            least.append(ttl * S - (at - set_at))
    for e in call.events:
        told = e.kind == "cmd.ok" and e.flags & (CALL_KEY | NIL) == CALL_KEY
        sets = e.code in ("set", "setex", "expire", "persist") or e.code == "get" and e.aux or e.code == "eval" and e.flags & HAS_STATE
        if told and sets:
            run_down(min(e.due, over.t) if over and over.place < e.place else e.due)
            if not e.flags & KEEP_TTL:
                set_at, ttl = (e.t, e.aux) if e.aux else (None, 0)
        elif told and e.code in ("del", "eval") or e.kind == "cmd.info" and e.flags & CALL_KEY:
            set_at = None
        elif e.kind == "reply.ok" and not any(x.kind.startswith("cmd.") and x.instance == e.instance and x.flags & CALL_KEY
                                              and x.place < e.place for x in record.events):
            set_at = None
    if over:
        run_down(over.t)
    return min(least, default=None)


def state_continuity(record):
    bad, doubtful = [], []
    least = {call.name: least_left(record, call) for call in record.calls}
    if TTL_FLOOR and all(left is None for left in least.values()):
        doubtful.append("nothing tells how long a state had to live")
    crossings = resumes = commands = 0
    for call in record.calls:
        early, unseen = persisted(record, call)
        unwritten = [text for text in early if text.endswith("never persisted")] + aborted(call) + fell_back(call)
        if TTL_FLOOR and least[call.name] is not None and least[call.name] < TTL_FLOOR * S:
            unwritten.append(f"{call.name}: {least[call.name] / S} s left to live")
        bad += stripped(call) + lasting(call)
        bad += reads(call) + evaporated(call) + [text for text in early if text not in unwritten]
        # What was not written after all may be in what is missing.
        (doubtful if record.tap_is_torn else bad).extend(unwritten)
        doubtful += unseen
        resumes += len(call.all("resume.ok"))
        commands += sum(1 for e in call.all("cmd.ok") if e.flags & CALL_KEY)
        for e in call.events:
            if e.kind in ("start.ok", "resume.ok", "reply.ok") and not e.flags & HAS_DIGEST:
                doubtful.append(f"{call.name}: no digest")
        for cut, back in call.losses():
            left, to = call.leg_at(cut.place), back and call.leg_at(back.place)
            crossings += bool(to and left.color and to.color and left.color != to.color)
    if not commands or any(e.n for e in record.all("bypass")):
        doubtful.append("not all commands seen")
    if record.shift and not crossings:
        doubtful.append("nobody crossed")
    if not resumes:
        doubtful.append("nobody resumed")
    return bad, doubtful


def new_calls_to_green(record):
    bad, saw = [], 0
    doubtful = ["a leg without color"] if record.colorless else []
    if not record.shift:
        return bad, doubtful + ["no shift"]
    until = next((e.t for e in record.asked if e.place > record.shift.place), 1 << 62)
    for call, leg in record.legs:
        if leg.cookie or not leg.placed or not record.shift.t + PROPAGATION < leg.inv.t < until:
            continue
        saw += 1
        if leg.color != "green":
            bad.append(f"{call.name}: leg {leg.number} on {leg.color}")
    for e in record.all("dial.fail"):
        inv = [x for x in record.all("dial.inv") if x.call == e.call and x.place < e.place][-1]
        if inv.flags & HAS_COOKIE or e.n != HTTP_STATUS or e.code < 500 or not record.serving("blue", e.place):
            continue
        for asked in (a for a in record.asked if record.phase(a.place) != "rollback"):   # of that its own check speaks
            said = next((x for x in record.said if x.place > asked.place), None)
            if asked.t <= inv.t <= (said.t + PROPAGATION if said and said.place < e.place else 1 << 62) and asked.place < e.place:
                bad.append(f"{e.call}: {e.code} while the weights were moved")
    return bad, doubtful + ([] if saw else ["no fresh dial"])


def sticky_reconnect(record):
    bad, young, stale = [], 0, 0
    told = set()
    for e in record.all("config"):
        if (abs(e.aux * S - LASTS) >= S or e.aux * S > DEADLINE) and e.aux not in told:
            bad.append(f"cookies last {e.aux} s")
    for call, leg in record.legs:
        cookie = record.age(call, leg) if leg.number and leg.placed else None
        if not cookie:
            continue
        age, oldest, color, says = cookie
        if not leg.cookie and says:
            continue
        place = leg.placed.place
        left = any(since is not None and leg.inv.t > since + PROPAGATION
                   for since in (record.zero_since(c, place) for c in ("blue", "green")))
        if age <= LASTS - TICK:
            if oldest <= age + LAG_MAX and record.serving(color, place):
                young += 1
                if leg.color != color:
                    bad.append(f"{call.name}: leg {leg.number} left {color}, cookie {age / S} s")
        elif age >= LASTS + TICK and left and record.weights_asked(place):
            stale += 1
            since = record.zero_since(leg.color, place)
            if since is not None and leg.inv.t > since + PROPAGATION:
                bad.append(f"{call.name}: leg {leg.number} pulled to {leg.color}, cookie {age / S} s")
    doubtful = ["a leg without color"] if record.colorless else []
    doubtful += [] if young else ["no young cookie"]
    doubtful += [] if record.shift and stale else ["no stale cookie"]
    return bad, doubtful


def torn_down(record, instance):
    """(the moment's event, legs live then, legs cut by it) or None"""
    legs = [(call, leg) for call, leg in record.legs if leg.placed and leg.instance == instance]
    cuts = [leg.cut for call, leg in legs if leg.cut and leg.live_at(leg.cut.place) and leg.cut.place < record.run_end and
            record.cause(leg, leg.cut) in TEARDOWN]
    ends = [e for e in record.events if e.place < record.run_end and e.instance == instance and (
        e.kind == "exit" or e.kind == "signal" and (e.code == 9 or e.code == 15 and record.phase(e.place) != "drain"))]
    moments = sorted(ends + cuts, key=lambda e: e.place)
    if not moments:
        return None
    at = moments[0]
    if at in cuts and at not in ends:
        live = 0
    else:
        live = sum(1 for call, leg in legs if leg.live_at(at.place) and not (
            leg.end and leg.end.kind in ("hangup.inv", "leg.lose") and leg.end.t - at.t <= RACE))
    return live, len(cuts), len(legs)


def drained_before_teardown(record):
    bad, doubtful, torn, saw = [], [], 0, 0
    instances = {e.instance: e.color for e in record.events if e.instance and e.color}
    for instance in instances:
        found = torn_down(record, instance)
        if not found:
            continue
        torn += 1
        live, cut, legs = found
        saw += legs
        if live or cut:
            bad.append(f"{instance} torn down with {live} live, {cut} cut")
        elif not any(e.instance == instance for e in record.all("exit")):
            doubtful.append(f"end of {instance} not seen")
    for e in record.all("belief"):
        live = sum(1 for call, leg in record.legs if leg.color == e.color and leg.live_at(e.place))
        if live != e.n:
            bad.append(f"{e.color} believed to have {e.n}, had {live}")
        there = {x.instance for x in record.events[:e.place] if x.instance and x.color == e.color} - {
            x.instance for x in record.all("exit") if x.place < e.place}
        if int(e.digest, 16):
            doubtful.append("an instance did not answer")
        if e.aux and e.aux < len(there):
            doubtful.append("not all instances asked")
    for end in record.all("phase.end"):
        if end.code != "drain":
            continue
        begin = [e for e in record.all("phase.begin") if e.place < end.place][-1]
        if end.flags == 1 and end.t - begin.t >= DEADLINE - S or not end.flags and end.t - begin.t > DEADLINE + S:
            bad.append("drain stuck")
        for call, leg in record.legs:
            if end.flags or not leg.placed or leg.placed.place < end.place or leg.color != "blue" or leg.inv.t <= end.t:
                continue
            if any(e.ver and end.place < e.place < leg.placed.place for e in record.asked):
                continue   # taken back into service
            cookie = record.age(call, leg)
            if record.zero_since("blue", leg.placed.place) is not None and (
                    not leg.cookie or cookie and cookie[0] >= LASTS + TICK):
                bad.append(f"{call.name}: admitted to drained blue")
    doubtful += [] if torn else ["nothing was torn down"]
    doubtful += [] if saw else ["no leg on what was torn down"]
    if any(leg.placed and not leg.instance for call, leg in record.legs):
        doubtful.append("a leg without instance")
    return bad, doubtful


def no_green_at_zero(record):
    bad, saw = [], 0

    def zero_at(place, t):
        since = record.zero_since("green", place)
        return since is not None and t > since + (PROPAGATION if record.weights_asked(place) else 0)
    for call, leg in record.legs:
        if not leg.placed or leg.cookie or not zero_at(leg.placed.place, leg.inv.t):
            continue
        saw += 1
        if leg.color == "green":
            bad.append(f"{call.name}: leg {leg.number} on green at weight 0")
    for e in record.all("cmd.ok"):
        if e.color != "green" or e.code not in WRITES or e.code == "eval" and not e.flags & HAS_STATE:
            continue
        if not e.flags & CALL_KEY or e.flags & PROBE or not zero_at(e.place, e.due):
            continue
        call = next((c for c in record.calls if c.name == e.call), None)
        if not any(leg.color == "green" and leg.placed.place < e.place for leg in call.legs):
            bad.append(f"{e.call}: written by green at weight 0")
    doubtful = ["a leg without color"] if record.colorless else []
    if not record.all("config") and not record.asked:
        doubtful.append("weights never read")
    return bad, doubtful + ([] if saw else ["no fresh dial at weight 0"])


class Trial:
    """A rollback, from its announcement until weights move again after it."""

    def __init__(self, record, begin):
        self.begin = begin
        ends = [e for e in record.all("phase.end") if e.code == "rollback" and e.place > begin.place]
        self.end = ends[0] if ends else None
        self.tried = not self.end or self.end.flags != 2
        later = [e.place for e in record.asked if self.end and e.place > self.end.place]
        self.until = min(later + [1 << 60])

    def holds(self, event):
        """The event is after the rollback, and before weights move again."""
        return bool(self.end and self.end.place < event.place < self.until)


def rollback(record):
    trials = [t for t in (Trial(record, e) for e in record.all("phase.begin") if e.code == "rollback") if t.tried]
    if not trials:
        return None
    bad, doubtful, fresh = [], [], 0
    blues = {e.instance for e in record.events if e.instance and e.color == "blue"}
    for number, trial in enumerate(trials):
        until = min([trial.until, record.run_end] + [t.end.place for t in trials[number + 1:number + 2] if t.end])
        gone = [e for e in record.events if e.place < until and (
            e.kind in ("signal", "exit") and e.instance in blues or
            e.kind == "action.inv" and e.code == "deregister" and e.color == "blue" and trial.end)]
        if gone:
            bad.append(f"blue was gone: {gone[0].instance}")
        if not trial.end:
            continue
        failed = trial.end.flags == 1
        if failed:
            bad.append("it failed")
        elif trial.end.t - trial.begin.t > 10 * S + PROPAGATION + LAG_MAX:
            bad.append("it took too long")
        configs = record.all("config")
        inside = [e for e in configs if trial.begin.place < e.place < trial.end.place]
        read = inside[-1] if inside else next((e for e in configs if trial.holds(e)), None)
        before = [e for e in configs if e.flags & 1 and e.place < min(until, trial.until)]
        if failed or gone:
            pass
        elif not read:
            doubtful.append("not read back")
        elif not read.flags & 2 and not before:
            doubtful.append("no snapshot")
        elif not read.flags & 2 and not (int(read.digest, 16) and read.digest == before[-1].digest):
            bad.append("another configuration than before")
        dialed = [(leg.placed, leg.inv, leg.cookie, leg.color) for call, leg in record.legs if leg.placed]
        for e in record.all("dial.fail"):
            inv = [x for x in record.all("dial.inv") if x.call == e.call and x.place < e.place][-1]
            dialed += [(e, inv, inv.flags & HAS_COOKIE, "")] if e.n != LOCAL_LIMIT else []
        for e, inv, cookie, color in dialed:
            if failed or cookie or not trial.holds(e) or e.place > record.run_end or inv.t <= trial.end.t + PROPAGATION:
                continue
            fresh += 1
            if not color or color != "blue" and not (before and before[-1].epoch):
                bad.append(f"{e.call}: a fresh dial {'on ' + color if color else 'refused'}")
    return bad, doubtful + ([] if fresh else ["no fresh dial after it"])


REMEMBERED = 3   # writes of a call, and readers: what is older convicts nobody


def writes_of(call):
    """[(the write, the epoch in force before it, since when and whose)]: accepted writes, in their order."""
    found, epoch = [], (0, 0, "")
    for e in call.events:
        state = e in accepted(call)
        if state:
            found.append((e, epoch))
        told = state or e.kind in ("start.ok", "resume.ok") and e.flags & HAS_EPOCH
        if told and e.epoch > epoch[0]:
            epoch = (e.epoch, e.t, e.instance)
    return found


def same_parent(call, e, other):
    """Both went on from one state: by their versions, else by what their writers had read."""
    reads = [r for r in call.all("cmd.ok") if r.code == "get" and r.flags & (HAS_STATE | NIL) and r.flags & CALL_KEY and
             r.instance and r.place < e.place]
    readers = []   # the three that came last
    for r in reads:
        if r.instance not in readers:
            readers = (readers + [r.instance])[-REMEMBERED:]
    mine = [r for r in reads if r.instance == e.instance and e.instance in readers]
    read = mine[-1] if mine else None
    if e.ver or other.ver:
        if e.ver != other.ver:
            return False
    elif not e.n or e.n != other.n or read and read.n >= e.n:
        return False
    elif not read:
        return other.digest[8:] != e.digest[8:]
    return not read or read.due <= other.t


def stale_writes(call):
    written = writes_of(call)
    for i, (e, (epoch, since, owner)) in enumerate(written):
        last = [w for w, _ in written[max(0, i - REMEMBERED):i]]
        if any((o.instance, o.epoch) != (e.instance, e.epoch) and same_parent(call, e, o) for o in last):
            yield f"{call.name}: fork at turn {e.n}"
        elif e.epoch and e.epoch < epoch and since < e.due:
            yield f"{call.name}: turn {e.n} by epoch {e.epoch} after {epoch}"
        elif e.epoch and e.epoch == epoch and owner and e.instance and e.instance != owner:
            yield f"{call.name}: epoch {epoch} of {owner} and {e.instance}"
        elif not e.epoch and not epoch and last and last[-1].instance != e.instance and last[-1].t < e.due and any(
                w.instance == e.instance for w in last[:-1]):
            ready = [r for r in call.events if r.kind in ("start.ok", "resume.ok") and r.place < e.place]
            ready = max(ready, key=lambda r: (r.leg, r.place), default=None)
            leg = call.leg_at(e.place)
            on = leg.instance if leg and leg.placed and leg.placed.place < e.place else ""
            if ready and ready.instance != e.instance and on == ready.instance and ready.t < last[-1].t:
                yield f"{call.name}: turn {e.n} by {e.instance}, which the caller has left"


def two_voices(call):
    newest, in_force = None, (0, 0)
    told = {id(e) for e, _ in writes_of(call)}
    for e in call.events:
        if e.kind in ("start.ok", "resume.ok", "reply.ok"):
            if e.flags & HAS_EPOCH and e.epoch < in_force[0] and e.t > in_force[1] + LAG_MAX:
                yield f"{call.name}: {e.instance} speaks with epoch {e.epoch}"
            elif newest and e.leg < newest.leg and e.t > newest.t + LAG_MAX:
                yield f"{call.name}: {e.instance} speaks on leg {e.leg}"
        ready = e.kind in ("start.ok", "resume.ok")
        if ready and (not newest or e.leg >= newest.leg):
            newest = e
        if (id(e) in told or ready and e.flags & HAS_EPOCH) and e.epoch > in_force[0]:
            in_force = (e.epoch, e.t)


def split_brain(record):
    bad = [text for call in record.calls for text in (*stale_writes(call), *two_voices(call))]
    written = [[e for e, _ in writes_of(call)] for call in record.calls]
    handed = sum(1 for list in written for a, b in zip(list, list[1:]) if a.instance != b.instance)
    resumes = sum(len(call.all("resume.ok")) for call in record.calls)
    doubtful = [] if any(written) else ["no accepted write"]
    return bad, doubtful + ([] if (handed if any(written) else resumes) else ["nobody to hand over to"])


CHECKS = {f.__name__: f for f in (dropped_calls, state_continuity, new_calls_to_green, sticky_reconnect,
                                  drained_before_teardown, no_green_at_zero, rollback, split_brain)}


def judge(lines):
    """{check: (verdict, what was said)}"""
    record, verdicts = Record(lines), {}
    for name, check in CHECKS.items():
        said = check(record)
        if said is None:
            verdicts[name] = ("unasked", [])
            continue
        bad, doubtful = said
        verdicts[name] = ("fail" if bad else "inconclusive" if doubtful else "pass", bad or doubtful)
    return verdicts


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path) as f:
            for name, (verdict, said) in judge(f.read().splitlines()).items():
                print(f"{path}: {verdict} {name}: {'; '.join(said)}")
