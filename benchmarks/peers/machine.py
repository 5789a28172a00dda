"""What the figures were taken on."""

import importlib.metadata
import os
import platform
from pathlib import Path

INTERESTING = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16")
PEERS = ("onnxruntime", "openvino", "ncnn", "tensorflow-cpu", "torch", "facenet-pytorch", "scikit-learn", "faiss-cpu", "fastapi")


def cpu_fields():
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in fields.items()}


def flags():
    return set(cpu_fields().get("flags", "").split())


def has_avx512():
    return "avx512f" in flags()


def describe():
    fields = cpu_fields()
    shown = " ".join(flag for flag in INTERESTING if flag in flags())
    return (f"{fields.get('model name', platform.machine())} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')}), "
            f"{len(os.sched_getaffinity(0))} cores, {shown}; load {os.getloadavg()[0]:.2f}")


def peers():
    """Names and versions of what is installed to be compared with."""

    def version(name):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return "absent"

    return ", ".join(f"{name} {version(name)}" for name in PEERS)
