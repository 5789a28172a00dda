"""The original service's 41 behaviours, in short, and the check that each has a case that bears its number."""

import re
import unittest

BEHAVIOURS = {
    1: "POST /upload/ takes nik, nama and repeated files",
    2: "more than 100 files are refused",
    3: "nama must be in capitals by Python's rule",
    4: "a missing or empty field is a 422 of FastAPI's shape",
    5: "a body that cannot be parsed is a 400 with one sentence",
    6: "the message of a successful upload; success means enrolled",
    7: "a failed upload leaves nothing behind",
    8: "train_img as a mirror, when asked for",
    9: "photos of a second upload count",
    10: "one NIK is one person",
    11: "an upload delays nobody else",
    12: "the replies of success are those that the README promised",
    13: "the preprocessing of a train_img tree, with its two totals",
    14: "of several faces of a photo the large central one is enrolled",
    15: "embeddings of 512 numbers",
    16: "smallest faces of 20 and 30 pixels, acceptance at 0.7",
    17: "a face at the border has a result too",
    18: "a NIK stays as it is",
    19: "the model is no pickle and is replaced while it serves",
    20: "somebody without usable photos shifts nobody's label",
    21: "one person, or nobody, is enough",
    22: "a stranger is nobody",
    23: "the reply of /recognize/, key by key",
    24: "nik_matched and message",
    25: "no face: an empty list",
    26: "a wrong claim still names the other, unless switched off",
    27: "a picture that cannot be decoded",
    28: "orientation tags are applied, unless switched off",
    29: "/recognize answers without its slash, or is redirected",
    30: "probes, other paths and other verbs",
    31: "/docs, /redoc, /openapi.json",
    32: "DELETE /hapus/ takes a form",
    33: "whoever is deleted is gone; an unknown person is told",
    34: "no NIK is a path",
    35: "the line of the daily log",
    36: "a line break in a claim forges no line",
    37: "keys, limits, no CORS; open only when asked for",
    38: "gpu.memory_fraction, a hard limit",
    39: "the webcam program",
    40: "requests do not wait for one another",
    41: "one program, which restarts without losing anything",
}


def covered(names):
    """The numbers in the names of cases: test_19_20_a_person covers 19 and 20."""
    numbers = set()
    for name in names:
        if found := re.match(r"test((?:_\d\d)+)_", name):
            numbers |= {int(number) for number in found.group(1)[1:].split("_")}
    return numbers


class Completeness(unittest.TestCase):
    def test_every_behaviour_has_a_case(self):
        import original
        import switches

        classes = [kind for module in (original, switches) for kind in vars(module).values()
                   if isinstance(kind, type) and issubclass(kind, unittest.TestCase)]
        numbers = covered(name for kind in classes for name in dir(kind))
        self.assertEqual(sorted(BEHAVIOURS), list(range(1, 42)))
        self.assertEqual({n: BEHAVIOURS[n] for n in BEHAVIOURS if n not in numbers}, {})
        self.assertEqual(numbers - set(BEHAVIOURS), set())

    def test_a_missing_case_would_show(self):
        self.assertEqual(covered(["test_01_x", "test_19_20_y", "test_words", "testing"]), {1, 19, 20})
