"""Training a linear support-vector machine for many people against scikit-learn and libsvm's svm-train: the same rows.

    python svm.py WAJAH [--people 100,300] [--rounds N]

Neither peer uses more than one thread; wajah is measured with one and with two. svm-train's figure includes reading its
text, which is under a hundredth of it.
"""

import argparse
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import table
from interleaved import program, rounds

PHOTOS, DIMENSIONS = 20, 512
AT_MOST = 0.01


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
    command = ["svm-train", "-q", "-t", "0", "-c", "1", "-b", "1" if probability else "0", str(file), str(Path(folder) / "model")]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def compare(binary, people, probability, count, folder):
    file = data_of(binary, people, folder)
    flags = ["--probability"] if probability else []
    contenders = {f"wajah {threads}": program(binary, "svm", "--people", people, "--photos", PHOTOS, "--dim", DIMENSIONS,
                                              "--threads", threads, *flags, key="train_median_ms") for threads in (1, 2)}
    contenders["scikit-learn"] = once(scikit_learn(file, probability))
    contenders["libsvm"] = once(svm_train(file, probability, folder))
    figures = rounds(contenders, count, 1)
    peers = {name: figures[name] for name in ("scikit-learn", "libsvm")}
    kind = "with probabilities" if probability else "without"
    for threads in (1, 2):
        # The target is set for what the original trains: with probabilities.
        yield table.row(f"SVM {people} people x {PHOTOS} x {DIMENSIONS} {kind}, {threads} thread{'s' * (threads > 1)}",
                        figures[f"wajah {threads}"], peers, AT_MOST if probability else None)


def rows(binary, people=(100, 300), count=0):
    """count: rounds; 0: three for a hundred people, one where a round takes minutes."""
    with tempfile.TemporaryDirectory() as folder:
        for k in people:
            for probability in (True, False):
                yield from compare(binary, k, probability, count or (3 if k <= 100 else 1), folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--people", default="100,300")
    parser.add_argument("--rounds", type=int, default=0)
    given = parser.parse_args()
    found = list(rows(given.binary, [int(k) for k in given.people.split(",")], given.rounds))
    print(table.text(found))


if __name__ == "__main__":
    main()
