"""The nearest of a million embeddings against faiss's IndexFlatIP, and against reading the memory alone.

    python search.py WAJAH [--vectors N] [--rounds N]

Both search exactly, one query at a time, among uniformly random vectors; faiss keeps floats, wajah floats, half floats
or bytes that are refined afterwards. The last rows are wajah's time by that of adding up as many bytes as a search reads,
in the same process and with the same threads; and how often the search among bytes misses one of the five nearest.
"""

import argparse
from pathlib import Path

import table
from interleaved import available, bench, repeated, rounds

DIMENSIONS, NEAREST = 512, 5
READING_AT_MOST, MISSED_AT_MOST = 1.3, 0.001
QUERIES, PIECE, SECONDS, A_COMPARISON_AT_MOST = 100, 50_000, 0.5, 70


def faiss_search(vectors, threads):
    import faiss
    import numpy

    random = numpy.random.default_rng(1)
    index = faiss.IndexFlatIP(DIMENSIONS)
    for first in range(0, vectors, PIECE):  # two copies of a million do not fit everywhere
        index.add(2 * random.random((min(PIECE, vectors - first), DIMENSIONS), dtype=numpy.float32) - 1)
    query = 2 * random.random((1, DIMENSIONS), dtype=numpy.float32) - 1

    def search(count):
        def work():
            faiss.omp_set_num_threads(count)
            index.search(query, NEAREST)

        return repeated(work)

    return {count: search(count) for count in threads}


def wajah_search(binary, vectors, storage, threads, lines):
    """A contender; notes in `lines` all that the command says, what reading alone took among it."""

    def burst(seconds):
        lines.append(bench(binary, "search", "--vectors", vectors, "--dim", DIMENSIONS, "--nearest", NEAREST, "--storage", storage,
                           "--threads", threads, "--seconds", seconds))
        return lines[-1]["median_ms"]

    return burst


def missed(binary, vectors, threads):
    """The share of the nearest that a search among bytes does not find."""
    line = bench(binary, "search", "--vectors", vectors, "--dim", DIMENSIONS, "--nearest", NEAREST, "--storage", "int8",
                 "--threads", threads, "--seconds", 0.1, "--queries", QUERIES)
    yield table.limited(f"search {vectors:,} x {DIMENSIONS} int8, share of the {NEAREST} nearest missed by {QUERIES} queries",
                        1 - line["recall"], MISSED_AT_MOST)


def compare(binary, vectors, count, threads):
    skipped = {}
    peers = available({"faiss fp32": lambda: faiss_search(vectors, threads)}, skipped).get("faiss fp32", {})
    lines = {(storage, t): [] for storage in ("fp32", "fp16", "int8") for t in threads}
    contenders = {key: wajah_search(binary, vectors, *key, said) for key, said in lines.items()}
    contenders.update({("faiss", t): peer for t, peer in peers.items()})
    figures = rounds(contenders, count, SECONDS, A_COMPARISON_AT_MOST)
    for (storage, t), said in lines.items():
        work = f"search {vectors:,} x {DIMENSIONS} {storage}, {t} thread{'s' * (t > 1)}"
        yield table.row(f"{work}, by reading alone", [line["median_ms"] for line in said],
                        {"reading": [line["reading_median_ms"] for line in said]}, READING_AT_MOST)
        if peers:
            yield table.row(f"{work}, by faiss IndexFlatIP", figures[storage, t], {"faiss fp32": figures["faiss", t]}, None)
    for name, why in skipped.items():
        yield table.unmeasured(f"search, {name}", why)


def rows(binary, vectors=1_000_000, count=3, threads=(1, 2)):
    yield from table.tried("search", lambda: compare(binary, vectors, count, threads))
    yield from table.tried("search, recall of int8", lambda: missed(binary, vectors, max(threads)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(table.text(list(rows(given.binary, given.vectors, given.rounds))))


if __name__ == "__main__":
    main()
