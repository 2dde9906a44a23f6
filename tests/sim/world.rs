//! The world of a simulation: time, turns and hazards, all drawn from one seed.
//!
//! Actors are threads, of which exactly one runs at a time. An actor gives up its turn before each request. The world then
//! draws the next actor, how much time passes and whether something goes wrong, so that a seed gives the same schedule
//! again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

use super::bucket::{Answer, Bucket, Condition, Request, Sender};
use super::days::{Day, PLAN, sharded_plan};
use super::glue::Glue;
use super::promises::Promises;
use super::{Broken, Counts};

/// When a simulation begins, in milliseconds: a day after the day that it publishes.
pub(super) const BEGIN: i64 = 1_698_940_800_000;
pub(super) const SECOND: i64 = 1000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;

/// Attempts of the SDK at a request.
const ATTEMPTS: u32 = 8;
/// How long a client waits for an answer.
const READ_TIMEOUT: i64 = 30 * SECOND;
/// How long a process can be paused: a slow network, a suspended machine.
const PAUSES: [i64; 5] = [5 * SECOND, 25 * SECOND, 70 * SECOND, 70 * MINUTE, 26 * HOUR];

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection broke: it is unknown whether the request arrived.
    Lost,
    /// The process was killed.
    Dead,
}

/// The probabilities of a seed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hazards {
    pub(super) fault: f64,
    /// That a call to the catalog fails.
    outage: f64,
    pub(super) death: f64,
    pub(super) pause: f64,
    /// That time jumps to the next actor that waits, though others could continue.
    jump: f64,
    /// That the same actor continues.
    stick: f64,
}

impl Hazards {
    fn draw(rng: &mut Rng) -> Self {
        let mut one_of = |values: &[f64]| values[rng.usize(..values.len())];
        Self {
            fault: one_of(&[0.0, 0.02, 0.1]),
            outage: one_of(&[0.0, 0.1, 0.6]),
            death: one_of(&[0.0, 0.005, 0.02]),
            pause: one_of(&[0.0, 0.01, 0.04]),
            jump: one_of(&[0.0, 0.05, 0.3]),
            stick: one_of(&[0.0, 0.3, 0.8]),
        }
    }
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// S3 throttles it.
    Busy,
    /// S3 sees another put of the same key.
    Conflict,
    LostBefore,
    LostAfter,
    /// It arrives after the client has given up.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ready,
    Until(i64),
    Ended,
}

struct Actor {
    name: String,
    status: Status,
    is_dead: bool,
    /// How far its clock is ahead of that of S3.
    skew: i64,
}

/// A request that arrives late.
struct Late {
    at: i64,
    actor: usize,
    request: Request,
}

/// What the lock of the world protects.
pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) now: i64,
    pub(super) hazards: Hazards,
    pub(super) bucket: Bucket,
    pub(super) promises: Promises,
    pub(super) counts: Counts,
    pub(super) glue: Glue,
    broken: Broken,
    turn: Option<usize>,
    actors: Vec<Actor>,
    late: Vec<Late>,
    trace: Option<Vec<String>>,
}

/// The world.
pub(super) struct World {
    state: Mutex<State>,
    turns: Vec<Condvar>,
}

impl World {
    /// A world with actors, who have not begun. `rng` also draws what they do, so it is passed on.
    pub(super) fn new(mut rng: Rng, broken: Broken, actors: &[String], is_traced: bool) -> Self {
        let hazards = Hazards::draw(&mut rng);
        let has_skew = rng.u8(..4) == 0;
        let page = [1, 2, 3, 1000][rng.usize(..4)];
        let mut actor = |name: &String| {
            let skew = if has_skew { rng.i64(-3 * HOUR..3 * HOUR) } else { 0 };
            // Most begin together, and some in the hours after.
            let within = if rng.u8(..4) == 0 { 2 * HOUR } else { 20 * SECOND };
            let status = Status::Until(BEGIN + rng.i64(0..within));
            Actor { name: name.clone(), status, is_dead: false, skew }
        };
        let actors: Vec<Actor> = actors.iter().map(&mut actor).collect();
        let turns = actors.iter().map(|_| Condvar::new()).collect();
        let state = State {
            now: BEGIN,
            hazards,
            bucket: Bucket::new(page),
            glue: Glue::new(page),
            promises: Promises::new(actors.len()),
            counts: Counts::default(),
            broken,
            turn: None,
            actors,
            late: Vec::new(),
            trace: is_traced.then(Vec::new),
            rng,
        };
        Self { state: Mutex::new(state), turns }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the plan for shards into the bucket.
    pub(super) fn put_plan(&self) {
        let mut state = self.state();
        let sender = Sender { actor: 0, now: state.now };
        let request = Request::Put {
            key: PLAN.to_owned(),
            content: sharded_plan().as_bytes().into(),
            condition: Condition::Always,
        };
        state.bucket.apply(&request, sender, &mut Vec::new());
    }

    /// Keeps an actor out of the world for now.
    pub(super) fn rest(&self, me: usize) {
        self.state().actors[me].status = Status::Ended;
    }

    /// Gives the first turn.
    pub(super) fn begin(&self) {
        let mut state = self.state();
        state.pass();
        self.wake(&state);
    }

    /// Waits for the first turn of an actor.
    pub(super) fn enter(&self, me: usize) {
        drop(self.wait_for_turn(me, self.state()));
    }

    /// Gives up the turn for good.
    pub(super) fn leave(&self, me: usize) {
        let mut state = self.state();
        state.note(me, || "ends".to_owned());
        state.actors[me].status = Status::Ended;
        state.pass();
        self.wake(&state);
    }

    /// The time by the clock of an actor.
    pub(super) fn clock(&self, me: usize) -> i64 {
        let state = self.state();
        state.now + state.actors[me].skew
    }

    /// Lets others run until some time has passed.
    pub(super) fn pause(&self, me: usize, millis: i64) {
        let until = self.state().now + millis;
        drop(self.turn(me, Status::Until(until)));
    }

    /// Sends a request with the retries of the SDK.
    pub(super) fn send(&self, me: usize, request: &Request) -> Result<Answer, Failure> {
        let mut backoff = SECOND;
        for attempt in 1.. {
            let outcome = self.attempt(me, request);
            let may_retry = matches!(&outcome, Ok(Answer::Refused(503, _)) | Err(Failure::Lost));
            if !may_retry || attempt == ATTEMPTS {
                return outcome;
            }
            self.pause(me, backoff);
            backoff = (backoff * 2).min(10 * SECOND);
        }
        unreachable!("the last attempt returns")
    }

    fn attempt(&self, me: usize, request: &Request) -> Result<Answer, Failure> {
        let pause = self.state().draw_pause(me);
        if let Some(pause) = pause {
            self.pause(me, pause);
        }
        let mut state = self.turn(me, Status::Ready);
        if state.actors[me].is_dead {
            return Err(Failure::Dead);
        }
        state.now += state.rng.i64(1..300);
        state.counts.requests += 1;
        state.promises.sent(me, request);
        let is_last = state.draw_death(me);
        let fault = state.draw_fault(request);
        let outcome = match fault {
            Fault::None => Ok(state.apply(me, request)),
            Fault::Busy => Ok(Answer::Refused(503, "SlowDown")),
            Fault::Conflict => Ok(Answer::Refused(409, "ConditionalRequestConflict")),
            Fault::LostBefore | Fault::Late => Err(Failure::Lost),
            Fault::LostAfter => {
                state.apply(me, request);
                Err(Failure::Lost)
            }
        };
        if fault == Fault::Late {
            let at = state.now + state.rng.i64(SECOND..120 * SECOND);
            state.late.push(Late { at, actor: me, request: request.clone() });
        }
        state.note(me, || match &outcome {
            Ok(answer) => format!("{request}: {answer}"),
            Err(_) => format!("{request}: {fault:?}"),
        });
        if is_last {
            state.kill(me);
            return Err(Failure::Dead);
        }
        drop(state);
        if fault == Fault::Late {
            self.pause(me, READ_TIMEOUT);
        }
        outcome
    }

    /// Takes a turn for a call to the catalog, whose answer can be lost before or after its effect.
    pub(super) fn call<T>(
        &self,
        me: usize,
        name: &str,
        call: impl FnOnce(&mut State) -> T,
    ) -> Result<T, Failure> {
        let mut state = self.turn(me, Status::Ready);
        if state.actors[me].is_dead {
            return Err(Failure::Dead);
        }
        state.now += state.rng.i64(1..300);
        state.counts.requests += 1;
        let is_last = state.draw_death(me);
        let (fault, chance) = (state.hazards.outage, state.rng.f64());
        state.note(me, || format!("{name}{}", if chance < fault { ": lost" } else { "" }));
        let is_lost_before = chance < fault / 2.0;
        if chance < fault {
            state.counts.faults += 1;
        }
        let answer = (!is_lost_before).then(|| call(&mut state));
        if is_last {
            state.kill(me);
            return Err(Failure::Dead);
        }
        answer.filter(|_| chance >= fault).ok_or(Failure::Lost)
    }

    /// Stops all hazards, lets late requests arrive, and lets a lot of time pass. Then `me` is the only actor.
    pub(super) fn calm_down(&self, me: usize) {
        let mut state = self.state();
        state.hazards = Hazards::default();
        let last = state.late.iter().map(|late| late.at).max();
        state.now = state.now.max(last.unwrap_or_default());
        state.deliver();
        state.now += 26 * HOUR;
        state.actors[me].status = Status::Ready;
        state.turn = Some(me);
    }

    /// The trace of the last steps.
    pub(super) fn trace(&self) -> Vec<String> {
        self.state().trace.take().unwrap_or_default()
    }

    fn turn(&self, me: usize, status: Status) -> MutexGuard<'_, State> {
        let mut state = self.state();
        if state.actors[me].is_dead {
            return state;
        }
        state.actors[me].status = status;
        state.pass();
        self.wake(&state);
        self.wait_for_turn(me, state)
    }

    fn wait_for_turn<'s>(&'s self, me: usize, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        while state.turn != Some(me) {
            state = self.turns[me].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn wake(&self, state: &State) {
        if let Some(next) = state.turn {
            self.turns[next].notify_one();
        }
    }
}

impl State {
    /// Draws the next actor. Time passes if all wait for something.
    fn pass(&mut self) {
        let mut ready = self.ready();
        let waiting = self.actors.iter().filter_map(|actor| match actor.status {
            Status::Until(at) if at > self.now => Some(at),
            _ => None,
        });
        if let Some(next) = waiting.min()
            && (ready.is_empty() || self.rng.f64() < self.hazards.jump)
        {
            self.now = next;
            ready = self.ready();
        }
        self.deliver();
        let before = self.turn.filter(|turn| ready.contains(turn));
        self.turn = match before {
            Some(turn) if self.rng.f64() < self.hazards.stick => Some(turn),
            _ if ready.is_empty() => None,
            _ => Some(ready[self.rng.usize(..ready.len())]),
        };
        self.counts.switches += u64::from(self.turn != before);
    }

    fn ready(&self) -> Vec<usize> {
        let is_ready = |actor: &Actor| match actor.status {
            Status::Ready => true,
            Status::Until(at) => at <= self.now,
            Status::Ended => false,
        };
        self.actors.iter().enumerate().filter(|(_, actor)| is_ready(actor)).map(|(place, _)| place).collect()
    }

    /// Lets late requests arrive.
    fn deliver(&mut self) {
        let now = self.now;
        for late in self.late.extract_if(.., |late| late.at <= now).collect::<Vec<_>>() {
            let answer = self.apply(late.actor, &late.request);
            self.note(late.actor, || format!("LATE {}: {answer}", late.request));
        }
    }

    fn apply(&mut self, actor: usize, request: &Request) -> Answer {
        let lost = self.broken.hides_loss(request).is_some_and(|day| self.promises.lost_the_lock(day, actor));
        if lost {
            return Answer::Name(String::new());
        }
        let request = &self.broken.weakened(request);
        let mut changes = Vec::new();
        let answer = self.bucket.apply(request, Sender { actor, now: self.now }, &mut changes);
        for change in &changes {
            let shown = Day::of_key(&change.key).and_then(|day| self.glue.shown(day));
            let sender = Sender { actor, now: self.now };
            self.promises.check(change, &self.bucket, sender, shown.as_deref());
        }
        answer
    }

    fn draw_pause(&mut self, me: usize) -> Option<i64> {
        if self.actors[me].is_dead || self.rng.f64() >= self.hazards.pause {
            return None;
        }
        self.counts.pauses += 1;
        let pause = PAUSES[self.rng.usize(..PAUSES.len())];
        self.note(me, || format!("is paused for {} s", pause / SECOND));
        Some(pause)
    }

    fn draw_death(&mut self, me: usize) -> bool {
        let dies = self.rng.f64() < self.hazards.death;
        if dies {
            self.counts.deaths += 1;
            self.note(me, || "dies with this request:".to_owned());
        }
        dies
    }

    /// Draws whether the catalog fails, `rarity` times more rarely than a whole call.
    pub(super) fn draw_outage(&mut self, rarity: f64) -> bool {
        let fails = self.rng.f64() * rarity < self.hazards.outage;
        self.counts.faults += u64::from(fails);
        fails
    }

    fn draw_fault(&mut self, request: &Request) -> Fault {
        if self.rng.f64() >= self.hazards.fault {
            return Fault::None;
        }
        self.counts.faults += 1;
        let is_conditional =
            matches!(request, Request::Put { condition, .. } if *condition != Condition::Always);
        match self.rng.u8(..6) {
            0 => Fault::Busy,
            1 if is_conditional => Fault::Conflict,
            2 | 3 if request.changes() => Fault::Late,
            4 => Fault::LostAfter,
            _ => Fault::LostBefore,
        }
    }

    /// Kills a process. Its thread runs to its end, but nothing that it sends arrives.
    fn kill(&mut self, me: usize) {
        self.actors[me].is_dead = true;
    }

    /// Adds a line to the trace.
    pub(super) fn note(&mut self, me: usize, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let seconds = (self.now - BEGIN) as f64 / 1000.0;
            trace.push(format!("{seconds:>10.1} s  {:<12} {}", self.actors[me].name, line()));
        }
    }
}
