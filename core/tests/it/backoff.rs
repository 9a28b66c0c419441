//! Policies for trying again.

use std::time::Duration;

use withal_core::Backoff;

use crate::escalate::ms;

#[test]
fn the_delays_of_a_policy() {
    let delays = |policy: Backoff| policy.delays().map(|d| d.as_millis()).collect::<Vec<_>>();
    let start = |times| Backoff::times(times).starting_at(ms(100));
    assert_eq!(delays(Backoff::times(0)), []);
    assert_eq!(delays(Backoff::times(3)), [0, 0, 0]);
    assert_eq!(delays(start(3)), [100, 100, 100]);
    assert_eq!(delays(start(4).factor(3)), [100, 300, 900, 2700]);
    assert_eq!(
        delays(start(4).factor(3).at_most(ms(500))),
        [100, 300, 500, 500]
    );
    assert_eq!(delays(start(2).at_most(ms(20))), [20, 20]);
    assert_eq!(delays(start(3).factor(0)), [100, 0, 0]);
    let adjusted = start(3).adjusted_by(|number, delay| delay / 10 * number);
    assert_eq!(delays(adjusted), [10, 20, 30]);
    // Also where the product is beyond the end of time.
    let last = start(300).factor(2).delays().last();
    assert_eq!(last, Some(Duration::MAX));
    assert_eq!(start(u32::MAX).delays().nth(1000), Some(ms(100)));
}
