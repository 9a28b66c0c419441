//! The conformance suite: what must hold on every runtime, as plain async functions, and the macro that makes tests of them.
//!
//! An adapter runs all of it in one line for each flavour of its runtime:
//!
//! ```
//! # use withal_testing::Manual;
//! withal_testing::conformance!(manual: Manual::new());
//! ```

pub mod adoption;
pub mod cancelling;
pub mod capabilities;
pub mod closing;
pub mod dropping;
pub mod local;
pub mod panics;
pub mod programs;
pub mod protocol;

/// Makes a test of each case of the suite for one runtime: `conformance!(name: expression that makes its launcher)`.
#[macro_export]
macro_rules! conformance {
    ($runtime:ident: $launcher:expr) => { $crate::cases! { $runtime: $launcher } };
    (@ $runtime:ident: $launcher:expr; $($area:ident { $($case:ident)* })*; $($program:ident)*) => {
        mod $runtime {
            #[allow(unused_imports)] // the expression may name things around the macro
            use super::*;
            use $crate::conformance as suite;
            use withal_core::Launch as _;
            $(mod $area {
                #[allow(unused_imports)] // as above
                use super::*;
                $(#[test] fn $case() {
                    let launcher = $launcher;
                    launcher.block_on(suite::$area::$case(launcher.runtime()));
                })*
            })*
            mod programs { use super::*; $(#[test] fn $program() { suite::programs::$program(|| $launcher); })* }
        }
    };
}

/// The list of all cases.
#[doc(hidden)]
#[macro_export]
macro_rules! cases {
    ($runtime:ident: $launcher:expr) => {
        $crate::conformance! { @ $runtime: $launcher;
            protocol {
                inside_out
                outcomes
                failed_enter
                failed_exit
                verdicts
                errors_of_a_cancelled_tree
                every_fault
                errors_of_an_exit_whose_caller_is_gone
            }
            dropping {
                plain
                inside_a_timeout
                losing_a_select
                losing_a_select_at_the_root
                in_futures_unordered
                in_join
                aborted_task
                adopted_by_a_timeout
                scopes_inside_of_an_exit
                protected_enter
                open_scopes
            }
            cancelling {
                at_every_poll
                in_company
                dropped_while_closing
                a_commit_that_the_deadline_overtakes
                after_the_commit_the_body_is_cut
                a_commit_beside_an_endless_future
                a_busy_server
                grace
                grace_inside_of_a_scope
                when_the_clock_starts
                nested_timeouts
                moving_on
                orphans_of_a_body_that_has_ended
                an_exit_with_a_deadline
                an_exit_that_needs_what_the_body_holds
                a_deadline_over_a_drop
            }
            closing {
                a_shared_future
                tasks_that_live_outside
                a_half_run_future_that_was_moved_in
            an_exit_of_somebody_else
                what_was_heard_is_told
            every_failed_exit_is_told
                a_panic_that_was_put_down
                a_canceller_that_never_ran
                an_exit_that_was_in_time
                a_close_that_hangs_with_an_error
            }
            local {
                in_place
                under_a_signal
                side_by_side
                at_every_poll
                dropped_hard
                dropped_hard_in_its_exit
            }
            panics {
                at_each_place_and_depth
                in_a_tree_that_is_dropped
                the_second_is_not_lost
                while_cancelling
                of_an_adopted_exit
                before_there_is_a_future
            }
            adoption {
                a_timeout_at_the_root_is_aborted
                an_exit_drops_a_nested_scope
                an_aborted_nest_is_one_job
                a_stranger_is_not_adopted
                by_reference_over_several_timeouts
                spawned_tasks_are_roots
                a_synchronous_bridge
                a_busy_body_does_not_starve_orphans
                an_orphan_of_the_last_poll
                many_orphans_cost_no_more_polls
                wakers_that_change
                moved_out_of_the_body
                a_started_exit_goes_on
                siblings_run_concurrently
                deep_lineage
                a_loser_in_its_exit
            }
            capabilities {
                sleeps_end_in_time
                extreme_deadlines
                tasks_are_detached
                blocking_work
            }
            ;
            run_gives_the_value
            run_drains
            the_end_of_the_runtime
            a_body_of_main_that_is_dropped
            block_on_inside_of_a_body
            a_drain_inside_of_a_scope
            a_main_that_panics
        }
    };
}
