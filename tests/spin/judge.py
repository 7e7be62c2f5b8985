# SPDX-License-Identifier: MIT
"""The rules of doc/decisions/order.md, for one run of a plane or of its model: a trace, whose lines
plane/trace.h describes. What a rule is there for is in the model, order.pml."""

import collections


class Broken(Exception):
    """A rule was."""


def demand(kept, rule):
    if not kept:
        raise Broken(rule)


class Flow:
    """What is known of a hash."""

    def __init__(self):
        self.queue = None       # that it was last decided on
        self.phase = 0          # of the port's value, then
        self.waiting = collections.deque()  # packets decided, not begun to be processed
        self.busy = None        # the CPU that processes it


class Packet:
    def __init__(self, queue, hash_, at_once):
        self.queue, self.hash = queue, hash_
        self.at_once = at_once  # nothing of its flow was in a backlog when it was decided
        self.to = None          # the CPU whose backlog it is for
        self.enqueued = False


class Move:
    def __init__(self, old, new):
        self.old, self.new = old, new
        self.told = self.seen = self.shut = self.drained = self.cancelled = False
        self.empty, self.frames = False, 0  # read since it was shut


class Queue:
    def __init__(self):
        self.server = None
        self.fenced = False
        self.in_hand = 0        # packets decided, neither processed nor enqueued
        self.here = 0           # of them, those not staged
        self.unreleased = collections.Counter()  # by hash: staged, not released
        self.cpu = {}           # by hash: where those are
        self.parked = collections.Counter()      # by hash
        self.clear = 0          # phase of the value that it last was clear of
        self.drained = False    # of the old value
        self.old = set()        # staged before that, not released


class Judge:
    """Takes a run step by step. Raises Broken at the step that breaks a rule."""

    def __init__(self, ring=None):
        self.ring = ring        # frames that the device holds for a queue, if that is known
        self.flows = collections.defaultdict(Flow)
        self.queues = collections.defaultdict(Queue)
        self.packets = {}
        self.moves = {}         # by hash
        self.begun = collections.defaultdict(list)          # by CPU: being processed
        # by CPU: of its backlog, processed, not released
        self.done = collections.defaultdict(collections.deque)
        self.phase = 1          # odd: one value; even: changing
        self.n_queues = 0       # to become clear
        self.steps = collections.Counter()

    def step(self, line):
        name, *numbers = line.split()
        self.steps[name] += 1
        getattr(self, name)(*map(int, numbers))

    # --- a queue ---

    def receive(self, cpu, queue, _hash, _pkt, arg):
        q = self.queues[queue]
        self.serves(q, cpu)
        demand(not q.fenced, "a fenced queue is not read")
        for move in self.moves.values():
            if move.shut and move.old == queue:
                move.empty = move.empty or arg & 1
                move.frames += arg >> 1

    @staticmethod
    def serves(q, cpu):
        demand(q.server in (None, cpu), "a queue has one worker")
        q.server = cpu

    def give(self, _cpu, queue, _hash, _pkt, to):
        q = self.queues[queue]
        demand(q.in_hand == 0, "what a queue gave out is on its way before it is given away")
        q.server = to

    def take(self, cpu, queue, *_):
        self.serves(self.queues[queue], cpu)

    def fence_raise(self, _cpu, queue, *_):
        self.queues[queue].fenced = True

    def fence_pass(self, _cpu, queue, *_):
        q = self.queues[queue]
        demand(q.fenced and not +q.unreleased,
               "a fence stands until all before it was processed and released")
        q.fenced = False

    # --- a packet ---

    def decide(self, cpu, queue, hash_, pkt, to):
        q, flow = self.queues[queue], self.flows[hash_]
        self.serves(q, cpu)
        demand(not q.fenced, "nothing passes a fence")
        if hash_:
            self.comes_on(queue, q, hash_, flow)
        left = q.unreleased[hash_]
        demand(not left or q.cpu[hash_] == to, "a flow leaves a CPU that has finished with it")
        flow.queue, flow.phase = queue, self.phase
        q.in_hand += 1
        q.here += 1
        flow.waiting.append(pkt)
        self.packets[pkt] = Packet(queue, hash_, not left)

    def comes_on(self, queue, q, hash_, flow):
        """May a packet of this hash be decided on this queue?"""
        move = self.moves.get(hash_)
        if move:
            demand(move.new != queue,
                   "a flow that comes from another queue waits for its last there")
            demand(move.cancelled or not move.drained or move.old != queue,
                   "what has drained gives no more")
        demand(not q.parked[hash_], "what is parked goes first")
        if flow.queue in (None, queue):
            return
        demand(q.clear >= flow.phase, "a flow changes its queue by a move, or by a new value")
        demand(not self.queues[flow.queue].unreleased[hash_],
               "a flow leaves a queue when all from there was released")

    def stage(self, _cpu, _queue, _hash, pkt, to):
        packet = self.packets[pkt]
        q = self.queues[packet.queue]
        packet.to = to
        q.here -= 1
        q.unreleased[packet.hash] += 1
        if not q.drained:
            q.old.add(packet)
        q.cpu[packet.hash] = to

    def enqueue(self, _cpu, _queue, _hash, pkt, to):
        packet = self.packets[pkt]
        q = self.queues[packet.queue]
        demand(packet.to == to, "a packet goes where it was decided to")
        demand(q.here == 0, "what is processed at once is so before the others are enqueued")
        packet.enqueued = True
        q.in_hand -= 1

    def drop(self, _cpu, _queue, _hash, pkt, _to):
        packet = self.packets.pop(pkt)
        q = self.queues[packet.queue]
        self.leave(packet)
        q.in_hand -= not packet.enqueued
        self.flows[packet.hash].waiting.remove(pkt)

    def process(self, cpu, _queue, hash_, pkt, _arg):
        packet, flow = self.packets.pop(pkt, None), self.flows[hash_]
        demand(packet, "what is processed was decided")
        demand(flow.waiting[0] == pkt, "a flow is processed in order")
        demand(flow.busy in (None, cpu), "a flow is processed by one CPU at a time")
        flow.waiting.popleft()
        flow.busy = cpu
        if packet.to is None:
            demand(packet.at_once, "what is processed at once follows nothing in a backlog")
            self.queues[packet.queue].in_hand -= 1
            self.queues[packet.queue].here -= 1
        else:
            demand(packet.enqueued and packet.to == cpu, "a backlog has what was enqueued there")
        self.begun[cpu].append(packet)

    def processed(self, cpu, *_):
        for packet in self.begun.pop(cpu, ()):
            self.flows[packet.hash].busy = None
            if packet.to is not None:
                self.done[cpu].append(packet)

    def release(self, cpu, _queue, _hash, _pkt, n):
        demand(len(self.done[cpu]) >= n, "a head passes what was processed")
        for _ in range(n):
            self.leave(self.done[cpu].popleft())

    def leave(self, packet):
        """It is in no backlog any more."""
        q = self.queues[packet.queue]
        q.unreleased[packet.hash] -= 1
        q.old.discard(packet)

    # --- a move ---

    def move_claim(self, cpu, queue, hash_, _pkt, to):
        self.serves(self.queues[queue], cpu)
        demand(hash_ not in self.moves, "a flow has one move at a time")
        self.moves[hash_] = Move(queue, to)

    def move_steer(self, _cpu, _queue, hash_, _pkt, _to):
        if hash_ in self.moves:
            self.moves[hash_].told = True

    def move_cancel(self, _cpu, _queue, hash_, *_):
        self.moves[hash_].cancelled = True

    def move_park(self, cpu, queue, hash_, _pkt, _arg):
        self.serves(self.queues[queue], cpu)
        self.queues[queue].parked[hash_] += 1

    def move_see(self, cpu, queue, hash_, *_):
        move = self.moves.get(hash_)
        self.serves(self.queues[queue], cpu)
        demand(move and move.new == queue and not move.seen,
               "the first frame of a flow comes to its new queue once")
        move.seen = True

    def move_shut(self, cpu, queue, hash_, _pkt, seen):
        move = self.moves.get(hash_)
        self.serves(self.queues[queue], cpu)
        demand(move and move.old == queue and move.told and not move.shut,
               "a queue is shut that a flow leaves, after the port was told")
        demand(move.seen or not seen, "it is shut for a frame that came to the new queue")
        move.shut = True

    def move_drain(self, cpu, queue, hash_, *_):
        q, move = self.queues[queue], self.moves.get(hash_)
        self.serves(q, cpu)
        demand(move and move.old == queue and not move.drained, "a queue drains that a flow leaves")
        demand(move.cancelled or move.empty or (self.ring and move.frames >= self.ring),
               "a queue has drained when it was read empty after it was shut")
        demand(move.cancelled or q.in_hand == 0,
               "a queue has drained when what it gave out is enqueued")
        move.drained = True

    def move_finish(self, cpu, queue, hash_, *_):
        q, move = self.queues[queue], self.moves.pop(hash_, None)
        self.serves(q, cpu)
        demand(move and move.new == queue and move.drained,
               "a move ends after the old queue drained")
        demand(move.cancelled or not self.queues[move.old].unreleased[hash_],
               "a move ends when all from the old queue was released")
        del q.parked[hash_]
        flow = self.flows[hash_]
        if flow.queue is not None and not move.cancelled:
            flow.queue = queue

    # --- a value ---

    def value_both(self, *_):
        demand(self.phase % 2, "one new value at a time")
        demand(not self.moves, "no flow moves by itself while all may move")
        self.phase += 1
        for q in self.queues.values():
            q.drained = False

    def value_push(self, *_):
        demand(self.phase % 2 == 0, "a new value is known before it is pushed")

    def value_pushed(self, _cpu, _queue, _hash, _pkt, queues):
        self.n_queues = queues

    def value_drain(self, cpu, queue, *_):
        q = self.queues[queue]
        self.serves(q, cpu)
        demand(self.n_queues and not q.drained,
               "a queue drains once, after the new value is pushed")
        demand(q.in_hand == 0, "a queue has drained when what it gave out is enqueued")
        q.drained = True

    def value_clear(self, cpu, queue, *_):
        q = self.queues[queue]
        self.serves(q, cpu)
        demand(sum(other.drained for other in self.queues.values()) == self.n_queues,
               "a queue is clear of the old value when all have drained")
        demand(not any(other.old for other in self.queues.values()),
               "a queue is clear when what all had enqueued was released")
        q.parked.clear()
        q.clear = self.phase

    def value_settled(self, *_):
        clear = sum(q.clear == self.phase for q in self.queues.values())
        demand(clear == self.n_queues, "the old value goes when all queues are clear")
        self.n_queues = 0
        self.phase += 1

    # --- the end ---

    def end(self):
        """Nothing is left."""
        demand(not self.packets and not any(self.begun.values()),
               "every packet is processed, or dropped")
        queues = self.queues.values()
        demand(not any(+q.parked for q in queues), "what is parked goes on")
        demand(not any(+q.unreleased for q in queues), "what is processed is released")
        demand(not self.moves, "a move ends")
        demand(self.phase % 2, "a new value comes into force")


def judge(lines, ring=None):
    """None, or the rule that was broken and the number of the line that did it; and the judge."""
    it = Judge(ring)
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            it.step(line)
        it.end()
    except Broken as broken:
        return f"line {number}: {broken}", it
    return None, it
