"""Checks that the code which docs/*.md quotes from files (```cpp file=PATH) is what those files hold: guides.py ROOT"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
wrong = checked = 0
for page in sorted((root / "docs").glob("*.md")):
    for path, code in re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        checked += 1
        if (root / path).read_text().rstrip() != code.rstrip():
            wrong += 1
            print(f"{page.name}: the code of {path} differs from the file")
print(f"{checked} quotations checked, {wrong} differ")
sys.exit(1 if wrong or not checked else 0)
