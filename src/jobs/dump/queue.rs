//! Things on their way from threads to other threads.
//!
//! Waking a thread costs more than handing over a small object, so it is done rarely: who waits for room gets half of
//! all room at once, and who wants many things is woken when that many are there.

use crate::sync::{lock, wait};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Things in the order in which they were given, up to a certain weight.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    most: usize,
    weight: fn(&T) -> usize,
    /// Told when there is something to take.
    filled: Condvar,
    /// Told when there is room.
    room: Condvar,
}

#[derive(Debug)]
struct State<T> {
    things: VecDeque<T>,
    /// The weight of all of them.
    weight: usize,
    givers: usize,
    /// Nobody takes any more.
    refuses: bool,
    /// How many threads wait for something to take, and at what weight the one that wants many is woken.
    takers: usize,
    wanted: usize,
    /// How many threads wait for room.
    waiting: usize,
}

/// Gives things to a queue, which ends when all of its givers are dropped.
#[derive(Debug)]
pub(super) struct Giver<'q, T>(&'q Queue<T>);

/// The one that takes from a queue: however it ends, who gives is let go.
#[derive(Debug)]
pub(super) struct Taker<'q, T>(&'q Queue<T>);

impl<T> Queue<T> {
    /// A queue for things of a weight of `most` together, or a little more.
    pub(super) fn new(most: usize, weight: fn(&T) -> usize) -> Queue<T> {
        let state = State {
            things: VecDeque::new(),
            weight: 0,
            givers: 0,
            refuses: false,
            takers: 0,
            wanted: 0,
            waiting: 0,
        };
        Queue { state: Mutex::new(state), most, weight, filled: Condvar::new(), room: Condvar::new() }
    }

    /// One more that gives. The first must be there before anybody takes.
    pub(super) fn giver(&self) -> Giver<'_, T> {
        lock(&self.state).givers += 1;
        Giver(self)
    }

    /// Takes the next thing, waiting for it; nothing when there will be no more.
    pub(super) fn take(&self) -> Option<T> {
        let mut state = lock(&self.state);
        loop {
            if let Some(thing) = state.things.pop_front() {
                self.took(&mut state, (self.weight)(&thing));
                return Some(thing);
            }
            if state.givers == 0 {
                return None;
            }
            state.takers += 1;
            state = wait(&self.filled, state);
            state.takers -= 1;
        }
    }

    /// Takes the next things, of this weight together or a little more. If they do not come in `time` after the first of
    /// them, it is those that are there. Whether there may be more. For a queue with one taker.
    pub(super) fn take_many(&self, wanted: usize, time: Duration) -> (Vec<T>, bool) {
        let mut state = lock(&self.state);
        let mut due = None;
        while state.weight < wanted && state.givers > 0 {
            (state.wanted, state.takers) = (if state.things.is_empty() { 0 } else { wanted }, 1);
            state = if state.things.is_empty() {
                wait(&self.filled, state)
            } else {
                let due = *due.get_or_insert_with(|| Instant::now() + time);
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            };
        }
        (state.wanted, state.takers) = (0, 0);
        let (mut many, mut weight) = (Vec::new(), 0);
        while weight < wanted
            && let Some(thing) = state.things.pop_front()
        {
            weight += (self.weight)(&thing);
            many.push(thing);
        }
        self.took(&mut state, weight);
        (many, state.givers > 0 || !state.things.is_empty())
    }

    fn took(&self, state: &mut MutexGuard<'_, State<T>>, weight: usize) {
        state.weight -= weight;
        if state.waiting > 0 && state.weight <= self.most / 2 {
            self.room.notify_all();
        }
    }

    /// Nothing more is taken when what comes back is dropped: who gives is told so.
    pub(super) fn taker(&self) -> Taker<'_, T> {
        Taker(self)
    }
}

impl<T> Drop for Taker<'_, T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.refuses = true;
        state.things.clear();
        state.weight = 0;
        self.0.room.notify_all();
    }
}

impl<T> Giver<'_, T> {
    /// Gives something, once there is room; false if nobody takes it.
    pub(super) fn give(&self, thing: T) -> bool {
        let queue = self.0;
        let weight = (queue.weight)(&thing);
        let mut state = lock(&queue.state);
        if state.weight >= queue.most {
            while state.weight > queue.most / 2 && !state.refuses {
                state.waiting += 1;
                state = wait(&queue.room, state);
                state.waiting -= 1;
            }
        }
        if state.refuses {
            return false;
        }
        state.weight += weight;
        state.things.push_back(thing);
        if state.takers > 0 && state.weight >= state.wanted {
            queue.filled.notify_one();
        }
        true
    }
}

impl<T> Clone for Giver<'_, T> {
    fn clone(&self) -> Self {
        self.0.giver()
    }
}

impl<T> Drop for Giver<'_, T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.givers -= 1;
        if state.givers == 0 {
            self.0.filled.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    const SOON: Duration = Duration::from_millis(20);
    const LATE: Duration = Duration::from_secs(60);

    #[test]
    fn everything_comes_once_and_in_order() {
        for (most, givers, takers) in [(1, 1, 1), (1, 4, 4), (7, 3, 2), (1000, 2, 4)] {
            let (queue, sum) = (Queue::new(most, |_| 1), AtomicUsize::new(0));
            let giver = queue.giver();
            std::thread::scope(|scope| {
                let (queue, sum) = (&queue, &sum);
                for _ in 0..takers {
                    scope.spawn(move || {
                        let mut last = vec![0; givers];
                        while let Some((from, number)) = queue.take() {
                            assert!(number > last[from]);
                            last[from] = number;
                            sum.fetch_add(number, SeqCst);
                        }
                    });
                }
                for from in 0..givers {
                    let giver = giver.clone();
                    scope.spawn(move || (1..=1000).for_each(|number| assert!(giver.give((from, number)))));
                }
                drop(giver);
            });
            assert_eq!(sum.into_inner(), givers * 500_500);
        }
    }

    #[test]
    fn many_come_when_they_are_there_or_their_time_is() {
        let queue = Queue::new(100, |weight: &usize| *weight);
        let giver = queue.giver();
        [3, 4, 5, 6].into_iter().for_each(|weight| assert!(giver.give(weight)));
        assert_eq!(queue.take_many(7, LATE), (vec![3, 4], true));
        assert_eq!(queue.take_many(1, LATE), (vec![5], true));
        let began = Instant::now();
        assert_eq!(queue.take_many(7, SOON), (vec![6], true));
        assert!(began.elapsed() >= SOON);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| queue.take_many(7, LATE));
            std::thread::sleep(SOON);
            [1, 2, 4].into_iter().for_each(|weight| assert!(giver.give(weight)));
            assert_eq!(waits.join().unwrap(), (vec![1, 2, 4], true));
            let waits = scope.spawn(|| queue.take_many(7, LATE));
            std::thread::sleep(SOON);
            assert!(giver.give(1));
            drop(giver);
            assert_eq!(waits.join().unwrap(), (vec![1], false));
        });
        assert_eq!((queue.take_many(7, LATE), queue.take()), ((vec![], false), None));
    }

    #[test]
    fn who_waits_for_room_is_let_go() {
        let queue = Queue::new(2, |_| 1);
        let giver = queue.giver();
        assert!(giver.give(1) && giver.give(2));
        std::thread::scope(|scope| {
            let waits: Vec<_> = (0..3)
                .map(|n| {
                    scope.spawn({
                        let giver = giver.clone();
                        move || giver.give(n)
                    })
                })
                .collect();
            std::thread::sleep(SOON);
            drop(queue.taker());
            waits.into_iter().for_each(|waits| assert!(!waits.join().unwrap()));
        });
        assert!(!giver.give(3));
    }
}
