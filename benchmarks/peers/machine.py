"""What the figures were taken on."""

import os
import platform
from pathlib import Path

INTERESTING = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16")


def describe():
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = set(fields.get("flags", "").split())
    shown = " ".join(flag for flag in INTERESTING if flag in flags)
    return (f"{fields.get('model name', platform.machine())} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')}), "
            f"{len(os.sched_getaffinity(0))} cores, {shown}; load {os.getloadavg()[0]:.2f}")
