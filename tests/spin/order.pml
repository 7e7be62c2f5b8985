/* SPDX-License-Identifier: MIT */
/*
 * The protocol of doc/decisions/order.md as a model for spin: that no packet of a flow is
 * processed before, or while, an earlier one is; that every packet is processed, or dropped and
 * counted; that nothing waits for ever.
 *
 * tests/spin/run has the bounds within which it is searched through, and the rules that are broken
 * one by one (the names after "#ifdef"), each of which spin must find. One of them by hand, as a
 * sequence of steps:
 *
 *	spin -a -DQUEUES=2 -DMOVES=1 -DNO_PARK order.pml && gcc -DSAFETY -o pan pan.c
 *	./pan -m100000 && spin -t -p -DQUEUES=2 -DMOVES=1 -DNO_PARK order.pml
 *
 * What is modelled. A worker per CPU, each with a backlog ring (slots reserved, then published one
 * by one; head moved after processing); receive queues, each served by one worker at a time and
 * with a flow table, GRO, a fence, parked frames; a device that puts each frame on the queue that
 * it has for the flow; a thread that changes the port's whole steering value. Which CPU a packet
 * wishes to go to is any, packet by packet: that is RPS, RFS, a map that a CPU joins or leaves,
 * and any change of them. What a worker does next is any of what it could, which includes
 * plane/worker.c's order. A sender chooses a frame's queue and puts it there in two steps. Memory is sequentially consistent; acquire and release are
 * ThreadSanitizer's business.
 *
 * Not modelled: that a worker sleeps (tests/stress/test_wake.c), counters that wrap (unit rfs),
 * merging (a merged packet is its last segment here).
 *
 * How liveness is checked. Workers do nothing when nothing can be done, and each step uses up
 * something: frames, backlog, moves, changes. So no run is endless, which -DNP checks (no cycle
 * without progress, and no progress labels: no cycle at all). Every run ends, and judge() looks at
 * each end: that is stronger than liveness under fairness.
 *
 * Why small bounds do. The rules relate two packets of a flow, and the CPU that has the one with
 * the CPU that gets the other; two CPUs and two queues are an old and a new one. Three packets are
 * one that is late, one that overtakes it, and one that got the flow where it is; a fourth is in
 * the same batch as one of them. A third CPU or queue can only be another old or new one of a
 * later move; flows meet in a batch, a table's entry and a ring, which two do. Where a change of
 * value is combined with another change, two packets: the late one and the one that overtakes it.
 *
 * The transitions, by the names that plane/trace.h gives them; when spin follows a run it prints
 * the same lines, so that tests/spin/replay can be asked whether it sees what spin saw:
 *
 *	receive		a worker reads a batch of a queue
 *	decide		a packet's flow stays on its CPU, or moves as that has finished
 *	stage		the packet is not for this CPU at once
 *	enqueue		the staged get places in a backlog, their flows' entries its tail
 *	drop		of these, those for which there was no room
 *	process		the application has a packet
 *	processed	it is done with it
 *	release		the head passes packets of a backlog
 *	give, take	a queue goes to another worker
 *	fence_raise	a queue's table is changed: tails noted, not read until
 *	fence_pass	all heads have passed them
 *	move_claim	a flow is to change its queue: its slot is taken
 *	move_steer	the device is told
 *	move_cancel	it would not: drained at once
 *	move_park	a frame of it on the new queue waits
 *	move_see	a frame of it came to the new queue
 *	move_shut	so, or after some time, no sender still puts frames on the old one
 *	move_drain	the old queue has given out what it had: the flow's CPU and tail noted
 *	move_finish	the head has passed that: the parked frames go on, the slot is free
 *	value_both	a new value is known to workers, besides the old one
 *	value_push	the device steers by it
 *	value_pushed	workers know that
 *	value_drain	a queue has given out what came by the old value
 *	value_clear	all have, and the heads passed the tails of then: the parked go on
 *	value_settled	all queues are clear: the old value is forgotten
 */
#ifndef CPUS
#define CPUS 2 /* 2 or 3 */
#endif
#ifndef QUEUES
#define QUEUES 1 /* 1 to 3 */
#endif
#ifndef FLOWS
#define FLOWS 1 /* 1 or 2; flow f starts on queue f mod QUEUES */
#endif
#ifndef ENTRIES
#define ENTRIES FLOWS /* of a queue's flow table; 1: the flows share it */
#endif
#ifndef PACKETS
#define PACKETS 4
#endif
#ifndef BATCH
#define BATCH 2
#endif
#ifndef LIMIT
#define LIMIT PACKETS /* packets in a backlog */
#endif
#ifndef GRO
#define GRO 0 /* 1: GRO may hold packets back */
#endif
#ifndef GIVES
#define GIVES 0 /* times a queue is given to another worker */
#endif
#ifndef REMAKES
#define REMAKES 0 /* times a queue's table is changed */
#endif
#ifndef MOVES
#define MOVES 0 /* times a flow is steered to another queue */
#endif
#ifndef CHANGE
#define CHANGE 0 /* 1: the port's value is changed: all flows change queue */
#endif
#ifndef POOL
#define POOL (PACKETS + 1) /* buffers of a worker */
#endif
#ifndef PARK_MAX
#define PARK_MAX PACKETS /* of them, those that may be parked; beyond them they are dropped */
#endif
#ifndef PARK_SOON
#define PARK_SOON PARK_MAX /* beyond which a queue is not read unless it has to be */
#endif
#ifndef SERVERS
#define SERVERS CPUS /* 1: CPU 0 has all queues at first */
#endif

/* A line of the trace (plane/trace.h), which spin prints when it follows one run. */
#define say(event, q, p, arg) \
	printf(#event);       \
	printf(" %d %d %d %d %d\n", me, q, flow_of[p] + 1, p, arg)
#define say_of(event, f, arg) \
	printf(#event);       \
	printf(" %d %d %d 0 %d\n", me, q, (f) + 1, arg)

#define UNSENT 200 /* a tail that no head reaches */
#define NO_CPU 255
#define GIVEN  100 /* added to a CPU: on the way to it */

#define ENTRY(q, f) ((q) * ENTRIES + (f) % ENTRIES)
#define LIST(q, f)  ((q) * FLOWS + (f))

#if CPUS == 2
#define EACH_CPU(is, q) (is(q, 0) && is(q, 1))
#else
#define EACH_CPU(is, q) (is(q, 0) && is(q, 1) && is(q, 2))
#endif
#if FLOWS == 1
#define EACH_FLOW(is) (is(0))
#define ANY_FLOW(is, q) (is(q, 0))
#else
#define EACH_FLOW(is) (is(0) && is(1))
#define ANY_FLOW(is, q) (is(q, 0) || is(q, 1))
#endif

/* The backlogs. */
byte head[CPUS], tail[CPUS], slot[CPUS * LIMIT];

/* The receive queues. */
chan device[QUEUES] = [PACKETS] of { byte };
bool ready[QUEUES];	/* to be read though the device does not say so */
byte serving[QUEUES];	/* its worker's CPU */
byte cpu[QUEUES * ENTRIES], last_qtail[QUEUES * ENTRIES];
bool fenced[QUEUES];
byte fence[QUEUES * CPUS];
byte held[QUEUES * FLOWS]; /* by GRO */
chan parked[QUEUES * FLOWS] = [PACKETS] of { byte };
byte n_parked[CPUS];	   /* by whose buffers they are */
byte gives, remakes;

/* A flow's queue, and its move to another. */
mtype = { NONE, PENDING, SHUT, EMPTIED, DRAINED };
byte filter[FLOWS]; /* where the device puts its frames */
byte chosen;	    /* 1 + the flow of the frame that has a queue and is not there yet */
mtype moving[FLOWS] = NONE;
bool late[FLOWS];   /* that frame's queue is the one before */
bool met[FLOWS];    /* a frame of it came to the new queue */
byte from[FLOWS], to[FLOWS], of_cpu[FLOWS], of_tail[FLOWS];
byte moves;

/* The port's value: 0 old, 1 quiet, 2 both, 3 pushed, 4 new. */
mtype = { HOLDING, DRAINING, VALUE_EMPTIED, WAITING, CLEARING, CLEAR };
byte conf, seen[CPUS];
byte home[FLOWS]; /* its queue by the old value */
mtype value[QUEUES] = HOLDING;
byte undrained = QUEUES, uncleared = QUEUES;

/* What is checked. */
bool sent_all;
byte flow_of[PACKETS + 1], owner[PACKETS + 1], pool[CPUS];
byte last[FLOWS];
bool busy[FLOWS];
byte processed, dropped;

/* ---- from packet to application ---- */

inline process(packet)
{
	atomic {
		say(process, 0, packet, 0);
		assert(!busy[flow_of[packet]]);
		assert(packet > last[flow_of[packet]]);
		busy[flow_of[packet]] = true;
		last[flow_of[packet]] = packet
	}
	atomic {
		busy[flow_of[packet]] = false;
		pool[owner[packet]]++;
		processed++;
		say(processed, 0, packet, 0)
	}
}

inline drop(packet)
{
	dropped++;
	pool[owner[packet]]++
}

inline release()
{
	atomic {
		i = 0;
		do
		:: i < n -> slot[me * LIMIT + (head[me] + i) % LIMIT] = 0; i++
		:: else -> break
		od;
		head[me] = head[me] + n;
		say(release, 0, 0, n);
		i = 0
	}
}

#define NEXT_SLOT(i) slot[me * LIMIT + (head[me] + (i)) % LIMIT]

inline backlog()
{
	atomic {
		n = 0;
		do
		:: n < BATCH && n < LIMIT && NEXT_SLOT(n) != 0 -> out[n] = NEXT_SLOT(n); n++
		:: else -> break
		od;
		i = 0
	}
#ifdef HEAD_FIRST
	release();
#endif
	do
	:: i < n -> process(out[i]); atomic { out[i] = 0; i++ }
	:: else -> break
	od;
#ifndef HEAD_FIRST
	release();
#endif
}

/* ---- decide, stage, enqueue ---- */

#define HAS_PASSED(e) (cpu[e] == NO_CPU || head[cpu[e]] >= last_qtail[e])
#ifdef NOT_FINISHED
#define MAY_SWITCH(e) true
#else
#define MAY_SWITCH(e) HAS_PASSED(e)
#endif
#ifdef LOCAL_UNCHECKED
#define MAY_PROCESS(e) (cpu[e] == me)
#else
#define MAY_PROCESS(e) (cpu[e] == me && HAS_PASSED(e))
#endif

inline wish()
{
	if
	:: x = 0
	:: x = 1
#if CPUS == 3
	:: x = 2
#endif
	fi
}

inline stage()
{
	x = cpu[e];
	staged[x * PACKETS + n_staged[x]] = p;
	n_staged[x]++;
#ifndef UNMARKED
	last_qtail[e] = UNSENT;
#endif
	say(stage, q, p, x)
}

inline decide()
{
	e = ENTRY(q, f);
	wish();
	if
	:: cpu[e] != x && MAY_SWITCH(e) -> cpu[e] = x; last_qtail[e] = head[x]
	:: else
	fi;
	say(decide, q, p, cpu[e]);
	if
	:: MAY_PROCESS(e) -> here[n_here] = p; n_here++
	:: else -> stage()
	fi;
	x = 0;
	e = 0
}

#ifdef SECOND_MOVE
#define MAY_MOVE(f) (moving[f] != DRAINED)
#else
#define MAY_MOVE(f) (moving[f] == NONE)
#endif

/* From now on the device chooses x for the flow's frames. */
inline redirect()
{
	late[f] = chosen == f + 1;
	filter[f] = x
}

inline claim()
{
	moving[f] = PENDING;
	from[f] = q;
	to[f] = x;
	say_of(move_claim, f, x)
}

/* aRFS, at any packet: the flow's CPU is another queue's. */
inline move()
{
	if
	:: moves < MOVES && seen[me] == 0 && MAY_MOVE(f) ->
		atomic {
			moves++;
			if
			:: x = (q + 1) % QUEUES
#if QUEUES == 3
			:: x = (q + 2) % QUEUES
#endif
			fi;
#ifdef STEER_FIRST
			redirect()
		}
		atomic {
#endif
			claim()
		}
		atomic {
			redirect();
			say_of(move_steer, f, x);
#ifdef SHUT_EMPTIED
			ready[q] = true;
#endif
			x = 0
		}
	:: true
	fi
}

/* Places e to e + k - 1 are reserved, then filled. */
inline enqueue(w)
{
	atomic {
		k = LIMIT - (tail[w] - head[w]);
		if
		:: k > n_staged[w] -> k = n_staged[w]
		:: else
		fi;
		e = tail[w];
		tail[w] = tail[w] + k;
		i = 0;
		do
		:: i < n_staged[w] -> say(enqueue, q, staged[w * PACKETS + i], w); i++
		:: else -> i = 0; break
		od
	}
	do
	:: i < k ->
		atomic {
			assert(slot[w * LIMIT + (e + i) % LIMIT] == 0);
			slot[w * LIMIT + (e + i) % LIMIT] = staged[w * PACKETS + i];
			i++
		}
	:: else -> break
	od;
	atomic {
		i = 0;
		do
		:: i < n_staged[w] ->
			p = staged[w * PACKETS + i];
			f = flow_of[p];
#ifdef TAIL_BEFORE
			last_qtail[ENTRY(q, f)] = e;
#else
			last_qtail[ENTRY(q, f)] = e + k;
#endif
			if
			:: i >= k -> drop(p); say(drop, q, p, w)
			:: else
			fi;
			staged[w * PACKETS + i] = 0;
			i++
		:: else -> break
		od;
		n_staged[w] = 0; i = 0; k = 0; e = 0; p = 0; f = 0
	}
}

inline enqueue_all()
{
	if :: n_staged[0] -> enqueue(0) :: else fi;
	if :: n_staged[1] -> enqueue(1) :: else fi;
#if CPUS == 3
	if :: n_staged[2] -> enqueue(2) :: else fi;
#endif
}

inline process_here()
{
	i = 0;
	do
	:: i < n_here -> process(here[i]); atomic { here[i] = 0; i++ }
	:: else -> n_here = 0; break
	od
}

inline steer()
{
	do
	:: i < n ->
#if MOVES
		atomic { p = out[i]; f = flow_of[p]; decide() }
		move();
		atomic { out[i] = 0; i++; p = 0; f = 0 }
#else
		atomic { p = out[i]; f = flow_of[p]; decide(); out[i] = 0; i++; p = 0; f = 0 }
#endif
	:: else -> break
	od;
#ifdef REMOTE_FIRST
	enqueue_all();
#endif
	process_here();
#ifdef DRAIN_STAGED
	atomic {
		if
		:: act == DRAIN -> drain()
		:: else
		fi
	}
#endif
#ifndef REMOTE_FIRST
	enqueue_all();
#endif
}

/* ---- a queue: read, GRO, parked ---- */

inline give_out_held()
{
	if
	:: held[LIST(q, f)] -> out[n] = held[LIST(q, f)]; n++; held[LIST(q, f)] = 0
	:: else
	fi
}

inline flush()
{
	f = 0;
	do
	:: f < FLOWS -> give_out_held(); f++
	:: else -> f = 0; break
	od
}

inline gro()
{
	give_out_held();
	if
	:: GRO -> held[LIST(q, f)] = p
	:: out[n] = p; n++
	fi
}

#define MOVE_DONE(f) \
	(moving[f] == DRAINED && (of_cpu[f] == NO_CPU || head[of_cpu[f]] >= of_tail[f]))
#ifdef VALUE_NO_PARK
#define VALUE_HELD(q, f) false
#else
#define VALUE_HELD(q, f) \
	((seen[me] == 2 || seen[me] == 3) && value[q] != CLEAR && home[f] != (q))
#endif
#ifdef NO_PARK
#define IS_HELD(q, f) false
#elif defined(OVERTAKE)
#define IS_HELD(q, f) (moving[f] != NONE && to[f] == (q) && !MOVE_DONE(f))
#else
#define IS_HELD(q, f) ((moving[f] != NONE && to[f] == (q)) || VALUE_HELD(q, f))
#endif

inline see()
{
	if
	:: moving[f] == PENDING && !met[f] -> met[f] = true; say_of(move_see, f, 0)
	:: else
	fi
}

inline park()
{
	see();
	if
	:: n_parked[owner[p]] < PARK_MAX -> parked[LIST(q, f)] ! p; n_parked[owner[p]]++;
		say(move_park, q, p, 0)
	:: else -> drop(p)
	fi
}

/* The moves, and the value, that wait for a read that leaves the queue empty. */
#ifdef SHUT_EMPTIED
#define TO_EMPTY PENDING
#else
#define TO_EMPTY SHUT
#endif
inline note_empty()
{
	f = 0;
	do
	:: f < FLOWS ->
		if
		:: moving[f] == TO_EMPTY && from[f] == q -> moving[f] = EMPTIED
		:: else
		fi;
		f++
	:: else -> f = 0; break
	od;
	if
	:: value[q] == DRAINING -> value[q] = VALUE_EMPTIED
	:: else
	fi
}

#ifdef STARVED_IS_EMPTY
#define IS_EMPTY(q) (k < BATCH)
#else
#define IS_EMPTY(q) (k < BATCH && len(device[q]) == 0)
#endif

inline receive()
{
	k = 0;
	do
	:: k < BATCH && pool[me] > 0 && len(device[q]) > 0 ->
		device[q] ? p;
		pool[me]--;
		owner[p] = me;
		here[k] = p;
		k++
	:: else -> break
	od;
	ready[q] = !IS_EMPTY(q);
	say(receive, q, 0, k * 2 + IS_EMPTY(q));
	if
	:: IS_EMPTY(q) -> note_empty()
	:: else
	fi;
	i = 0
}

#ifdef OVERTAKE
#define SIFT_AT_ONCE false
#else
#define SIFT_AT_ONCE true
#endif

inline sift()
{
	do
	:: i < k ->
		p = here[i];
		f = flow_of[p];
		here[i] = 0;
		i++;
		if
		:: IS_HELD(q, f) -> park()
		:: else -> gro()
		fi
	:: else -> i = 0; k = 0; p = 0; f = 0; break
	od
}

/* Of one flow: those of others do not mind the order. */
inline unpark()
{
	do
	:: len(parked[LIST(q, f)]) > 0 ->
		parked[LIST(q, f)] ? p;
		n_parked[owner[p]]--;
		gro()
	:: else -> p = 0; break
	od
}

/* ---- give, fence ---- */

inline give()
{
	serving[q] = GIVEN + (me + 1) % CPUS;
	say(give, q, 0, (me + 1) % CPUS)
}

inline take()
{
	serving[q] = me;
	ready[q] = true;
	say(take, q, 0, 0)
}

inline note_tails()
{
	x = 0;
	do
	:: x < CPUS -> fence[q * CPUS + x] = tail[x]; x++
	:: else -> x = 0; break
	od
}

#define PASSED_TAIL(q, x) (head[x] >= fence[(q) * CPUS + (x)])
#define PASSED_TAILS(q)   EACH_CPU(PASSED_TAIL, q)

inline fence_raise()
{
	e = 0;
	do
	:: e < ENTRIES ->
		cpu[q * ENTRIES + e] = NO_CPU;
		last_qtail[q * ENTRIES + e] = 0;
		e++
	:: else -> e = 0; break
	od;
#ifndef NO_FENCE
#ifndef FENCE_BEFORE_FLUSH
	note_tails();
#endif
	fenced[q] = true;
#endif
	say(fence_raise, q, 0, 0)
}

/* ---- a flow's move ---- */

inline drain()
{
	f = 0;
	do
	:: f < FLOWS ->
		if
		:: moving[f] == EMPTIED && from[f] == q ->
			of_cpu[f] = cpu[ENTRY(q, f)];
			of_tail[f] = last_qtail[ENTRY(q, f)];
			moving[f] = DRAINED;
			say_of(move_drain, f, 0)
		:: else
		fi;
		f++
	:: else -> f = 0; break
	od
}

/* That time is over is known of no frame that is between the sender's two steps. */
#if defined(LATE)
#define IS_SHUT(f) true
#elif defined(UNTIMED)
#define IS_SHUT(f) (met[f] || sent_all)
#else
#define IS_SHUT(f) (met[f] || !late[f])
#endif
#ifdef SHUT_EMPTIED
#define SHUTS(q, f) false
#define HAS_EMPTIED(q, f) (moving[f] == EMPTIED && from[f] == (q) && IS_SHUT(f))
#else
#define SHUTS(q, f) (moving[f] == PENDING && from[f] == (q) && IS_SHUT(f))
#define HAS_EMPTIED(q, f) (moving[f] == EMPTIED && from[f] == (q))
#endif
#ifdef DRAIN_FENCED
#define DRAINS(q, f) HAS_EMPTIED(q, f)
#else
#define DRAINS(q, f) (HAS_EMPTIED(q, f) && !fenced[q])
#endif
#ifdef FINISH_UNPASSED
#define FINISHES(q, f) (moving[f] == DRAINED && to[f] == (q) && !fenced[q])
#else
#define FINISHES(q, f) (to[f] == (q) && MOVE_DONE(f) && !fenced[q])
#endif
#define FORGETS(q, f) \
	(filter[f] == (q) && filter[f] != home[f] && moving[f] == NONE && seen[me] == 1)

/* One more read, unasked: the flow may have been alone on the queue. */
inline shut()
{
	moving[f] = SHUT;
	say_of(move_shut, f, met[f]);
#ifndef NO_REREAD
	ready[q] = true;
#endif
	f = 0
}

/* The slot is free before the frames go on: one of them may move the flow again. */
inline finish()
{
	say_of(move_finish, f, 0);
	unpark();
	moving[f] = NONE; from[f] = 0; to[f] = 0; of_cpu[f] = 0; of_tail[f] = 0;
#ifndef MET_BEFORE
	met[f] = false;
#endif
	f = 0
}

/* The filter goes, and with it the flow back to where the value has it. */
inline forget()
{
	x = home[f];
#ifndef FORGET_UNMOVED
	claim();
#endif
	redirect();
	say_of(move_steer, f, x);
	x = 0;
	f = 0
}

/* ---- the port's value ---- */

#ifdef DRAIN_UNPUSHED
#define VALUE_BEGINS(q) (value[q] == HOLDING && seen[me] >= 2)
#else
#define VALUE_BEGINS(q) (value[q] == HOLDING && seen[me] == 3)
#endif
#define VALUE_DRAINS(q) (value[q] == VALUE_EMPTIED && !fenced[q])
#ifdef CLEAR_ALONE
#define VALUE_WAITS(q) (value[q] == WAITING && !fenced[q])
#else
#define VALUE_WAITS(q) (value[q] == WAITING && undrained == 0 && !fenced[q])
#endif
#ifdef CLEAR_UNPASSED
#define VALUE_CLEARS(q) (value[q] == CLEARING)
#else
#define VALUE_CLEARS(q) (value[q] == CLEARING && !fenced[q] && PASSED_TAILS(q))
#endif

inline clear()
{
	value[q] = CLEAR;
	say(value_clear, q, 0, 0);
	f = 0;
	do
	:: f < FLOWS -> unpark(); f++
	:: else -> f = 0; break
	od
}

/* ---- the worker ---- */

mtype = { NOTHING, BACKLOG, RECEIVE, FLUSH, GIVE, REMAKE, DRAIN, VALUE_DRAIN, VALUE_CLEAR };

#define LEAVES(q, f)   ((moving[f] == SHUT || moving[f] == EMPTIED) && from[f] == (q))
#ifdef READ_STOPS
#define MAY_READ(q)    (n_parked[me] < PARK_SOON)
#else
#define MAY_READ(q)    (n_parked[me] < PARK_SOON || ANY_FLOW(LEAVES, q) || value[q] == DRAINING)
#endif
#define READABLE(q) \
	(!fenced[q] && pool[me] > 0 && MAY_READ(q) && (ready[q] || len(device[q]) > 0))
/* A read without buffers is no step, for it is repeated. */
#ifdef STARVED_ONCE
#define GIVES_UP(q)    (pool[me] == 0 && ready[q])
#else
#define GIVES_UP(q)    false
#endif
#define HOLDS(q)       (held[LIST(q, 0)] || held[LIST(q, FLOWS - 1)])
#define CAN_GIVE(q)    (gives < GIVES)
#define CAN_REMAKE(q)  (remakes < REMAKES)
#define CAN_PASS(q)    (fenced[q] && PASSED_TAILS(q))
#define CAN_DRAIN(q)   (MOVES && ANY_FLOW(DRAINS, q))
#define CAN_SHUT(q)    (MOVES && ANY_FLOW(SHUTS, q))
#define CAN_FINISH(q)  (MOVES && ANY_FLOW(FINISHES, q))
#define CAN_FORGET(q)  (MOVES && CHANGE && ANY_FLOW(FORGETS, q))
#define CAN_FOLLOW(q) \
	(CHANGE && (VALUE_BEGINS(q) || VALUE_DRAINS(q) || VALUE_WAITS(q) || VALUE_CLEARS(q)))
#define CAN_SERVE(q)                                                                          \
	(READABLE(q) || GIVES_UP(q) || HOLDS(q) || CAN_GIVE(q) || CAN_REMAKE(q) || CAN_PASS(q) ||            \
	 CAN_SHUT(q) || CAN_DRAIN(q) || CAN_FINISH(q) || CAN_FORGET(q) || CAN_FOLLOW(q))
#define CAN_WORK(q) (serving[q] == GIVEN + me || (serving[q] == me && CAN_SERVE(q)))

#if FLOWS == 2
#define A_FLOW(is) if :: is(q, 0) -> f = 0 :: is(q, 1) -> f = 1 fi
#else
#define A_FLOW(is) f = 0
#endif

inline serve()
{
	if
	:: READABLE(q) -> act = RECEIVE; receive()
	:: GIVES_UP(q) -> ready[q] = false
	:: HOLDS(q) -> act = FLUSH; flush()
	:: CAN_GIVE(q) -> act = GIVE; gives++; flush();
#ifdef GIVE_EARLY
		give()
#endif
	:: CAN_REMAKE(q) -> act = REMAKE; remakes++;
#ifdef FENCE_BEFORE_FLUSH
		note_tails();
#endif
		flush()
	:: CAN_PASS(q) -> fenced[q] = false; say(fence_pass, q, 0, 0)
#if MOVES
	:: CAN_SHUT(q) -> A_FLOW(SHUTS); shut()
	:: CAN_DRAIN(q) -> act = DRAIN;
#ifndef DRAIN_UNFLUSHED
		flush()
#endif
	:: CAN_FINISH(q) -> act = FLUSH; A_FLOW(FINISHES); finish()
#endif
#if MOVES && CHANGE
	:: CAN_FORGET(q) -> A_FLOW(FORGETS); forget()
#endif
#if CHANGE
	:: VALUE_BEGINS(q) -> value[q] = DRAINING; ready[q] = true
	:: VALUE_DRAINS(q) -> act = VALUE_DRAIN; flush()
	:: VALUE_WAITS(q) -> note_tails(); value[q] = CLEARING
	:: VALUE_CLEARS(q) -> act = VALUE_CLEAR; clear()
#endif
	fi
}

inline choose()
{
	if
	:: serving[q] == me -> serve()
	:: else -> take()
	fi
}

/* What follows when all that the step gave out is steered. */
inline finish_act()
{
	if
#ifndef DRAIN_STAGED
	:: act == DRAIN -> drain()
#endif
	:: act == REMAKE -> fence_raise()
#ifndef GIVE_EARLY
	:: act == GIVE -> give()
#endif
	:: act == VALUE_DRAIN -> undrained--; value[q] = WAITING; say(value_drain, q, 0, 0)
	:: act == VALUE_CLEAR -> uncleared--
	:: else
	fi
}

proctype worker(byte me)
{
	mtype act;
	byte q, f, n, i, k, p, e, x, n_here;
	byte out[PACKETS], here[PACKETS], staged[CPUS * PACKETS], n_staged[CPUS];

	act = NOTHING;
turn:
end_rest:
	atomic {
		if
		:: NEXT_SLOT(0) != 0 -> act = BACKLOG
		:: conf != seen[me] -> seen[me] = conf
		:: CAN_WORK(0) -> q = 0; choose()
#if QUEUES > 1
		:: CAN_WORK(1) -> q = 1; choose()
#endif
#if QUEUES > 2
		:: CAN_WORK(2) -> q = 2; choose()
#endif
		fi;
		if
		:: act == NOTHING -> q = 0; goto turn
		:: act == RECEIVE && SIFT_AT_ONCE -> sift()
		:: else
		fi
	}
	if
	:: act == BACKLOG -> backlog()
	:: act == RECEIVE && !SIFT_AT_ONCE -> sift()
	:: else
	fi;
	if
	:: act != BACKLOG -> steer()
	:: else
	fi;
	atomic { finish_act(); q = 0; n = 0; i = 0; act = NOTHING }
	goto turn
}

/* ---- who works against the workers ---- */

proctype sender()
{
	byte p = 1, f, q;

	do
	:: p <= PACKETS ->
		atomic {
			f = 0;
#if FLOWS == 2
			if
			:: f = 0
			:: f = 1
			fi;
#endif
			flow_of[p] = f;
			q = filter[f];
#if MOVES || CHANGE
			chosen = f + 1
		}
		atomic {
			chosen = 0;
			late[f] = false;
#endif
			device[q] ! p;
			p++;
			f = 0;
			q = 0
		}
	:: else -> sent_all = true; break
	od
}

#define IS_HOME(f)	(moving[f] == NONE && filter[f] == home[f])
#define IS_THERE(f)	(!late[f])
#define HAS_SEEN(y, w)	(seen[w] == conf)
#define WAIT_UNTIL_SEEN EACH_CPU(HAS_SEEN, 0)

#if CHANGE
proctype writer()
{
	byte f;

#if MOVES
	conf = 1;
	WAIT_UNTIL_SEEN;
#ifndef PUSH_MOVING
	EACH_FLOW(IS_HOME);
#endif
#endif
	atomic { conf = 2; printf("value_both -1 0 0 0 0\n") };
#ifndef PUSH_UNSEEN
	WAIT_UNTIL_SEEN;
#endif
	do
	:: f < FLOWS -> atomic { filter[f] = (home[f] + 1) % QUEUES; late[f] = chosen == f + 1; f++ }
	:: else -> break
	od; /* value_push */
#ifndef PUSH_LATE
	EACH_FLOW(IS_THERE);
#endif
#ifdef PUSH_UNSEEN
	WAIT_UNTIL_SEEN;
#endif
	atomic { conf = 3; printf("value_pushed -1 0 0 0 %d\n", QUEUES) };
	WAIT_UNTIL_SEEN;
#ifdef SETTLE_DRAINED
	atomic { undrained == 0 && len(parked[0]) == 0 && len(parked[QUEUES * FLOWS - 1]) == 0 };
#elif !defined(SETTLE_EARLY)
	uncleared == 0;
#endif
	atomic { conf = 4; printf("value_settled -1 0 0 0 0\n") };
	WAIT_UNTIL_SEEN
}
#endif

#define IS_FREE(f) (moving[f] == NONE)

/* When nothing more can be done, everything has been. */
proctype judge()
{
	timeout;
	assert(processed + dropped == PACKETS);
	assert(EACH_FLOW(IS_FREE));
#if !defined(DROPS)
	assert(dropped == 0);
#endif
#if CHANGE
	assert(conf == 4);
#endif
}

init
{
	byte i;

	d_step {
		do
		:: i < QUEUES * ENTRIES -> cpu[i] = NO_CPU; i++
		:: else -> i = 0; break
		od;
		do
		:: i < QUEUES -> serving[i] = i % SERVERS; value[i] = HOLDING; i++
		:: else -> i = 0; break
		od;
		do
		:: i < CPUS -> pool[i] = POOL; i++
		:: else -> i = 0; break
		od;
		do
		:: i < FLOWS -> filter[i] = i % QUEUES; home[i] = i % QUEUES; i++
		:: else -> i = 0; break
		od
	}
	atomic {
		run worker(0);
		run worker(1);
#if CPUS == 3
		run worker(2);
#endif
		run sender();
#if CHANGE
		run writer();
#endif
		run judge()
	}
}
