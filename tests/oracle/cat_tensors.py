# SPDX-License-Identifier: Apache-2.0
"""Tensors that are worth printing, by name: every dtype, layout and form that str() knows."""

import math

INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64", "bfloat16"]
NARROW = [
    "float8_e5m2",
    "float8_e4m3fn",
    "float8_e5m2fnuz",
    "float8_e4m3fnuz",
    "float8_e8m0fnu",
]
COMPLEX = ["complex32", "complex64", "complex128"]
SHAPES = [(), (1,), (2,), (7,), (30,), (3, 4), (2, 13), (1, 1, 1), (2, 3, 4), (2, 1, 3, 2)]
LARGE = [(1001,), (40, 30), (7, 150), (1500, 1), (5, 9, 31), (2, 3, 200), (8, 7, 3, 9), (2, 8, 2, 8, 7)]
EMPTY = [(0,), (0, 3), (2, 0), (2, 0, 4)]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, math.nan, math.inf, -math.inf]
# Each list has a form of its own: all zero, no finite number, whole numbers, wide ranges, ....
LISTS = [
    [0.0, 0.0, -0.0],
    [math.nan, math.inf, -math.inf, 0.0],
    [math.nan, 1.0],
    [1.5, math.nan, -math.inf],
    [1e-5, math.inf, -1.0, math.nan],
    [1.0, 2.0, 1000.0],
    [1.0, 2.0, 1001.0],
    [-1.0, 999.5],
    [1e8],
    [1e8 + 8, 3.0e8],
    [99999.99999, 123.0],
    [0.0001, 0.05],
    [0.00009999, 0.05],
    [0.03125, 0.09375, 0.00625],
    [0.99995, 0.99994, -0.99996],
    [9.99996e-7, 9.99994e9],
    [1e-45, 3e-39],
    [3.4028234e38, -3.4028234e38],
    [65504.0, 1e-7],
    [-0.00004, 0.02, 0.0],
    [123456.0, -7.0],
    [2.0**-149, 1.0],
    [-5.0],
    [1e10, math.nan, 1.0],
]
DOUBLES = [[1e100, 1e-100], [9.99995e99, 1.0], [9.99996e-100], [5e-324], [1.7976931348623157e308], [-1e-200, 0]]
WHOLE = [[0, 1, -1], [2**31 - 1, -(2**31)], [-(2**63), 2**63 - 1], [10**18, -5], [7]]


def random_values(torch, dtype, shape, chance):
    """Values whose magnitudes lie near one another, or far apart."""
    count = math.prod(shape)
    if dtype == torch.bool:
        return torch.tensor([chance.random() < 0.5 for _ in range(count)]).reshape(shape)
    if not (dtype.is_floating_point or dtype.is_complex):
        limits = torch.iinfo(dtype)
        width = chance.choice([3, 100, limits.max])
        low, high = max(limits.min, -width), min(limits.max, width)
        values = [chance.randint(low, high) for _ in range(count)]
        return torch.tensor(values, dtype=dtype).reshape(shape)
    scale = chance.choice([1, 1, 1, 100, 1e-3, 1e4])
    spread = chance.choice([0, 0, 0, 1, 6])

    def one():
        if chance.random() < 0.03:
            return chance.choice(SPECIAL)
        value = chance.gauss(0, scale) * 10 ** chance.uniform(-spread, spread)
        return float(round(value)) if whole else value

    whole = chance.random() < 0.2
    if dtype.is_complex:
        # complex32 cannot be made of Python numbers.
        values = torch.tensor([complex(one(), one()) for _ in range(count)], dtype=torch.complex128)
        return values.to(dtype).reshape(shape)
    if dtype == torch.float8_e8m0fnu:
        return torch.tensor([chance.randrange(256) for _ in range(count)], dtype=torch.uint8).view(dtype).reshape(shape)
    return torch.tensor([one() for _ in range(count)], dtype=torch.float64).to(dtype).reshape(shape)


def plain(torch, chance):
    names = ["bool", *INTEGERS, *FLOATS, *NARROW, *COMPLEX]
    for name in names:
        dtype = getattr(torch, name)
        for shape in [*chance.sample(SHAPES, 5), *chance.sample(LARGE, 2), chance.choice(EMPTY)]:
            yield f"{name} {shape}", random_values(torch, dtype, shape, chance)
    for shape in [*SHAPES, *LARGE, *EMPTY]:
        yield f"float32 {shape}, every shape", random_values(torch, torch.float32, shape, chance)


def edges(torch):
    for number, values in enumerate(LISTS):
        for name in FLOATS:
            yield f"{name} list {number}", torch.tensor(values, dtype=torch.float64).to(getattr(torch, name))
        yield f"complex list {number}", torch.complex(torch.tensor(values), torch.tensor(values[::-1]))
    for number, values in enumerate(DOUBLES):
        yield f"double list {number}", torch.tensor(values, dtype=torch.float64)
    for number, values in enumerate(WHOLE):
        yield f"integer list {number}", torch.tensor(values)
    yield "uint64 most", torch.tensor([0, 2**64 - 1], dtype=torch.uint64)
    for name in ["float8_e5m2", "float8_e4m3fn", "float8_e5m2fnuz", "float8_e4m3fnuz", "float8_e8m0fnu"]:
        every = torch.arange(256, dtype=torch.uint8)
        yield f"{name} every", every.view(getattr(torch, name))
        yield f"{name} some", every[56:66].view(getattr(torch, name))
    yield "float4", torch.arange(40, dtype=torch.uint8).view(4, 10).view(torch.float4_e2m1fn_x2)
    yield "float4 empty", torch.empty(0, dtype=torch.float4_e2m1fn_x2)


def views(torch, chance):
    base = random_values(torch, torch.float32, (6, 8, 5), chance)
    large = random_values(torch, torch.float32, (50, 60), chance)
    image = random_values(torch, torch.float32, (2, 3, 9, 25), chance)
    numbers = random_values(torch, torch.complex64, (4, 5), chance)
    yield "transposed", base.transpose(0, 2)
    yield "transposed, large", large.t()
    yield "expanded", base[:, :1, :1].expand(6, 8, 5)
    yield "expanded, large", torch.tensor([1.5]).expand(2000, 3)
    yield "channels last", image.contiguous(memory_format=torch.channels_last)
    yield "strided", large[3:40:7, ::11]
    yield "overlapping", base.reshape(-1).as_strided((30, 50), (2, 1), 5)
    yield "conj", numbers.conj()
    yield "conj transposed", numbers.mH
    yield "conj, large", random_values(torch, torch.complex128, (60, 60), chance).conj()
    yield "conj 0-d", torch.tensor(1 - 2j).conj()
    yield "neg", numbers.clone().conj().imag
    yield "neg double", random_values(torch, torch.complex128, (1200,), chance).conj().imag


def parameters(torch, chance):
    for shape in [(), (3,), (2, 5), (1200,), (0,)]:
        value = random_values(torch, torch.float32, shape, chance)
        yield f"parameter {shape}", torch.nn.Parameter(value)
        yield f"frozen {shape}", torch.nn.Parameter(value, requires_grad=False)
        yield f"requires_grad {shape}", value.clone().requires_grad_()
    yield "half parameter", torch.nn.Parameter(random_values(torch, torch.float16, (4, 4), chance))
    yield "wide parameter", torch.nn.Parameter(torch.ones(8, dtype=torch.bfloat16))
    marked = torch.nn.Parameter(torch.ones(2))
    marked.note = "kept"
    yield "parameter with an attribute", marked
    yield "buffer", torch.nn.Buffer(torch.ones(3))


def quantized(torch, chance):
    def values(*shape):
        return random_values(torch, torch.float32, shape, chance).nan_to_num(0, 9, -9)

    def per_channel(value, axis, dtype, scales=None):
        count = value.shape[axis]
        scales = torch.rand(count, dtype=torch.float64) + 0.01 if scales is None else scales
        points = torch.randint(0, 9, (count,))
        if dtype in (torch.quint4x2, torch.quint2x4) or scales.dtype == torch.float32:
            points = torch.rand(count)
        return torch.quantize_per_channel(value, scales, points, axis, dtype)

    for dtype in (torch.qint8, torch.quint8, torch.qint32):
        for shape in [(), (3,), (3, 4), (70, 20), (0,)]:
            value = torch.quantize_per_tensor(values(*shape), chance.uniform(0.01, 2), 3, dtype)
            yield f"{dtype} {shape}", value
        yield f"{dtype} by row", per_channel(values(3, 4), 0, dtype)
        yield f"{dtype} by column", per_channel(values(3, 4), 1, dtype)
        yield f"{dtype} by row, large", per_channel(values(9, 200), 0, dtype)
        yield f"{dtype} by column, large", per_channel(values(9, 8, 20), 1, dtype)
    yield "float parameters", per_channel(values(3, 4), 0, torch.quint8, torch.rand(3) + 0.1)
    yield "many channels", per_channel(values(1100, 2), 0, torch.qint8)
    for dtype in (torch.quint4x2, torch.quint2x4):
        for shape in [(3, 4), (3, 5), (40, 33)]:
            yield f"{dtype} {shape}", per_channel(values(*shape), 0, dtype, torch.rand(shape[0]) + 0.1)
    whole = torch.quantize_per_tensor(torch.arange(8.0), 1.0, 0, torch.qint8)
    yield "quantized to whole numbers", whole
    yield "quantized, transposed", torch.quantize_per_tensor(values(3, 4), 0.1, 0, torch.qint8).t()


def sparse(torch, chance):
    def matrix(rows, columns, dtype=torch.float32, density=0.3):
        keep = torch.tensor([chance.random() < density for _ in range(rows * columns)])
        return random_values(torch, dtype, (rows, columns), chance) * keep.reshape(rows, columns)

    for dtype in (torch.float32, torch.float64, torch.int64, torch.int32, torch.complex64, torch.bfloat16):
        yield f"coo {dtype}", matrix(4, 6, dtype).to_sparse()
    yield "coo, large", matrix(90, 90).to_sparse()
    yield "coo, hybrid", random_values(torch, torch.float32, (3, 4, 2), chance).to_sparse(1)
    yield "coo, empty", torch.zeros(3, 3).to_sparse()
    yield "coo, no size", torch.zeros(0, 3, dtype=torch.float64).to_sparse()
    yield "coo, requires_grad", matrix(3, 3).to_sparse().requires_grad_()
    yield "coo, uncoalesced", torch.sparse_coo_tensor([[0, 0, 1]], [1.0, 2.0, 3.0], (3,))
    yield "coo scalar", torch.tensor(2.5).to_sparse()
    for layout in ("csr", "csc"):
        method = f"to_sparse_{layout}"
        yield layout, getattr(matrix(4, 6), method)()
        yield f"{layout}, double", getattr(matrix(4, 6, torch.float64), method)()
        yield f"{layout}, large", getattr(matrix(80, 80), method)()
        yield f"{layout}, empty", getattr(torch.zeros(3, 3), method)()
    for layout in ("bsr", "bsc"):
        method = f"to_sparse_{layout}"
        yield layout, getattr(matrix(4, 6), method)((2, 3))
        yield f"{layout}, double", getattr(matrix(4, 6, torch.float64), method)((2, 2))
    yield "csr parameter", torch.nn.Parameter(matrix(4, 4).to_sparse_csr())


def unusual(torch, chance):
    for dtype in (torch.float32, torch.float16, torch.int64, torch.bool):
        yield f"meta {dtype}", torch.empty((2, 3), dtype=dtype, device="meta")
    yield "meta parameter", torch.nn.Parameter(torch.empty((20, 30), dtype=torch.bfloat16, device="meta"))
    yield "meta 0-d", torch.empty((), device="meta")

    def rows(*sizes, dtype=torch.float32):
        return [random_values(torch, dtype, size, chance) for size in sizes]

    yield "nested", torch.nested.nested_tensor(rows((2, 3), (1, 3)))
    yield "nested, double", torch.nested.nested_tensor(rows((4,), (30,), dtype=torch.float64))
    yield "nested, large", torch.nested.nested_tensor(rows((40, 40), (2, 2), (1, 1)))
    yield "nested, transposed", torch.nested.nested_tensor(rows((2, 3), (1, 3))).transpose(1, 2)
    yield "nested, an empty row", torch.nested.nested_tensor(rows((0, 3), (1, 3)))
    yield "nested parameter", torch.nested.nested_tensor(rows((2,), (1,))).requires_grad_()
    jagged = rows((2, 3), (1, 3))
    yield "jagged", torch.nested.nested_tensor(jagged, layout=torch.jagged)


def all_tensors(torch, chance):
    """(what it is, tensor), the same for the same state of `chance`."""
    yield from plain(torch, chance)
    yield from edges(torch)
    yield from views(torch, chance)
    yield from parameters(torch, chance)
    yield from quantized(torch, chance)
    yield from sparse(torch, chance)
    yield from unusual(torch, chance)
