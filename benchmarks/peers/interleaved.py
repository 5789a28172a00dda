"""Measures several things in turn, so that a machine that drifts or is shared slows them all alike.

A contender is a function seconds -> figure of one burst (the median of its runs, in milliseconds). In every round each
contender has one burst, in an order that moves on by one.
"""

import json
import math
import os
import statistics
import subprocess
import time


def repeated(work):
    """A contender from a function that does the work once; the first call of a burst warms and does not count."""

    def burst(seconds):
        work()
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            began = time.perf_counter()
            work()
            times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times)

    return burst


def bench(binary, *arguments, environment=None):
    """What a `wajah bench` command prints as its last line of JSON."""
    done = subprocess.run([str(binary), "bench", *map(str, arguments), "--json"], capture_output=True, text=True,
                          env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        raise RuntimeError(f"wajah bench {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def program(binary, *arguments, key="median_ms_per_image", environment=None):
    """A contender from a `wajah bench` command."""
    return lambda seconds: bench(binary, *arguments, "--seconds", seconds, environment=environment)[key]


def rounds(contenders, count, seconds, at_most=math.inf):
    """{name: [figure of round 1, ...]} for {name: contender}; fewer than `count` rounds, but one, where another would
    end after `at_most` seconds."""
    figures, names, began = {name: [] for name in contenders}, list(contenders), time.perf_counter()
    for turn in range(count):
        for i in range(len(names)):
            name = names[(turn + i) % len(names)]
            figures[name].append(contenders[name](seconds))
        spent = time.perf_counter() - began
        if spent * (turn + 2) / (turn + 1) > at_most:
            break
    return figures


def available(factories, skipped):
    """{name: factory()} of those that work here; the others' reasons go to skipped[name]."""
    made = {}
    for name, factory in factories.items():
        try:
            made[name] = factory()
        except Exception as error:  # pylint: disable=broad-except  # whatever stops a peer, the others go on
            skipped[name] = f"{type(error).__name__}: {error}"
    return made
