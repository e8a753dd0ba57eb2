//! The contracts of `Clock` and `Random`, as far as a test can see them.

use std::time::Duration;

use super::check;
use crate::ports::{Clock, Millis, Random};

/// 2025-01-01 and 2100-01-01: a clock in seconds or microseconds shows another time.
const PLAUSIBLE: std::ops::Range<Millis> = 1_735_689_600_000..4_102_444_800_000;

/// Checks a clock that tells the true time, and a random number generator.
pub async fn clock_and_random(clock: &dyn Clock, random: &dyn Random) -> Result<(), String> {
    let first = clock.now();
    check(PLAUSIBLE.contains(&first), "the clock shows milliseconds since 1970")?;
    check(clock.now() - first < 60_000, "the clock does not jump")?;
    let before = clock.now();
    clock.sleep(Duration::from_millis(50)).await;
    let slept = clock.now() - before;
    check((50..10_000).contains(&slept), &format!("a sleep of 50 ms took {slept} ms"))?;

    let (mut one, mut other) = ([0; 32], [0; 32]);
    random.fill(&mut one);
    random.fill(&mut other);
    check(one != other, "random bytes differ")?;
    random.fill(&mut []);

    // More than WebCrypto gives at once. That one of 256 values does not come has a chance of 10^-117.
    let mut many = vec![0; 70_000];
    random.fill(&mut many);
    let mut seen = [false; 256];
    for byte in &many {
        seen[usize::from(*byte)] = true;
    }
    check(seen.iter().all(|seen| *seen), "every byte value comes up")?;
    check(many.chunks(32).all(|chunk| chunk.iter().any(|byte| *byte != 0)), "the buffer is filled to its end")
}
