# SPDX-License-Identifier: Apache-2.0
"""Tensors whose sums and counts are easily got wrong, beside those of cat_tensors.py."""

import math

SPECIAL = [0.0, -0.0, math.nan, math.inf, -math.inf, 1e-40, -1e-45, 1.0, -3.5]
FLOATS = ["float64", "float32", "float16", "bfloat16"]
# Around what is read and summed at a time.
COUNTS = [511, 512, 513, 1023, 1025, 32768, 32769]


def near(torch, chance):
    """Far from 0 and close to one another."""
    for number in range(12):
        offset, spread = 10.0 ** chance.randint(3, 8), 10.0 ** -chance.randint(0, 4)
        values = offset + spread * torch.randn(chance.choice(COUNTS), dtype=torch.float64)
        yield f"near {number}", values
    values = 1e6 + 1e-3 * torch.randn(2_000_000, dtype=torch.float64)
    yield "near, many", values
    yield "near, float32", (1e4 + torch.randn(300_000)).float()
    yield "drifting", torch.linspace(-1e5, 1e9, 400_000, dtype=torch.float64)


def huge(torch):
    for value in (1e308, 1.7e308, -1.7e308):
        yield f"all {value}", torch.full((1500,), value, dtype=torch.float64)
    signs = torch.tensor([1.0, -1.0, 1.0, 0.5], dtype=torch.float64)
    yield "huge, of both signs", signs.repeat(800) * 1.5e308
    yield "huge in the middle", torch.cat([torch.ones(5000), torch.tensor([3e38]), -torch.ones(5000)])
    yield "huge squares", torch.randn(3000, dtype=torch.float64) * 1e200
    yield "tiny squares", torch.randn(3000, dtype=torch.float64) * 1e-140
    yield "subnormal", torch.arange(-600, 600, dtype=torch.float32) * 1e-42
    yield "largest float32", torch.tensor([3.4028234e38, -3.4028234e38, 1.0])


def mixed(torch, chance):
    for name in FLOATS:
        for count in COUNTS:
            values = torch.randn(count, dtype=torch.float64)
            for _ in range(count // 4):
                values[chance.randrange(count)] = chance.choice(SPECIAL)
            yield f"mixed {name} {count}", values.to(getattr(torch, name))
        for value in SPECIAL:
            yield f"only {value} {name}", torch.full((700,), value, dtype=torch.float64).to(getattr(torch, name))


def integers(torch):
    for name in ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]:
        dtype = getattr(torch, name)
        limits = torch.iinfo(dtype)
        ends = [limits.min, limits.max, limits.max - 1, limits.max // 2 + 1, 0, 1]
        yield f"ends {name}", torch.tensor(ends, dtype=dtype)
        yield f"edges {name}", torch.arange(0, 98, dtype=torch.int64).to(dtype)
        size = limits.bits // 8
        noise = torch.randint(0, 256, (5000 * size,), dtype=torch.uint8)
        yield f"noise {name}", noise.view(dtype)
        yield f"strided {name}", noise.view(dtype)[1::3]
    yield "next to 2**53", torch.tensor([2**53 + 1, 2**53 + 3, 2**62 + 1])
    yield "bool", torch.randint(0, 2, (3000,)).bool()


def layouts(torch, chance):
    large = torch.randn(700, 900)
    yield "large, transposed", large.t()
    yield "large, part", large[3:, ::7]
    yield "large, expanded", large[:1].expand(500, 900)
    yield "large, overlapping", large.reshape(-1).as_strided((400, 700), (3, 1), 11)
    wave = torch.randn(4000, dtype=torch.complex128)
    yield "large, conj", wave.conj()
    yield "large, neg", wave.clone().conj().imag
    yield "absolute values", torch.complex(torch.full((9,), 3e200, dtype=torch.float64), torch.full((9,), 4e200, dtype=torch.float64))
    parts = [chance.choice(SPECIAL) for _ in range(1000)]
    yield "complex, mixed", torch.complex(torch.tensor(parts), torch.tensor(parts[::-1]))


def all_tensors(torch, chance):
    yield from near(torch, chance)
    yield from huge(torch)
    yield from mixed(torch, chance)
    yield from integers(torch)
    yield from layouts(torch, chance)
