"""Finds the tensors in a GGUF file, so that a test can damage some."""

import collections
import struct

Tensor = collections.namedtuple("Tensor", "name kind offset size")
Q4_1 = 3  # blocks of 20 bytes for 32 weights: scale and least value in half precision, then 32 nibbles
Q4_1_BYTES = 20
BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), Q4_1: (32, Q4_1_BYTES), 6: (32, 22), 7: (32, 24), 8: (32, 34)}  # weights, bytes
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def tensors(data):
    """Returns {name: Tensor} of a whole file, in the layout of ggml's specification of GGUF."""
    at = 24
    _, count, entries = struct.unpack_from("<IQQ", data, 4)
    alignment = 32

    def text():
        nonlocal at
        (size,) = struct.unpack_from("<Q", data, at)
        at += 8 + size
        return data[at - size : at].decode("utf-8", "replace")

    def skip(kind):
        nonlocal at
        if kind == 8:
            text()
        elif kind == 9:
            element, size = struct.unpack_from("<IQ", data, at)
            at += 12
            for _ in range(size):
                skip(element)
        else:
            at += SCALARS[kind]

    for _ in range(entries):
        key = text()
        (kind,) = struct.unpack_from("<I", data, at)
        at += 4
        if key == "general.alignment":
            (alignment,) = struct.unpack_from("<I", data, at)
        skip(kind)
    found = []
    for _ in range(count):
        name = text()
        (dimensions,) = struct.unpack_from("<I", data, at)
        shape = struct.unpack_from(f"<{dimensions}Q", data, at + 4)
        kind, offset = struct.unpack_from("<IQ", data, at + 4 + 8 * dimensions)
        at += 16 + 8 * dimensions
        weights, size = BLOCKS[kind]
        elements = 1
        for one in shape:
            elements *= one
        found.append((name, kind, offset, elements // weights * size))
    start = (at + alignment - 1) // alignment * alignment
    return {name: Tensor(name, kind, start + offset, size) for name, kind, offset, size in found}


def scale_blocks(data, tensor, first, count, factor):
    """Multiplies scale and least value of `count` blocks of a Q4_1 tensor."""
    for block in range(first, first + count):
        at = tensor.offset + block * Q4_1_BYTES
        scale, least = struct.unpack_from("<2e", data, at)
        struct.pack_into("<2e", data, at, scale * factor, least * factor)


def coarsen(data, tensor, mask):
    """Keeps only these bits of each weight of a Q4_1 tensor. 0x88 keeps one bit each, 0xEE three."""
    for at in range(tensor.offset, tensor.offset + tensor.size, Q4_1_BYTES):
        data[at + 4 : at + Q4_1_BYTES] = bytes(byte & mask for byte in data[at + 4 : at + Q4_1_BYTES])
