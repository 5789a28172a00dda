"""What ptxas says the CUDA kernels need: registers, spills, shared memory.

resources.py check VERSION TABLE LOG...   compares with the committed table; fails on growth, on spills, and where products
                                         of warpgroups do not run on by themselves
resources.py write VERSION TABLE LOG...   renews it (cmake --build build --target cuda_resources)

VERSION is nvcc's; LOG what nvcc -Xptxas -v said of one file. The table is kernels/cuda/resources.tsv. Numbers belong to the
version that the table's first line names: with another one only spills are looked for.
"""

import pathlib
import re
import subprocess
import sys

COLUMNS = ["kernel", "card", "registers", "spilled", "shared"]
HEADER = "# kernels/cuda by nvcc {}: registers a thread, bytes spilled a thread, bytes of static shared memory a block\n"


def demangled(names):
    out = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, map(short, out.splitlines())))


def short(name):
    """wajah::cuda::(anonymous namespace)::max_pool2d_kernel<float4>(...) -> max_pool2d_kernel<float4>"""
    name = re.sub(r"wajah::cuda::|wajah::|\(anonymous namespace\)::|^void ", "", name)
    depth, kept = 0, ""
    for i, letter in enumerate(name):
        if letter == "(" and depth == 0 and not name.startswith("(bool", i) and not name.startswith("(int", i):
            break
        depth += (letter == "<") - (letter == ">")
        kept += letter
    return re.sub(r"\(bool\)([01])", lambda m: "true" if m[1] == "1" else "false", re.sub(r"\(int\)", "", kept))


def parse(logs):
    rows = {}
    for log in logs:
        kernel = spilled = None
        for line in pathlib.Path(log).read_text().splitlines():
            if found := re.search(r"Compiling entry function '(\S+)' for '(\S+)'", line):
                kernel = found.groups()
            elif found := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
                spilled = int(found[1]) + int(found[2])
            elif kernel and (found := re.search(r"Used (\d+) registers", line)):
                shared = re.search(r"(\d+) bytes smem", line)
                rows[kernel] = [int(found[1]), spilled, int(shared[1]) if shared else 0]
                kernel = None
    names = demangled(sorted({name for name, _ in rows}))
    return {(names[name], card): row for (name, card), row in rows.items()}


def remarks(logs):
    """What ptxas had to add to products of warpgroups (wgmma) because of what stands between them."""
    lines = (line for log in logs for line in pathlib.Path(log).read_text().splitlines())
    return sorted({line.strip() for line in lines if re.search(r"wgmma.*serialized|warpgroup\.\w+ is injected", line)})


def read(table):
    lines = table.read_text().splitlines()
    version = re.search(r"nvcc ([\d.?]+):", lines[0])[1]
    fields = (line.split("\t") for line in lines[2:])
    return version, {(name, card): list(map(int, numbers)) for name, card, *numbers in fields}


def check(version, table, logs):
    rows = parse(logs)
    known, expected = read(table)
    same = version == known
    wrong = remarks(logs)
    wrong += [f"{name} on {card}: spills {row[1]} bytes a thread" for (name, card), row in rows.items()
              if row[1] > expected.get((name, card), [0, 0, 0])[1]]
    for key, row in rows.items() if same else ():
        if key not in expected:
            wrong.append(f"{key[0]} on {key[1]}: not in the table")
            continue
        wrong += [f"{key[0]} on {key[1]}: {what} {now}, the table says {then}"
                  for what, now, then in zip(COLUMNS[2:], row, expected[key]) if now > then and what != "spilled"]
    print(f"{len(rows)} kernels x cards; {'compared with the table' if same else 'another nvcc: only spills looked for'}")
    for line in wrong:
        print(line)
    if wrong:
        print("if it is worth it: cmake --build build --target cuda_resources, and commit kernels/cuda/resources.tsv")
    return 1 if wrong or not rows else 0


def write(version, table, logs):
    rows = parse(logs)
    lines = ["\t".join(COLUMNS)] + ["\t".join(map(str, [*key, *row])) for key, row in sorted(rows.items())]
    table.write_text(HEADER.format(version) + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    verb, version, table, *logs = sys.argv[1:]
    sys.exit({"check": check, "write": write}[verb](version, pathlib.Path(table), logs))
