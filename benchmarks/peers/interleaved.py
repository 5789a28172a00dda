"""Measures several things in turn, so that a machine that drifts or is shared slows them all alike.

A contender is a function seconds -> figures of one burst (milliseconds of each run). In every round each contender has
one burst, in an order that moves on by one; what is kept of a burst is its median.
"""

import json
import os
import statistics
import subprocess
import time


def repeated(work):
    """A contender from a function that does the work once; the first call of a burst warms and does not count."""

    def burst(seconds):
        work()
        times, end = [], time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < end:
            began = time.perf_counter()
            work()
            times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times)

    return burst


def program(binary, *arguments, key="median_ms_per_image", times=1.0, environment=None):
    """A contender from a `wajah bench` command that prints one line of JSON."""

    def burst(seconds):
        done = subprocess.run([str(binary), "bench", *map(str, arguments), "--seconds", str(seconds), "--json"],
                              capture_output=True, text=True, env={**os.environ, **(environment or {})})
        if done.returncode != 0:
            raise RuntimeError(f"wajah bench {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return times * json.loads(done.stdout.splitlines()[-1])[key]

    return burst


def rounds(contenders, count, seconds):
    """{name: [figure of round 1, ...]} for {name: contender}."""
    figures, names = {name: [] for name in contenders}, list(contenders)
    for turn in range(count):
        for i in range(len(names)):
            name = names[(turn + i) % len(names)]
            figures[name].append(contenders[name](seconds))
    return figures
