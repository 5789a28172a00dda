"""Reads the constants of a TensorFlow frozen graph without TensorFlow.

A frozen graph is a GraphDef protocol buffer whose weights are `Const` nodes. Only four message types matter here, so a
wire-format walk of a few lines replaces a dependency of half a gigabyte.
"""

import numpy as np

DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64}


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """Yields (field number, value) of one message; length-delimited values are memoryviews."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at:at + size], at + size
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = data[at:at + size], at + size
        else:
            raise ValueError(f"protobuf wire type {wire} at byte {at}: not a GraphDef")
        yield key >> 3, value


def _tensor(data):
    dtype, shape, content, floats = None, [], b"", []
    for number, value in fields(data):
        if number == 1:
            dtype = value
        elif number == 2:
            shape = [dict(fields(dim)).get(1, 0) for n, dim in fields(value) if n == 2]
        elif number == 4:
            content = value
        elif number == 5:
            floats.append(np.frombuffer(value, np.float32) if not isinstance(value, int) else value)
    if dtype not in DTYPES:
        return None
    if len(content):
        return np.frombuffer(content, DTYPES[dtype]).reshape(shape).copy()
    if floats:
        # TensorProto repeats the last value of a short list over the whole shape.
        return np.broadcast_to(np.concatenate(floats), shape).copy() if shape else np.concatenate(floats)
    return None


def read_constants(path):
    """All numeric Const nodes of the frozen graph at `path`: {node name: array}."""
    constants = {}
    data = memoryview(open(path, "rb").read())
    for number, node in fields(data):
        if number != 1:
            continue
        name = op = None
        attributes = {}
        for n, value in fields(node):
            if n == 1:
                name = bytes(value).decode()
            elif n == 2:
                op = bytes(value).decode()
            elif n == 5:
                entry = dict(fields(value))
                attributes[bytes(entry[1]).decode()] = entry[2]
        if op != "Const":
            continue
        tensor = dict(fields(attributes["value"])).get(8)
        array = _tensor(tensor) if tensor is not None else None
        if array is not None:
            constants[name] = array
    return constants
