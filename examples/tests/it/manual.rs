//! Every example on the manual clock: exact lines, exact times.

use std::time::Duration;

use withal::{Launch, Spawn, Task, Timer};
use withal_examples::gallery::gallery;
use withal_examples::{Example, Transcript};
use withal_testing::Manual;

fn example(name: &str) -> Example<Manual> {
    let found = gallery()
        .into_iter()
        .find(|example| example.label().name == name);
    found.expect("the name is one of the gallery's")
}

#[test]
fn every_example_gives_its_transcript() {
    for example in gallery::<Manual>() {
        let label = example.label();
        if label.interactive {
            continue;
        }
        let (rt, out) = (Manual::new(), Transcript::new());
        let ended = rt.block_on(example.run(rt.clone(), out.clone()));
        assert!(ended.is_ok(), "{}: {ended:?}", label.name);
        assert_eq!(out.lines(), label.transcript, "{}", label.name);
    }
}

#[test]
fn examples_take_exactly_their_time() {
    let times = [
        ("resource", 200),
        ("decorated", 200),
        ("timer", 1200),
        ("fake_connection", 700),
        ("yielded_value", 100),
        ("explicit_close", 200),
        ("measured", 2000),
        ("sees_error", 0),
        ("suppress_one", 0),
        ("handler", 150),
        ("normal_exit_is_not_suppression", 0),
        ("exit_fails", 0),
        ("nested", 300),
        ("stack_loop", 150),
        ("stack_conditional", 250),
        ("combined", 100),
        ("coordinated", 1400),
        ("file", 0),
        ("temp_dir", 0),
        ("lock", 450),
        ("timeout", 2100),
        ("timeout_order", 700),
        ("server", 1000),
    ];
    for (name, time) in times {
        let rt = Manual::new();
        let ended = rt.block_on(example(name).run(rt.clone(), Transcript::new()));
        assert!(ended.is_ok(), "{name}: {ended:?}");
        assert_eq!(rt.now(), Duration::from_millis(time), "{name}");
    }
}

#[test]
fn what_waits_for_ctrl_c_stops_with_it() {
    let (rt, out) = (Manual::new(), Transcript::new());
    let user = rt.clone();
    rt.spawn(Task::new(async move {
        user.sleep(Duration::from_secs(1)).await;
        user.interrupt();
    }));
    let example = example("wait");
    let stopped = rt.run(example.run(rt.clone(), out.clone()));
    assert_eq!(stopped.unwrap_err().exits().len(), 2);
    assert_eq!(out.lines(), example.label().transcript);
}
