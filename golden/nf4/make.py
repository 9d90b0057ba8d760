"""Makes expect.safetensors: tensors in NF4, as the QLoRA paper and bitsandbytes define it.

Written from the paper (arXiv:2305.14314) and the layout of bitsandbytes, without any code of duoka or of
bitsandbytes; numpy does fp32 arithmetic and nothing else. `python3 make.py` writes the file beside itself.
If bitsandbytes and PyTorch can be imported, codes and values are held to theirs, too.
"""

import json
import math
import pathlib
import struct
from fractions import Fraction

import numpy as np

F = np.float32
# The values of the paper's appendix E, in fp32.
VALUES = np.array(
    [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
     -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
     0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
     0.7229568362236023, 1.0], F)

# From what number on a code is the next one: the middles as bitsandbytes' kernel has them (dQuantizeNF4 in
# kernels.cu), each the fp32 number that its literal is. Four differ in the last bit from fp32's (a + b) / 2.
MIDDLES = np.array(
    [-0.84809643, -0.6106329, -0.45999527, -0.33967942, -0.2346074, -0.13791174, -0.045525018, 0.03979015,
     0.120255254, 0.20352125, 0.29201376, 0.38931254, 0.5016634, 0.6427869, 0.8614784], F)


def dynamic_map():
    """256 values: seven powers of ten, each with twice as many evenly spaced fractions as the one before."""
    values = [Fraction(0), Fraction(1)]
    for exponent in range(7):
        for i in range(2 ** exponent):
            middle = Fraction(1, 10) + Fraction(9, 10) * Fraction(2 * i + 1, 2 * 2 ** exponent)
            values += [sign * Fraction(10) ** (exponent - 6) * middle for sign in (1, -1)]
    return np.array([F(float(v)) for v in sorted(values)], F)


DYNAMIC = dynamic_map()


DYNAMIC_MIDDLES = ((DYNAMIC[:-1] + DYNAMIC[1:]) / F(2)).astype(F)


def nearest(middles, numbers):
    """The index of the nearest entry of a table, by what lies between its entries; on it, of the lower one."""
    return np.array([int(np.sum(middles < n)) for n in numbers.ravel()], np.uint8)


def relative(block):
    largest = F(np.max(np.abs(block)))
    return largest, block * (F(1) / largest) if largest > 0 else np.zeros_like(block)


def quantize(tensor):
    flat = tensor.ravel().astype(F)
    codes, scales = [], []
    for start in range(0, flat.size, 64):
        largest, scaled = relative(flat[start:start + 64])
        scales.append(largest)
        codes += nearest(MIDDLES, scaled).tolist()
    pairs = codes + [7] * (len(codes) % 2)
    packed = np.array([16 * a + b for a, b in zip(pairs[::2], pairs[1::2])], np.uint8)
    scales = np.array(scales, F)
    mean = F(math.fsum(float(s) for s in scales) / scales.size)
    rest = scales - mean
    maxima, scale_codes = [], []
    for start in range(0, rest.size, 256):
        largest, scaled = relative(rest[start:start + 256])
        maxima.append(largest)
        scale_codes += nearest(DYNAMIC_MIDDLES, scaled).tolist()
    scale_codes, maxima = np.array(scale_codes, np.uint8), np.array(maxima, F)
    again = (DYNAMIC[scale_codes] * np.repeat(maxima, 256)[:scales.size]).astype(F) + mean
    values = VALUES[np.array(codes)]
    block = np.arange(flat.size) // 64
    return {
        "codes": packed, "scales": scales, "scale_codes": scale_codes, "scale_maxima": maxima,
        "scale_mean": np.array([mean], F),
        "values": (values * again.astype(F)[block]).astype(F).reshape(tensor.shape),
        "values_single": (values * scales[block]).astype(F).reshape(tensor.shape),
    }


def bf16(tensor):
    """Rounded to bf16, in fp32."""
    bits = tensor.astype(F).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(F)


def tensors():
    random = np.random.Generator(np.random.PCG64(20231023))

    def normal(*shape):
        return (random.standard_normal(shape) * 0.02).astype(F)

    zeros = normal(8, 64)
    zeros[3] = 0
    unlike = normal(40, 96) * np.exp(2 * random.standard_normal((40, 1))).astype(F)
    return {
        "one_block": normal(1, 64),
        "one_element": np.array([[-0.75]], F),
        "odd": normal(7, 9),
        "ragged": normal(37, 131),
        "zeros": zeros,
        "values": np.tile(VALUES * F(0.375), (8, 4)),
        "middles": np.tile(np.append((VALUES[:-1] + VALUES[1:]) / F(2), F(1)).astype(F), (2, 4)),
        "unlike": unlike.astype(F),
        "several_maxima": normal(132, 128),
        "bf16": bf16(normal(64, 160)),
    }


def write(path, arrays):
    header, data = {}, b""
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        dtype = {"float32": "F32", "uint8": "U8"}[str(array.dtype)]
        raw = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def compare_with_bitsandbytes(name, tensor, made):
    try:
        import torch
        from bitsandbytes import functional
    except ImportError:
        return
    packed, state = functional.quantize_4bit(
        torch.from_numpy(tensor.copy()), blocksize=64, compress_statistics=True, quant_type="nf4")
    assert (packed.numpy().ravel() == made["codes"]).mean() > 0.999, name
    values = functional.dequantize_4bit(packed, state).numpy()
    assert np.allclose(values, made["values"], rtol=1e-5, atol=1e-7), name


def main():
    arrays = {}
    for name, tensor in tensors().items():
        made = quantize(tensor)
        compare_with_bitsandbytes(name, tensor, made)
        arrays[name] = tensor
        arrays.update({f"{name}.{part}": array for part, array in made.items()})
    write(pathlib.Path(__file__).parent / "expect.safetensors", arrays)


if __name__ == "__main__":
    main()
