"""Reads and writes .safetensors (huggingface/safetensors): 8-byte length, JSON header, data without gaps."""

import json
import os
import struct

import numpy as np

TYPES = {"F32": np.float32, "F16": np.float16, "I8": np.int8}
NAMES = {np.dtype(dtype): name for name, dtype in TYPES.items()}


def write(path, tensors, metadata):
    """Writes {name: array} and {key: text}; the same contents give the same bytes."""
    # Gaps are not allowed, so tensors whose size is a multiple of 64 come first and keep the others' alignment out.
    def order(item):
        size = item[1].nbytes | 64
        return -(size & -size), item[0]

    header, at, chunks = {"__metadata__": dict(sorted(metadata.items()))}, 0, []
    for name, array in sorted(tensors.items(), key=order):
        array = np.ascontiguousarray(array)
        header[name] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
        chunks.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(f"{path}.part", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.writelines(chunks)
    os.replace(f"{path}.part", path)


def read(path):
    """({name: array}, metadata)"""
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, stop = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[start:stop], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
