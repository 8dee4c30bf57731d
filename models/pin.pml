/* Pins: who pins a fresh message and marks the pin holds it; everything later is settled by the thread's log. One
 * message, WORKERS processes of APPS apps. Beside it: src/slackmq/claiming/pin.py, logged.py (take, withdraw), log.py.
 *
 * Time is ticks, and a tick may come between any two steps. What was written in this tick a read may miss, what is
 * older it shows: the skew is a tick, and to settle is to let one pass. FAULTS times a call is lost, loses its answer,
 * or takes effect after its sender gave up. CRASHES times a worker is killed and starts anew, knowing nothing. PERSONS
 * times somebody takes the pin off, at the earliest a tick after it was put there.
 *
 * spin -DWORKERS=2 -DAPPS=2 -DFAULTS=1 -DCRASHES=1 -DPERSONS=1 -a pin.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c
 * Broken on purpose, one at a time: NO_MARK, NO_LOOK, NO_SETTLE, NO_WITHDRAW, NO_SHIELD, K_TOKEN, LATE_RECEIPT.
 */
#ifndef K
#define K       2             /* claims in a row that are looked at; the pin is the first */
#endif
#ifndef L
#define L       2             /* a lease, in ticks */
#endif
#define BARE    2             /* ticks without a pin after which a used message counts as given up */
#define APP(w)  ((w) % APPS)
#define ALL     w : 0 .. WORKERS - 1

mtype = { Ok, Already, Doubt };

byte pin, was_pin;            /* the app whose pin is there, plus 1; and as it was before this tick */
byte serial, was_serial;      /* pins so far: which one it is */
byte left[4];                 /* ticks until a pin's claim is over, by Slack's time */
bool marked[APPS];            /* an app's mark of its pin: never removed */
bool any_mark, was_mark;
byte gen = 1, holder, gleft;  /* the log: its newest valid claim, who wrote it, ticks until that is over */
bool replied, was_replied;
byte was_gen = 1;
bool logdone;                 /* the log's first valid end */
bool done[APPS], any_done, was_done;
bool young = true;            /* the message is not older than the skew */
bool touched;                 /* a person took a pin off: then work may overlap, under two tokens */
bool started[10];
bool effect;
byte receipts;
byte faults = FAULTS, crashes = CRASHES, persons = PERSONS;

bool holds[WORKERS];
byte lease[WORKERS];          /* ticks until its deadline, counted from before its call */
byte bare[WORKERS];
bool settling[WORKERS];       /* no tick has passed since it wrote */
bool prompt[WORKERS];         /* no tick has passed since it sent its pin */
byte late[WORKERS];           /* a call that was given up: 1 pin, 2 mark, 3 claim, 4 done mark */
byte late_k[WORKERS], late_base[WORKERS];

inline add_pin(w) {
  if
  :: pin == 0 && serial < 3 ->
     pin = APP(w) + 1; serial++; left[serial] = L; answer = Ok
  :: else -> answer = Already
  fi
}
inline add_mark(w) {
  if
  :: !marked[APP(w)] -> marked[APP(w)] = true; any_mark = true; answer = Ok
  :: else -> answer = Already
  fi
}
inline add_claim(w, number, base) {       /* every reader judges a record alike, by what came before it */
  replied = true;
  if
  :: number == gen + 1 && ((gen > 1 && gleft == 0) || (gen == 1 && (base == 0 || left[base] == 0))) ->
     gen = number; holder = w + 1; gleft = L
  :: else -> skip
  fi
}
inline add_done(w) {
  assert(effect);                          /* I6: nothing is marked done that had no effect */
  if :: !done[APP(w)] -> done[APP(w)] = true; any_done = true; answer = Ok :: else -> answer = Already fi
}

inline begin(t) {
  assert(!started[t]); started[t] = true;  /* I3: one holder per token */
  assert(touched || !(holds[1 - me] && lease[1 - me]));   /* I4: nobody begins while another's claim lasts */
  holds[me] = true; token = 0; answer = 0; w = 0; bare[me] = 0; watching = false
}
inline let_go() { holds[me] = false; lease[me] = 0; settling[me] = false; prompt[me] = false;
  bare[me] = 0; watching = false; k = 0; s = 0; answer = 0; token = 0; quick = false; dim = false }
#define MAYBE_DIE if :: crashes -> crashes--; goto reborn :: true fi
#define NO_PIN    (!pin || !was_pin)       /* what a read may show */
#define FRESH     (NO_PIN && !was_mark && !was_replied && !used)
#ifdef NO_MARK
#define ALONE     (pin == APP(me) + 1)
#else
#define ALONE     (pin == APP(me) + 1 && !dim && !was_replied && !replied)
#endif

proctype Worker(byte me) {
  byte k, s, token, w;
  bool used, watching, quick, dim;
  mtype answer;

idle:
  if
  :: any_done -> goto over
  :: atomic { FRESH && !was_done -> used = true; watching = false; bare[me] = 0 }
  :: atomic { !was_done && pin == APP(me) + 1 && !was_mark && !was_replied && left[serial] ->
       used = true; s = serial; lease[me] = left[s]; token = s; goto mark }           /* adopt */
  :: atomic { !was_done && gen == 1 && pin && left[serial] == 0 && !young -> s = serial; k = 2; goto write }
  :: atomic { !was_done && gen > 1 && gen < K && gleft == 0 -> k = gen + 1; s = (pin -> serial : 0);
       goto write }
  :: atomic { gen == 1 && NO_PIN && (used || any_mark || replied) && !watching -> watching = true; bare[me] = BARE;
       goto idle }
  :: atomic { watching && pin && was_pin -> watching = false; bare[me] = 0; goto idle }
  :: atomic { !was_done && gen == 1 && NO_PIN && watching && bare[me] == 0 && !young -> s = 0; k = 2; goto write }
  :: gen == K && gleft == 0 -> goto over                     /* and so on, as from 2 to 3 */
  fi;

  atomic { lease[me] = L; prompt[me] = true };               /* from before the call; what it read may be old */
  atomic {                                                   /* pins.add: one try, and no answer means not ours */
    if
    :: add_pin(me)
    :: faults -> faults--; add_pin(me); answer = Doubt
    :: faults -> faults--; answer = Doubt
    :: faults && !late[me] -> faults--; late[me] = 1; answer = Doubt
    fi;
    s = serial; token = s;
#ifdef K_TOKEN
    token = 1;
#endif
    MAYBE_DIE;
    if :: answer != Ok -> let_go(); goto idle :: else -> quick = true fi
  }

mark:                                                        /* the mark decides among processes of one app */
  atomic {
    if :: lease[me] == 0 -> let_go(); goto idle :: else fi;
    if
    :: add_mark(me)
    :: faults -> faults--; add_mark(me); answer = Doubt
    :: faults -> faults--; answer = Doubt
    :: faults && !late[me] -> faults--; late[me] = 2; answer = Doubt
    fi;
    MAYBE_DIE;
#ifdef NO_MARK
    answer = Ok;
#endif
    if
    :: answer == Already -> let_go(); goto idle              /* after an unanswered try, too: nobody can tell */
    :: answer == Doubt -> quick = false; goto mark
    :: answer == Ok -> settling[me] = true
    fi
  }
  if
  :: atomic { quick && young && prompt[me] && lease[me] -> goto held }
  :: atomic { !(quick && young && prompt[me]) -> skip }
  fi;
  !settling[me];                                             /* the settled look */
  atomic {
#ifndef NO_LOOK
    dim = false;
    for (ALL) { dim = dim || (APP(w) != APP(me) && marked[APP(w)]) }
    w = 0;
    if :: ALONE && !any_done -> skip :: !(ALONE && !any_done) -> let_go(); goto idle fi;
    dim = false;
#endif
    if :: lease[me] == 0 -> let_go(); goto idle :: else fi
  }
held:
  atomic {
    quick = false; prompt[me] = false; settling[me] = false;
    if :: lease[me] == 0 -> let_go(); goto idle :: else -> begin(token); goto work fi
  }

write:                                                       /* a line of the log, written until it stands */
  atomic {
    lease[me] = L; settling[me] = true;
    if
    :: add_claim(me, k, s)
    :: faults -> faults--; let_go(); goto idle
    :: faults && !late[me] -> faults--; late[me] = 3; late_k[me] = k; late_base[me] = s; let_go(); goto idle
    fi;
    MAYBE_DIE
  }
#ifdef NO_SETTLE
  atomic { if :: was_gen == k - 1 -> token = 3 + k :: else -> let_go(); goto idle fi }
#else
  !settling[me];
  atomic { if :: gen == k && holder == me + 1 -> token = 3 + k :: else -> let_go(); goto idle fi }
#endif
  atomic {                                                   /* and look at the row again */
    if
    :: any_done || logdone || (pin && serial != s) ->
#ifndef NO_WITHDRAW
       if :: gen == k && holder == me + 1 -> gen = k - 1; gleft = 0; holder = 0 :: else fi;
       let_go(); goto idle
#else
       if :: any_done || logdone -> let_go(); goto idle :: else fi
#endif
    :: else
    fi;
    if :: lease[me] == 0 -> let_go(); goto idle :: else fi;
#ifdef K_TOKEN
    token = k;
#endif
    begin(token)
  }

work:
  if
  :: atomic { lease[me] == 0 -> let_go(); goto idle }        /* cancelled: the claim is lost */
  :: atomic { effect = true; MAYBE_DIE; goto finish }        /* however long it takes */
  :: atomic { k == 0 && lease[me] && left[s] && lease[me] < L ->       /* extend: a line that names the pin */
       replied = true; left[s] = L; lease[me] = L;
#ifndef NO_SHIELD
       if :: gen > 1 -> gleft = L :: else fi;                /* whoever is next waits for us, too */
#endif
       MAYBE_DIE; goto work }
  fi;

finish:
  atomic {
    if
    :: k > 1 -> if :: gen == k && holder == me + 1 && !logdone -> logdone = true; receipts++ :: else fi; MAYBE_DIE
    :: else
    fi
  }
done_mark:
  atomic {
    if
    :: add_done(me)
    :: faults -> faults--; add_done(me); answer = Doubt
    :: faults -> faults--; answer = Doubt
    :: faults && !late[me] -> faults--; late[me] = 4; answer = Doubt
    fi;
    MAYBE_DIE;
    if :: answer == Doubt -> goto done_mark :: else fi;
    settling[me] = true;
#ifdef LATE_RECEIPT
    lease[me] = L;
#endif
    if
    :: k == 0 && answer == Ok && lease[me] -> receipts++
    :: k == 0 && answer == Ok && lease[me] == 0 -> goto doubtful
    :: else
    fi;
    assert(touched || receipts <= 1);                        /* I5: one effective completion */
    goto over
  }
doubtful:                                                    /* after the deadline the log has the last word */
  !settling[me];
  atomic {
    if :: gen == 1 -> receipts++ :: else fi;
    assert(touched || receipts <= 1);
    goto over
  }

reborn:
  atomic { let_go(); used = false; goto idle }
over:                                                        /* I1: whoever cannot get here has lost the message */
  atomic { let_go(); used = false }
}

proctype Network() {                                         /* calls that were given up take effect, or never do */
  mtype answer; byte w;
end:
  if
  :: atomic { late[0] -> w = 0 }
  :: atomic { late[1] -> w = 1 }
  fi;
  atomic {
    if
    :: late[w] == 1 -> add_pin(w)
    :: late[w] == 2 -> add_mark(w)
    :: late[w] == 3 -> add_claim(w, late_k[w], late_base[w])
    :: late[w] == 4 -> add_done(w)
    :: true
    fi;
    late[w] = 0; late_k[w] = 0; late_base[w] = 0; answer = 0; w = 0; goto end
  }
}

proctype Person() {
end:
  atomic { persons && pin && pin == was_pin && serial == was_serial && !any_done -> persons--; pin = 0; touched = true;
    goto end }
}

#define MOVES(w) (lease[w] || bare[w] || settling[w] || prompt[w])
proctype Time() {
  byte w;
end:
  do
  :: d_step { MOVES(0) || MOVES(1) || gleft || left[1] || left[2] || left[3] || young || was_pin != pin ||
              was_serial != serial || was_mark != any_mark || was_replied != replied || was_gen != gen ||
              was_done != any_done ->
       for (ALL) {
         lease[w] = (lease[w] -> lease[w] - 1 : 0);
         bare[w] = (bare[w] -> bare[w] - 1 : 0);
         settling[w] = false; prompt[w] = false
       }
       for (w : 1 .. 3) { left[w] = (left[w] -> left[w] - 1 : 0) }
       w = 0;
       gleft = (gleft -> gleft - 1 : 0);
       young = false; was_pin = pin; was_serial = serial; was_mark = any_mark; was_replied = replied;
       was_gen = gen; was_done = any_done }
  od
}

init { byte w; atomic { for (ALL) { run Worker(w) } w = 0; run Network(); run Person(); run Time() } }
