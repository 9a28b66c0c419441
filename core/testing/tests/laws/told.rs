//! Law 3, totality: of every exit that fails somebody is told exactly once, and the report has them in the order of time.
//! Law 8: it holds also when the program is dropped at any poll.

use proptest::prelude::*;
use withal_core::Launch;
use withal_testing::{Ledger, block_on, cut_after};

use crate::config;
use crate::program::{End, programs, without_faults};
use crate::run::{Came, Manner, Run};

/// Everything that anybody was told, one text for each.
fn told(came: &Came) -> Vec<&str> {
    let ended = match &came.ended {
        Ok(Ok(())) => "",
        Ok(Err(text)) | Err(text) => text,
    };
    ended
        .lines()
        .chain(came.lost.iter().map(String::as_str))
        .collect()
}

pub(crate) fn check_told_once(came: &Came) {
    let told = told(came);
    for name in came.trace.iter().filter_map(|mark| mark.strip_prefix('!')) {
        let times = told.iter().filter(|text| text.contains(name)).count();
        assert_eq!(times, 1, "how often {name} was told: {came:#?}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_failure_is_told_once(program in programs()) {
        let run = Run::new();
        check_told_once(&run.rt.block_on(run.to_the_end(&program)));
    }

    #[test]
    fn every_failure_is_told_once_also_at_once(program in programs(), at_most in 1..5_usize) {
        let run = Run::like(Manner { at_once: Some(at_most), ..Manner::default() });
        check_told_once(&run.rt.block_on(run.to_the_end(&program)));
    }

    #[test]
    fn every_failure_is_told_once_when_dropped(program in programs()) {
        block_on(async {
            for polls in 0.. {
                let run = Run::on(&Ledger::new());
                let ended = withal_testing::caught(cut_after(polls, run.whole(&program))).await;
                run.ledger.settled().await;
                let (completed, ended) = match ended {
                    Ok(None) => (false, Ok(Ok(()))),
                    Ok(Some(ended)) => (true, Ok(ended)),
                    Err(panic) => (true, Err(panic)),
                };
                check_told_once(&run.came(ended));
                if completed {
                    break;
                }
            }
        });
    }

    #[test]
    fn the_report_is_in_the_order_of_time(program in programs()) {
        let program = without_faults(&program, |end| end == End::Fails);
        let run = Run::new();
        let came = run.rt.block_on(run.to_the_end(&program));
        let failed = came.trace.iter().filter_map(|mark| mark.strip_prefix('!'));
        let failed: Vec<&str> = failed.collect();
        prop_assert_eq!(&came.lost, &Vec::<String>::new());
        match &came.ended {
            Ok(Ok(())) => prop_assert_eq!(failed, Vec::<&str>::new()),
            Ok(Err(text)) => {
                let lines: Vec<&str> = text.lines().collect();
                prop_assert_eq!(lines.len(), failed.len(), "{}", text);
                for (line, name) in lines.iter().zip(failed) {
                    prop_assert!(line.contains(name), "{} in {}", name, text);
                }
            }
            Err(panic) => prop_assert!(false, "{}", panic),
        }
    }
}
