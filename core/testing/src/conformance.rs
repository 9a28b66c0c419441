//! The conformance suite: what must hold on every runtime, as plain async functions, and the macro that makes tests of them.
//!
//! An adapter runs all of it in one line for each flavour of its runtime:
//!
//! ```
//! # use withal_testing::Manual;
//! withal_testing::conformance!(manual: Manual::new());
//! ```

pub mod adoption;
pub mod anyio;
pub mod asyncio;
pub mod bridging;
pub mod budgets;
pub mod cancelling;
pub mod capabilities;
pub mod closing;
pub mod composing;
pub mod contextlib;
pub mod deadlines;
pub mod dropping;
mod entries;
pub mod escalating;
pub mod forcing;
pub mod functions;
pub mod futurelock;
pub mod grouping;
pub mod handles;
pub mod local;
pub mod nesting;
pub mod panics;
pub mod programs;
pub mod protocol;
pub mod sharing;
pub mod shielding;
pub mod stacks;
pub mod tc39;
pub mod trio;

/// Makes a test of each case of the suite for one runtime: `conformance!(name: expression that makes its launcher)`.
#[macro_export]
macro_rules! conformance {
    ($runtime:ident: $launcher:expr) => { $crate::cases! { $runtime: $launcher } };
    // The names of all cases, for the tests of the documents that name them.
    (@ names; $($area:ident { $($case:ident)* })*; $($program:ident)*) => {
        [
            $($(concat!(stringify!($area), "::", stringify!($case)),)*)*
            $(concat!("programs::", stringify!($program)),)*
        ]
    };
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
    ($($of:tt)*) => {
        $crate::conformance! { @ $($of)*;
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
            deadlines {
                left_alone
                when_the_clock_starts
                moved_to_an_earlier_time
                moved_to_the_past
                moved_to_a_later_time
                disarmed
                moved_by_somebody_else
                too_late
                nested
                inside_of_an_exit
                bodies_that_fail
                dropped_at_every_poll
            }
            budgets {
                outside_of_an_exit
                of_every_kind
                the_least_of_all
                hidden
                somebody_else
                after_a_panic
            }
            forcing {
                in_time_by_force
                waiting_since_before
                given_up
                moved_on
                from_the_start
                the_harder_way
                dropped_at_every_poll
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
            handles {
                at_every_poll
                dropped_at_every_poll
                signals_dropped_at_every_poll
                cancel_before_entry
                cancel_is_idempotent
                cancelled_not_caught
                level_triggered
                cancel_inheritance
                a_part_does_not_cancel_the_whole
                cancel_while_exiting
                errors_of_exits_are_kept
                from_another_task
                a_guard_in_a_dropped_future
                cancel_from_inside_of_an_exit
            }
            nesting {
                each_alone
                the_outer_one_wins
                the_outer_one_takes_over
                taking_over_ends_at_a_shield
                the_same_deadline
                the_outer_one_comes_later
                both_from_the_start
                exits_are_told_by_the_outer_one
                dropped_at_every_poll
            }
            shielding {
                a_canceller_waits
                its_value_counts
                only_what_has_begun
                dropped_at_every_poll
                adopted_by_the_scope_around_it
                its_value_is_dropped
                a_panic
                a_grace
                a_deadline_of_an_exit
                a_deadline_inside_of_it
                cancelled_from_inside_of_it
                in_a_task_that_is_aborted
                nobody_spins
                in_futures_unordered
                begun_elsewhere
                at_the_root
                inside_of_an_exit
            }
            escalating {
                until_one_succeeds
                giving_up
                panics
                each_attempt_cleans_up
                an_overdue_attempt
                a_close_that_is_tried_again
                at_every_poll
                every_fault
            }
            composing {
                dropped_at_every_poll
                dropped_in_a_canceller
                dropped_inside_of_a_scope
                aborted
                cancelled_at_every_poll
                dropped_while_closing
                every_fault
                in_order
                a_refused_enter
                side_by_side
                a_side_that_fails
                the_loser_of_a_race
                the_first_is_released_first
                a_deadline_over_a_composite
                a_canceller_hears_of_it
                an_exit_that_leaves_something_behind
                nobody_is_let_in_while_closing
                an_exit_that_needs_what_an_enter_holds
                many_members
            }
            sharing {
                one_enter_one_exit
                the_last_one_is_told
                the_error_of_the_last_one_is_suppressed
                in_company
                nested
                a_panic_of_the_exit
                who_comes_during_the_exit_waits
                an_enter_that_fails
                an_enter_that_panics
                an_enter_that_is_cut
                a_cut_enter_is_cleaned_up_first
                a_protected_enter_is_finished_first
                an_exit_that_is_orphaned
                an_exit_that_is_overdue
                a_waiter_that_does_not_come
                nobody_is_let_in_while_closing
                an_exit_that_needs_the_turn
                swapped_guards
                guards_swapped_between_types
                guards_that_are_taken_out
                a_guard_that_is_leaked
                guards_are_shared_between_threads
                users_dropped_at_every_poll
                one_user_dropped_at_every_poll
                users_cancelled_at_every_poll
                users_dropped_while_closing
                every_fault_of_users
                users_inside_of_a_scope
                many_tasks
            }
            grouping {
                the_block_waits
                reports_become_one
                a_task_that_its_runtime_drops
                a_runtime_that_takes_no_task
                a_runtime_that_panics
                ten_thousand_tasks
                trio_a_crash_cancels_the_siblings
                trio_a_crash_wakes_the_body
                trio_all_errors_are_kept
                keep_going
                a_panic_in_a_task
                a_panic_in_the_body
                a_handle_that_is_dropped
                asyncio_one_that_is_cancelled
                cancelled_after_the_value
                cancelled_before_the_value
                anyio_no_task_is_let_in_while_it_closes
                a_handle_after_the_end
                tasks_that_spawn
                at_most
                cancelled_in_the_queue
                results_as_they_come
                trio_start
                trio_start_that_fails_before
                trio_start_that_fails_after
                trio_start_that_is_never_ready
                trio_start_that_is_cancelled
                under_a_timeout
                anyio_cancelled_while_it_waits
                trio_nested_groups
                as_a_scope
                dropped_at_every_poll
                dropped_inside_of_a_scope
                an_exit_that_fails_after_the_value
                a_handle_that_is_given_up
                results_that_are_given_up
                room_and_ended_that_are_given_up
                ended_that_is_given_up_with_orphans
                a_start_that_is_given_up
                dropped_in_a_stack
                dropped_in_a_composite
                dropped_while_open
                every_fault
                a_body_that_waits_for_the_exit_of_a_dropped_task
                a_task_that_fails_is_awaited_by_the_body
                a_sibling_fails
                a_task_that_fails_is_awaited_by_another
                cancelled_while_the_body_awaits
                an_exit_gets_its_answer
                beside_a_canceller
                a_start_that_is_refused
                a_body_that_cancels
                turns_are_kept
                a_start_that_is_given_up_in_the_queue
                a_handle_of_one_in_the_queue
                a_full_group_that_is_dropped
                a_full_group_that_fails
                who_waits_no_more_is_forgotten
                results_that_are_dropped
                a_canceller_of_a_result
                who_was_answered_has_left
                a_task_that_looks_at_itself
            }
            trio {
                aclose_that_fails
                aclose_forcefully
                cleanup_with_a_timeout_and_a_shield
                trivial_yields
                basic_timeout
                locals_destroyed_promptly_on_cancel
                main_and_task_both_crash
                two_child_crashes
                children_belong_to_where_the_nursery_was_opened
                nursery_start_without_checkpoints
                nursery_start_in_a_closed_nursery
                nursery_start_that_is_ready_too_late
                nursery_start_keeps_nursery_open
                nursery_start_with_a_limit
            }
            anyio {
                failing_host_task_cancels_children
                exception_group_children_and_host
                cancel_twice
                start_cancels_parent_scope
                cancel_shielding_start
                start_cancel_after_error
                cancel_before_entering_task_group
                task_handle_status
                task_handle_cancelled_before_it_began
                task_handle_elsewhere
                cancel_child_task_when_host_is_shielded
                triple_nested_shield
                no_spin_on_done_task
            }
            asyncio {
                foreign_exception_passes
                foreign_exception_on_timeout
                timeout_taskgroup
                real_errors_beat_cancellation
                real_errors_under_a_canceller
                real_errors_of_a_dropped_group
                cancellation_does_not_leak_out_of_tg
                cancelled_while_aborting
                nested_groups_give_nested_groups
                a_panic_beside_a_failure
                a_commit_in_the_body_of_a_group
            }
            futurelock {
                a_parked_scope
                a_parked_shield
                a_parked_canceller
                a_parked_stack
                a_parked_group
                a_lock_between
                a_lock_between_and_an_exit
            }
            bridging {
                in_a_task_of_a_group
                while_a_canceller_is_closing
                in_an_exit_that_is_adopted
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
                sleeps_end_in_order
                extreme_deadlines
                tasks_are_detached
                tasks_take_turns
                blocking_work
            }
            contextlib {
                enter
                async_gen_propagates_generator_exit
                contextmanager_plain
                contextmanager_finally
                contextmanager_traceback
                contextmanager_no_reraise
                contextmanager_non_normalised
                contextmanager_except
                contextmanager_except_stopiter
                contextmanager_wrap_runtimeerror
                contextmanager_do_not_unchain_non_stopiteration_exceptions
                nokeepref
                recursive
                decorator
                decorator_with_exception
                decorating_method
                contextdecorator
                contextdecorator_with_exception
                contextmanager_as_decorator
                contextdecorator_as_mixin
                no_resources
                callback
                async_callback
                async_push
                push
                enter_async_context
                enter_context
                enter_async_context_fails
                close
                pop_all
                exit_raise
                exit_suppress
                exit_exception_traceback
                exit_exception_chaining_reference
                async_exit_exception_chaining
                exit_exception_chaining
                async_exit_exception_explicit_none_context
                exit_exception_explicit_none_context
                exit_exception_non_suppressing
                exit_exception_with_correct_context
                exit_exception_with_existing_context
                body_exception_suppress
                exit_exception_chaining_suppress
                excessive_nesting
                dont_reraise_runtime_error
                truthy_without_an_error
                pushed_while_unwinding
                every_entry_once
                one_order
                no_result_from_enter
                no_exception
                exact_exception
                exception_hierarchy
                other_exception
                no_args
                multiple_exception_args
                suppress_is_reentrant
                suppress_exception_groups
                suppress_exception_groups_in_a_stack
                suppress_exception_groups_bit_by_bit
                suppress_error_of_an_exit
                suppress_exception_groups_of_an_exit
                aclosing
                aclosing_error
                aclosing_bpo41229
                nullcontext
                with_lock
                with_semaphore
                no_redirect_in_init
                redirect_to_string_io
                restored_after_error
                cm_is_reentrant
            }
            functions {
                dropped_at_every_poll
                aborted_and_in_sets
                cancelled_at_every_poll
                every_fault
                outcomes
                verdicts
                early_return
                what_it_leaves_open
                without_providing
                composed
            }
            tc39 {
                symbol_async_dispose
                use_adds_async_disposable_value
                use_adds_sync_disposable_value
                use_allows_null_value
                use_puts_value_on_top_of_stack
                use_returns_value
                use_throws_if_disposed
                adopt_adds_value_on_dispose_async
                adopt_allows_any_value
                adopt_puts_value_on_dispose_async_on_top_of_stack
                adopt_returns_value
                adopt_throws_if_disposed
                defer_adds_on_dispose_async
                defer_puts_on_dispose_async_on_top_of_stack
                defer_returns_undefined
                defer_throws_if_disposed
                move_does_not_dispose_resources
                move_returns_new_stack_that_contains_moved_resources
                move_returns_new_stack
                move_sets_state_to_disposed
                move_throws_if_disposed
                disposed_returns_false_when_not_disposed
                disposed_returns_true_when_disposed
                dispose_async_disposes_resources_in_reverse_order
                dispose_async_does_not_reinvoke_disposers_if_already_disposed
                dispose_async_does_not_reject_if_already_disposed
                dispose_async_rejects_with_error_as_is_if_only_one_error
                dispose_async_rejects_with_suppressederror_if_multiple_errors
                dispose_async_resolves_to_undefined
                suppressed_error_keeps_the_cause_apart
                suppressed_error_of_undefined
                async_dispose_called_at_end_of_block
                async_dispose_called_at_end_of_asyncfunctionbody
                async_dispose_called_at_end_of_asyncgeneratorbody
                async_dispose_called_at_end_of_forstatement
                async_dispose_called_at_end_of_each_iteration_of_forofstatement
                multiple_resources_disposed_in_reverse_order
                puts_initializer_on_top_of_disposable_resource_stack
                throws_error_as_is_if_only_one_error
                throws_suppressederror_if_multiple_errors
                allows_null_initializer
                await_using_implies_await_if_evaluated
                await_using_does_not_imply_await_if_not_evaluated
                async_iterator_prototype_async_dispose
                await_using_in_async_function_without_await
                dispose_method_throws_after_await
                user_code_throws_before_and_after
                async_disposal_from_sync_method_returning_a_promise
            }
            stacks {
                two_concurrent_closers
                the_first_closer_is_dropped
                a_panic_and_two_closers
                closing_inside_the_body
                an_entry_that_closes_its_own_stack
                closers_in_tasks
                the_task_of_the_first_closer_is_aborted
                closed_with_the_outcome_of_a_scope
                an_entry_of_a_group_that_closes_it
                adding_after_close
                adding_while_unwinding
                a_forgotten_lease
                a_lease_that_comes_back_after_the_close
                a_lease_that_comes_back_in_time
                take_while_a_key_is_kept
                take_while_unwinding
                transfer
                dismiss
                dropped_unclosed
                dropped_at_every_poll
                fork
                a_child_that_fails
                group
                a_child_of_a_closed_parent
                a_parent_closes_while_a_child_closes_by_hand
                taken_out_of_a_child
            }
            ;
            run_gives_the_value
            run_drains
            the_end_of_the_runtime
            the_end_of_the_runtime_of_orphans
            the_end_of_the_runtime_of_a_group
            a_body_of_main_that_is_dropped
            block_on_inside_of_a_body
            a_group_in_a_block_on_inside_of_a_body
            a_drain_inside_of_a_scope
            a_main_that_panics
        }
    };
}
