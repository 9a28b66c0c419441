"""What an entry of contextlib.AsyncExitStack costs: the kinds of entries.rs, in nanoseconds each."""

import sys
import time
import types
from contextlib import AsyncExitStack


class Permit:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number

    def work(self):
        self.number += 1

    def give_back(self):
        self.number = None


async def give_back(permit):
    permit.give_back()


@types.coroutine
def suspend():
    yield


class Sync:
    def __init__(self, number):
        self.number = number

    def __enter__(self):
        self.permit = Permit(self.number)
        return self.permit

    def __exit__(self, *_):
        self.permit.give_back()


class General:
    def __init__(self, number):
        self.number = number

    async def __aenter__(self):
        self.permit = Permit(self.number)
        return self.permit

    async def __aexit__(self, *_):
        await give_back(self.permit)


class Waits(General):
    async def __aenter__(self):
        await suspend()
        return await super().__aenter__()

    async def __aexit__(self, *exc):
        await suspend()
        await super().__aexit__(*exc)


async def callback(stack, number):
    stack.callback(Permit(number).give_back)


async def defer(stack, number):
    stack.push_async_callback(give_back, Permit(number))


async def push(stack, number):
    permit = Permit(number)

    async def release(*_):
        await give_back(permit)

    stack.push_async_exit(release)
    permit.work()


async def enter_sync(stack, number):
    stack.enter_context(Sync(number)).work()


async def enter(stack, number):
    (await stack.enter_async_context(General(number))).work()


async def enter_suspends(stack, number):
    (await stack.enter_async_context(Waits(number))).work()


async def run(add, entries):
    async with AsyncExitStack() as stack:
        for number in range(entries):
            await add(stack, number)


def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        pass


def main(entries, rounds):
    for add in (callback, defer, push, enter_sync, enter, enter_suspends):
        times = []
        for _ in range(rounds):
            started = time.perf_counter_ns()
            drive(run(add, entries))
            times.append(time.perf_counter_ns() - started)
        median = sorted(times)[len(times) // 2]
        print(add.__name__.replace("_", "-"), median / entries)


main(int(sys.argv[1]), int(sys.argv[2]))
