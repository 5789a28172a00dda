"""Training a linear support-vector machine for many people against scikit-learn and libsvm's svm-train: the same rows.

    python svm.py WAJAH [--people 100,300] [--rounds N] [--without] [--peers scikit-learn,libsvm]

Neither peer uses more than one thread; wajah is measured with one and with two. svm-train's figure includes reading its
text, which is under a hundredth of it. The figures to reach are for what the original trains, machines with
probabilities; --without adds those without.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import table
from interleaved import bench, program, rounds

PHOTOS, DIMENSIONS = 20, 512
PEERS = ("scikit-learn", "libsvm")
AT_MOST, A_COMPARISON_AT_MOST = 0.01, 60


def data_of(binary, people, folder):
    file = Path(folder) / f"{people}.svm"
    subprocess.run([str(binary), "bench", "svm", "--people", str(people), "--photos", str(PHOTOS), "--dim", str(DIMENSIONS),
                    "--save", str(file)], check=True)
    return file


def once(work):
    """A contender that does the work once a burst: training takes seconds and needs no warming."""

    def burst(_seconds):
        began = time.perf_counter()
        work()
        return 1000 * (time.perf_counter() - began)

    return burst


def scikit_learn(file, probability):
    from sklearn.datasets import load_svmlight_file
    from sklearn.svm import SVC

    x, y = load_svmlight_file(str(file), n_features=DIMENSIONS)
    x = x.toarray()

    def train():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            SVC(kernel="linear", C=1, probability=probability).fit(x, y)

    return train


def svm_train(file, probability, folder):
    if shutil.which("svm-train") is None:
        raise RuntimeError("svm-train is not here (Debian: libsvm-tools)")
    command = ["svm-train", "-q", "-t", "0", "-c", "1", "-b", "1" if probability else "0", str(file), str(Path(folder) / "model")]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def compare(binary, people, probability, name, peer, count):
    """One peer, with wajah on one thread and on two."""
    flags = ["--probability"] if probability else []
    contenders = {f"wajah {threads}": program(binary, "svm", "--people", people, "--photos", PHOTOS, "--dim", DIMENSIONS,
                                              "--threads", threads, *flags, key="train_median_ms") for threads in (1, 2)}
    contenders[name] = once(peer())
    figures = rounds(contenders, count, 1, A_COMPARISON_AT_MOST)
    kind = "with probabilities" if probability else "without"
    for threads in (1, 2):
        yield table.row(f"SVM {people} people x {PHOTOS} x {DIMENSIONS} {kind}, {threads} thread{'s' * (threads > 1)}, {name}",
                        figures[f"wajah {threads}"], {name: figures[name]}, AT_MOST if probability else None)


def comparisons(binary, people, probability, count, folder, peers):
    file = data_of(binary, people, folder)
    every = {"scikit-learn": lambda: scikit_learn(file, probability), "libsvm": lambda: svm_train(file, probability, folder)}
    for name in peers:
        peer = every[name]
        yield from table.tried(f"SVM {people} people, {name}",
                               lambda n=name, p=peer: compare(binary, people, probability, n, p, count))


def gallery(binary, people, photos, limits):
    """What enrolling, training and asking may take at most, in milliseconds and MB."""
    figures = bench(binary, "gallery", "--people", people, "--photos", photos, "--seconds", 2)
    for words, key, most in limits:
        yield table.limited(f"gallery of {people:,} people x {photos}, {words}", figures[key], most)


def galleries(binary):
    yield from table.tried("gallery of 1,000 people", lambda: gallery(
        binary, 1000, 20, [("enrol one more", "enrol_ms", 50)]))
    yield from table.tried("gallery of 10,000 people", lambda: gallery(
        binary, 10000, 5, [("train", "train_ms", 120_000), ("a query", "predict_ms", 5),
                           ("a stranger's query", "predict_stranger_ms", 5), ("MB", "memory_mb", 8000)]))


def rows(binary, people=(100, 300), count=2, without=False, peers=PEERS):
    """At most `count` rounds; one where a round takes minutes, as it does last."""
    yield from galleries(binary)
    with tempfile.TemporaryDirectory() as folder:
        for k in people:
            for probability in (True, False) if without else (True,):
                yield from comparisons(binary, k, probability, count, folder, peers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--people", default="100,300")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--without", action="store_true")
    parser.add_argument("--peers", default=",".join(PEERS))
    given = parser.parse_args()
    print(table.text(list(rows(given.binary, [int(k) for k in given.people.split(",")], given.rounds, given.without,
                               given.peers.split(",")))))


if __name__ == "__main__":
    main()
