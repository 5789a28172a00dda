#!/usr/bin/env python3
"""The contract: what the original service's clients, and those of /api/v1, rely on. Plain HTTP against the program.

contract.py BINARY [unittest's options], such as the name of a class or case. WAJAH_CONTRACT_DEVICE=cuda has every server
compute on that device, and fails where one does not.
"""

import sys
import unittest

from case import BINARY

# Every case of these is run, or the one that is asked for.
from access import *  # noqa: F401, F403
from behaviours import *  # noqa: F401, F403
from original import *  # noqa: F401, F403
from switches import *  # noqa: F401, F403
from version1 import *  # noqa: F401, F403

del Case  # noqa: F821  the base class has none of its own

if __name__ == "__main__":
    if not BINARY:
        sys.exit("contract.py BINARY: the program to test, build/wajah")
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
