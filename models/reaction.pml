/* Generation reactions: who adds the k-th emoji owns attempt k, and no emoji is ever removed. One message, WORKERS
 * processes of one app. Beside it: src/slackmq/claiming/reaction.py (take, extend, finish), queue/contest.py (win).
 *
 * Time is ticks, and a tick may come between any two steps, so everybody may be slow. A lease is good for L ticks from
 * before its call was sent; whoever sees a generation counts L ticks from then on. That all count at one speed is taken
 * for granted: the margin is there for that. FAULTS times a call is lost, loses its answer, or takes effect long after
 * its sender gave up or died. CRASHES times a worker is killed and starts anew, knowing nothing.
 *
 * spin -DWORKERS=2 -DFAULTS=1 -DCRASHES=1 -a reaction.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
 * Broken on purpose, one at a time, and spin must notice: MINE, EARLY_CLOCK, LATE_DEADLINE, NO_LOOK, BELIEF.
 */
#define K       3             /* generations that a message has */
#define DONE    0             /* registers: the done mark, the generations 1..K */
#define L       2
#define ALL     w : 0 .. WORKERS - 1
#ifdef NO_LOOK
#define MISSED  true
#else
#define MISSED  (!was_done)    /* a look may miss what ended after the claim */
#endif

mtype = { Ok, Already, Doubt };

byte reg[K + 1];              /* register -> who wrote it, as worker + 1; 0: nobody yet */
bool started[K + 1];          /* token -> somebody worked under it */
bool effect;                  /* the handler's target was changed */
byte receipts;                /* workers that were told that their completion is the one that counts */
byte faults = FAULTS, crashes = CRASHES;

byte hold[WORKERS];           /* the token that a worker believes in, 0 if none */
byte lease[WORKERS];          /* ticks until its deadline */
byte next[WORKERS];           /* the same for the extension that it is asking for */
byte watch[WORKERS];          /* ticks until it takes the highest generation that it knows for lapsed */
byte late[WORKERS];           /* register + 1 of a call that was given up and may yet take effect */

#define LIVE(k) (reg[k] && hold[reg[k] - 1] == k && lease[reg[k] - 1])

inline write(r, who) {        /* a call takes effect: each register is written once */
  if
  :: reg[r] == 0 ->
     /* I4: nobody else takes the next generation while the claim on this one lasts */
     assert(r <= 1 || reg[r - 1] == who + 1 || !LIVE(r - 1));
     assert(r != DONE || effect);                      /* I6: nothing is marked done that had no effect */
     reg[r] = who + 1; answer = Ok
  :: else -> answer = Already
  fi
}

inline call(r) {              /* reactions.add, and what can happen to it */
  if
  :: write(r, me)
  :: faults -> faults--; write(r, me); answer = Doubt                  /* no answer */
  :: faults -> faults--; answer = Doubt                                /* no effect */
  :: faults && !late[me] -> faults--; late[me] = r + 1; answer = Doubt /* effect later, or never */
  fi
}

inline begin(token) { assert(!started[token]); started[token] = true } /* I3: one holder per token */
inline learn(g) { known = g; watch[me] = L }                           /* and count from now */
inline let_go() { hold[me] = 0; lease[me] = 0; next[me] = 0; k = 0; was_done = false; doubt = false; answer = 0 }
#define MAYBE_DIE if :: crashes -> crashes--; goto reborn :: true fi

proctype Worker(byte me) {
  byte k, known;
  bool was_done, doubt;
  mtype answer;

idle:                                                  /* a read may be old: it shows any part of what there is */
  if
  :: atomic { known < K && reg[known + 1] -> learn(known + 1); goto idle }
  :: reg[DONE] -> goto over
  :: atomic { known < K && watch[me] == 0 -> k = known + 1; lease[me] = L }
  :: known == K && watch[me] == 0 -> goto over         /* it goes on in the thread's log: pin.pml */
  fi;

again:                                                 /* take: one try, and no answer means not ours */
  atomic { call(k); was_done = reg[DONE]; if :: answer == Ok -> hold[me] = k :: else fi; MAYBE_DIE }
#ifdef MINE                                            /* "my earlier try took it": it may have been anybody's */
  if :: answer == Doubt -> doubt = true; goto again :: answer != Doubt fi;
  if :: answer == Already && doubt -> hold[me] = k; answer = Ok :: else fi;
#endif
  atomic {
    if
    :: answer == Ok -> learn(k)
    :: answer == Already -> learn(k); let_go(); goto idle
    :: answer == Doubt ->                              /* and no observation either: it may not stand yet */
#ifdef EARLY_CLOCK
       learn(k);
#endif
       let_go(); goto idle
    fi;
#ifdef LATE_DEADLINE
    lease[me] = L;                                     /* counted from the answer */
#endif
    if :: reg[DONE] -> goto over :: MISSED -> skip fi; /* look again: it may have ended before we took it */
    if :: lease[me] == 0 -> let_go(); goto idle :: else fi;
    begin(k);
    assert(!was_done)                                  /* I7: what had ended before it was claimed is not repeated */
  }

work:
  if                                                   /* the handler runs, for as long as it likes */
  :: atomic { k < K && lease[me] -> next[me] = L; doubt = false }
  :: atomic { lease[me] == 0 -> let_go(); goto idle }  /* cancelled: the claim is lost */
  :: atomic { effect = true; doubt = false; MAYBE_DIE; goto mark }
  fi;
extend:                                                /* until it stands or the deadline is over */
  atomic { call(k + 1); MAYBE_DIE }
  atomic {
    if
    :: lease[me] == 0 -> let_go(); goto idle
    :: lease[me] && answer == Doubt -> doubt = true; goto extend
    :: lease[me] && answer != Doubt ->
       assert(answer == Ok || doubt);                  /* nobody else may have it before our deadline */
       k++; begin(k); learn(k);
       hold[me] = k; lease[me] = next[me]; next[me] = 0; answer = 0; doubt = false;
       goto work
    fi
  }

mark:                                                  /* finish: for as long as it takes */
  atomic {
    call(DONE);
    if
    :: answer == Doubt -> doubt = true; goto mark
    :: answer == Ok -> receipts++
#ifdef BELIEF                                          /* "after an unanswered try the mark is most likely our own" */
    :: answer == Already && doubt -> receipts++
#endif
    :: answer == Already -> skip
    fi;
    assert(receipts <= 1);                             /* I5: one effective completion */
    goto over
  }

reborn:
  atomic { let_go(); known = 0; watch[me] = 0; goto idle }
over:
  atomic { assert(reg[DONE] || known == K); let_go(); known = 0; watch[me] = 0 }         /* I1: nothing is lost */
}

proctype Network() {                                   /* calls that were given up take effect, or never do */
  mtype answer; byte w;
end:
  if
  :: atomic { late[0] -> w = 0 }
  :: atomic { late[1] -> w = 1 }
  :: atomic { late[WORKERS - 1] -> w = WORKERS - 1 }
  fi;
  atomic { if :: write(late[w] - 1, w) :: true fi; late[w] = 0; answer = 0; w = 0; goto end }
}

#define RUNS(w) (lease[w] || next[w] || watch[w])
proctype Time() {
  byte w;
end:
  do
  :: d_step { RUNS(0) || RUNS(1) || RUNS(WORKERS - 1) ->
       for (ALL) {
         lease[w] = (lease[w] -> lease[w] - 1 : 0);
         next[w] = (next[w] -> next[w] - 1 : 0);
         watch[w] = (watch[w] -> watch[w] - 1 : 0)
       }
       w = 0 }
  od
}

init { byte w; atomic { for (ALL) { run Worker(w) } w = 0; run Network(); run Time() } }
