"""Runs programs for exit stacks on contextlib.AsyncExitStack.

Each line of stdin is one program as JSON; each line of stdout is what was seen of it: the trace, a bar, and the errors that were caught.
"""

import asyncio
import json
import os
import sys
import traceback
from contextlib import AsyncExitStack


class Oops(Exception):
    def __init__(self, kind, id):
        self.kind, self.id = kind, id

    def __str__(self):
        return f"E{self.kind}:{self.id}"


class Manager:
    """An entry that is entered, or pushed as an exit."""

    def __init__(self, program, entry):
        self.program, self.entry = program, entry

    async def __aenter__(self):
        await self.program.enter(self.entry)

    async def __aexit__(self, kind, error, traceback):
        return await self.program.exit(self.entry, error)

    # Of an entry that is never suspended.
    def __enter__(self):
        finish(self.__aenter__())

    def __exit__(self, *seen):
        return finish(self.__aexit__(*seen))


def finish(coroutine):
    """Runs a coroutine that is never suspended."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("suspended")


class Seat:
    """Where a stack is: "block", "free", or the id of the stack that it is nested in."""

    def __init__(self, stack, room, place):
        self.stack, self.room, self.place = stack, room, place


class Program:
    def __init__(self):
        self.trace, self.caught, self.seats, self.homes = [], [], {}, {}

    # The rules of programs, as in `book.rs`.

    def is_own(self, room, id):
        seat = self.seats.get(id)
        if seat is None or seat.room != room:
            return False
        return seat.place in ("block", "free") or self.is_own(room, seat.place)

    def is_free(self, room, id):
        return self.is_own(room, id) and self.seats[id].place == "free"

    def target(self, room, to):
        if to is None:
            return self.homes.get(room)
        seat = self.seats.get(to)
        if seat and (seat.place in ("block", "free") or self.is_own(room, to)):
            return to
        return None

    def target_for(self, room, to, moved):
        target = around = self.target(room, to)
        while around is not None and around not in ("block", "free"):
            if around == moved:
                return None
            around = self.seats[around].place
        return target if self.is_free(room, moved) else None

    def emptied(self, stack):
        for id in [id for id, seat in self.seats.items() if seat.place == stack]:
            self.gone(id)

    def gone(self, id):
        self.emptied(id)
        self.seats.pop(id, None)

    # What an entry does.

    async def pause(self, times):
        for _ in range(times):
            await asyncio.sleep(0)

    async def enter(self, entry):
        id, pauses, fails = entry[:3]
        self.trace.append(f"enter {id}")
        await self.pause(pauses)
        if fails:
            raise Oops(*fails)

    async def exit(self, entry, error):
        if not isinstance(error, Oops | None):
            # A mistake in this file must not be suppressed.
            traceback.print_exception(error)
            os._exit(1)
        id, _, _, pauses, steps, answer, fails, kind = entry
        self.trace.append(f"exit {id} sees {error or 'nothing'}")
        if pauses:
            await self.pause(pauses)
            self.trace.append(f"exit {id} goes on")
        await self.room(id, steps)
        if answer == "fail" or (answer == "replace" and error):
            raise Oops(*fails)
        return answer == "suppress" and (kind == 0 or (error and error.kind == kind))

    # Where code runs.

    async def room(self, room, steps):
        try:
            await self.steps(room, steps)
        finally:
            free = [id for id, seat in self.seats.items() if seat.room == room and seat.place == "free"]
            for id in sorted(free):
                await self.steps(room, [[True, "finish", id]])

    async def steps(self, room, steps):
        for tried, name, *args in steps:
            step = getattr(self, name)(room, *args)
            if not tried:
                await step
                continue
            around, caught = sys.exc_info()[1], None
            try:
                await step
            except Oops as error:
                caught = error
            if caught:
                self.catch(caught, around)

    def catch(self, error, around):
        """Follows the chain of errors up to the one that is being handled around it."""
        self.trace.append(f"caught {error}")
        chain = []
        while error is not None and error is not around:
            chain.append(error.id)
            error = error.__context__
        self.caught.append(chain[::-1])

    def skip(self, what):
        self.trace.append(f"skipped {what}")

    # The steps.

    async def add(self, room, to, how, entry):
        id = entry[0]
        target = self.target(room, to)
        if target is None:
            return self.skip(id)
        stack = self.seats[target].stack
        manager = Manager(self, entry)
        if how == "enter":
            await stack.enter_async_context(manager)
        elif how == "enter_sync":
            stack.enter_context(manager)
        elif how == "push":
            stack.push_async_exit(manager.__aexit__)
        elif how == "push_sync":
            stack.push(manager.__exit__)
        elif how == "defer":
            stack.push_async_callback(self.exit, entry, None)
        else:
            stack.callback(lambda: finish(self.exit(entry, None)))
        self.homes[id] = target

    async def with_(self, room, block):
        await self.block(room, block, AsyncExitStack())

    async def reuse(self, room, block):
        id = block[0]
        if not self.is_free(room, id):
            return self.skip(id)
        await self.block(room, block, self.seats[id].stack)

    async def block(self, room, block, stack):
        id, steps, end = block
        ended = False
        try:
            async with stack as same:
                self.seats[id] = Seat(same, room, "block")
                await self.steps(room, steps)
                self.trace.append(f"end {id}")
                if end:
                    raise Oops(*end)
                ended = True
        finally:
            self.gone(id)
        self.trace.append(f"{'left' if ended else 'suppressed'} {id}")

    async def make(self, room, id):
        self.seats[id] = Seat(AsyncExitStack(), room, "free")

    async def nest(self, room, to, entered, id):
        target = self.target(room, to)
        if target is None:
            return self.skip(id)
        inner = AsyncExitStack()
        await self.put(self.seats[target].stack, entered, inner)
        self.seats[id] = Seat(inner, room, target)

    async def move(self, room, to, entered, id):
        target = self.target_for(room, to, id)
        if target is None:
            return self.skip(id)
        await self.put(self.seats[target].stack, entered, self.seats[id].stack)
        self.seats[id].place = target

    async def put(self, stack, entered, inner):
        if entered:
            await stack.enter_async_context(inner)
        else:
            stack.push_async_exit(inner)

    async def take(self, room, id, into):
        if not self.is_own(room, id):
            return self.skip(id)
        taken = self.seats[id].stack.pop_all()
        for entry, home in self.homes.items():
            if home == id:
                self.homes[entry] = into
        for seat in self.seats.values():
            if seat.place == id:
                seat.place = into
        self.seats[into] = Seat(taken, room, "free")

    async def close(self, room, id):
        if not self.is_own(room, id):
            return self.skip(id)
        try:
            await self.seats[id].stack.aclose()
        finally:
            self.emptied(id)
        self.trace.append(f"closed {id}")

    async def finish(self, room, id):
        if not self.is_own(room, id):
            return self.skip(id)
        try:
            await self.close(room, id)
        finally:
            self.gone(id)


# The name of a step in JSON is a keyword.
setattr(Program, "with", Program.with_)


async def main():
    print(f"CPython {sys.version.split()[0]}", flush=True)
    for line in sys.stdin:
        program = Program()
        try:
            await program.room(0, json.loads(line))
        except Oops as error:
            program.catch(error, None)
        caught = (" ".join(map(str, chain)) for chain in program.caught)
        print(";".join(program.trace), "|", ";".join(caught), sep="", flush=True)


asyncio.run(main())
