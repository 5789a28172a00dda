"""The nearest of a million embeddings against faiss's IndexFlatIP, and against reading the memory alone.

    python search.py WAJAH [--vectors N] [--rounds N]

Both search exactly, one query at a time, among uniformly random vectors; faiss keeps floats, wajah floats, half floats
or bytes that are refined afterwards. The last rows are wajah's time by that of adding up as many bytes as a search reads,
in the same process and with the same threads; and how often the search among bytes misses one of the five nearest.
"""

import argparse
import json
import subprocess
from pathlib import Path

import table
from interleaved import repeated, rounds

DIMENSIONS, NEAREST = 512, 5
READING_AT_MOST, MISSED_AT_MOST = 1.3, 0.001


def faiss_search(vectors, threads):
    import faiss
    import numpy

    random = numpy.random.default_rng(1)
    index = faiss.IndexFlatIP(DIMENSIONS)
    for _ in range(10):  # in pieces: two copies of a million do not fit everywhere
        index.add(random.uniform(-1, 1, (vectors // 10, DIMENSIONS)).astype(numpy.float32))
    query = random.uniform(-1, 1, (1, DIMENSIONS)).astype(numpy.float32)

    def search(count):
        def work():
            faiss.omp_set_num_threads(count)
            index.search(query, NEAREST)

        return repeated(work)

    return {count: search(count) for count in threads}


def wajah_search(binary, vectors, storage, threads, reading, queries=0):
    """A contender; notes beside it what reading took, as pairs of its own time and that."""

    def burst(seconds):
        done = subprocess.run([str(binary), "bench", "search", "--vectors", str(vectors), "--dim", str(DIMENSIONS), "--nearest",
                               str(NEAREST), "--storage", storage, "--threads", str(threads), "--seconds", str(seconds),
                               "--queries", str(queries), "--json"], capture_output=True, text=True, check=True)
        line = json.loads(done.stdout.splitlines()[-1])
        reading.append(line)
        return line["median_ms"]

    return burst


def rows(binary, vectors=1_000_000, count=3, threads=(1, 2)):
    peers = faiss_search(vectors, threads)
    reading = {(storage, t): [] for storage in ("fp32", "fp16", "int8") for t in threads}
    contenders = {key: wajah_search(binary, vectors, *key, lines) for key, lines in reading.items()}
    contenders.update({("faiss", t): peers[t] for t in threads})
    figures = rounds(contenders, count, 1)
    size = f"{vectors:,} x {DIMENSIONS}"
    for storage, t in reading:
        plural = "s" * (t > 1)
        yield table.row(f"search {size} {storage}, {t} thread{plural}", figures[storage, t], {"faiss fp32": figures["faiss", t]}, 1.0)
    for (storage, t), lines in reading.items():
        yield table.row(f"search {size} {storage}, {t} thread{'s' * (t > 1)}, by reading alone",
                        [line["median_ms"] for line in lines], {"reading": [line["reading_median_ms"] for line in lines]},
                        READING_AT_MOST)
    del peers, contenders, figures
    lines = []
    wajah_search(binary, vectors, "int8", max(threads), lines, 200)(0.1)
    missed = 1 - lines[0]["recall"]
    yield {"work": f"search {size} int8, share of the {NEAREST} nearest that is missed", "wajah": missed, "peer": 0.0,
           "peer_name": "exact", "ratio": missed, "target": MISSED_AT_MOST, "passed": missed <= MISSED_AT_MOST, "unit": "", "others": {}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(table.text(list(rows(given.binary, given.vectors, given.rounds))))


if __name__ == "__main__":
    main()
