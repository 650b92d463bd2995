# SPDX-License-Identifier: Apache-2.0
"""Pairs of tensors that differ here and there: every dtype and layout that PyTorch can save."""

import math

INTEGERS = ["bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "bfloat16", "float32", "float64"]
FLOAT8 = ["float8_e5m2", "float8_e4m3fn", "float8_e5m2fnuz", "float8_e4m3fnuz", "float8_e8m0fnu"]
COMPLEX = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
DTYPES = [*INTEGERS, *FLOATS, *FLOAT8, *COMPLEX]
SHAPES = [(), (1,), (7,), (3, 5), (2, 3, 4), (2, 3, 4, 5), (513,), (40, 30), (1500,), (70000,)]
EMPTY = [(0,), (2, 0, 3)]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-3, math.inf, -math.inf, math.nan, 3e38, 65504.0]
# (rtol, atol) at the edge of which some of the values lie.
TOLERANCES = [(0.0, 0.01), (0.25, 0.0), (1e-3, 1e-5), (0.016, 1e-5), (1.3e-6, 1e-5)]


def bits_dtype(torch, dtype):
    return {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[dtype.itemsize]


class Numbers:
    """Real numbers of one dtype, chosen and changed as bits, so that no payload of a NaN is lost."""

    def __init__(self, torch, dtype, chance):
        self.torch = torch
        self.dtype = dtype
        self.chance = chance
        self.bits = bits_dtype(torch, dtype)

    def random_bits(self, count):
        if self.dtype == self.torch.bool:
            return self.torch.randint(0, 2, (count,), dtype=self.torch.uint8)
        raw = self.torch.randint(0, 256, (count * self.dtype.itemsize,), dtype=self.torch.uint8)
        return raw.view(self.bits)

    def of(self, values):
        """The bits of the numbers of this dtype nearest to a float64 tensor."""
        torch, dtype = self.torch, self.dtype
        if dtype == torch.bool:
            return (values > 0).view(self.bits)
        if not dtype.is_floating_point:
            limits = torch.iinfo(dtype)
            top = float(limits.max) if dtype.itemsize < 8 else float(limits.max - 2047)
            values = values.nan_to_num(0, 0, 0).clamp(limits.min, top)
            values = values.to(torch.uint64 if dtype == torch.uint64 else torch.int64)
        return values.to(dtype).view(self.bits)

    def values(self, bits):
        return bits.view(self.dtype).to(self.torch.float64)

    def choose(self, count, *candidates):
        """Each element from one of the candidates."""
        which = self.torch.randint(0, len(candidates), (count,))
        result = candidates[0].clone()
        for number, candidate in enumerate(candidates):
            result[which == number] = candidate[which == number]
        return result

    def make(self, count):
        torch = self.torch
        scale = self.chance.choice([1, 1, 100, 1e4, 1e-3])
        normal = self.of(torch.randn(count, dtype=torch.float64) * scale)
        which = torch.randint(0, len(SPECIAL), (count,))
        special = self.of(torch.tensor(SPECIAL, dtype=torch.float64)[which])
        tiny = torch.randint(0, 2 if self.dtype == torch.bool else 120, (count,)).to(self.bits)
        if self.chance.random() < 0.4:
            return normal
        return self.choose(count, normal, normal, normal, self.random_bits(count), special, tiny)

    def near_edge(self, bits, tolerance):
        """About as far away as the tolerance allows, or one or two units more or less."""
        torch = self.torch
        rtol, atol = tolerance
        values = self.values(bits)
        allowed = (atol + rtol * values.abs()) * (torch.randint(0, 2, bits.shape) * 2 - 1)
        return self.stepped(self.of(values + allowed))

    def stepped(self, bits):
        if self.dtype == self.torch.bool:
            return bits
        return bits + self.torch.randint(-2, 3, bits.shape).to(self.bits)

    def changed(self, bits):
        """Other bits: how often and how much differs from call to call."""
        torch, count = self.torch, len(bits)
        kind = self.chance.random()
        if kind < 0.12:
            return bits.clone()
        if kind < 0.24:
            result = bits.clone()
            if count:
                at = self.chance.randrange(count)
                result[at] = self.make(count)[at]
            return result
        near = self.near_edge(bits, self.chance.choice(TOLERANCES))
        if kind < 0.5:
            return self.choose(count, bits, near, near)
        flipped = bits
        if self.dtype.is_floating_point and self.dtype != torch.float8_e8m0fnu:
            sign = -(2 ** (8 * self.dtype.itemsize - 1)) if self.dtype.itemsize > 1 else 128
            flipped = bits ^ torch.tensor(sign, dtype=self.bits)
        return self.choose(count, bits, bits, near, self.stepped(bits), self.make(count), flipped)


def random_pair(torch, name, shape, chance):
    """(a, b) of a dtype, contiguous."""
    dtype = getattr(torch, name)
    part = Numbers(torch, getattr(torch, COMPLEX.get(name, name)), chance)
    count = math.prod(shape) * (2 if name in COMPLEX else 1)
    b = part.make(count)
    a = part.changed(b)
    return [bits.view(part.dtype).view(dtype).reshape(shape) for bits in (a, b)]


def transposed(torch, tensor, chance):
    order = list(range(tensor.dim()))
    chance.shuffle(order)
    stored = tensor.permute(order).contiguous()
    return stored.permute([order.index(axis) for axis in range(tensor.dim())])


def sliced(torch, tensor, chance):
    """In a larger storage, with room before, between and behind."""
    sizes = [size * 2 + 1 for size in tensor.shape]
    base = torch.zeros(sizes, dtype=tensor.dtype)
    view = base[tuple(slice(1, None, 2) for _ in sizes)]
    view.copy_(tensor)
    return view


def offset(torch, tensor, chance):
    start = chance.randrange(1, 9)
    base = torch.zeros(tensor.numel() + start + chance.randrange(3), dtype=tensor.dtype)
    view = base[start : start + tensor.numel()].view(tensor.shape)
    view.copy_(tensor)
    return view


def channels_last(torch, tensor, chance):
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def conjugated(torch, tensor, chance):
    return torch.conj_physical(tensor).conj() if tensor.dtype.is_complex else tensor


def negated(torch, tensor, chance):
    # PyTorch negates a bfloat16 by way of float32, which takes the payload from a NaN.
    lossy = tensor.dtype == torch.bfloat16 and tensor.isnan().any()
    if tensor.dtype.is_floating_point and tensor.dtype.itemsize > 1 and not lossy:
        return torch._neg_view(-tensor)
    return tensor


def parameter(torch, tensor, chance):
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
        return torch.nn.Parameter(tensor, requires_grad=chance.random() < 0.5)
    return tensor


LAYOUTS = [transposed, sliced, offset, channels_last, conjugated, negated, parameter]


def laid_out(torch, tensor, chance):
    return chance.choice([lambda torch, tensor, chance: tensor, *LAYOUTS])(torch, tensor, chance)


def plain(torch, chance, rounds):
    """Of one dtype."""
    for number in range(rounds):
        for name in DTYPES:
            shape = chance.choice(SHAPES[:-1] if number else [*SHAPES[-1:], *EMPTY])
            pair = random_pair(torch, name, shape, chance)
            yield f"{name} {number}", [laid_out(torch, tensor, chance) for tensor in pair]
            if number < 2 and pair[0].numel():
                rows = [tensor.reshape(-1)[:1].expand(30) for tensor in pair]
                yield f"{name} {number}, expanded", rows


def mixed(torch, chance, rounds):
    """Of two dtypes; the numbers of one are those of the other, more or less."""
    for number in range(rounds):
        one = chance.choice(DTYPES)
        other = chance.choice(DTYPES)
        a, b = random_pair(torch, one, chance.choice(SHAPES[:-1]), chance)
        kind = chance.random()
        if kind < 0.7 and "uint64" not in (one, other):
            wide = a if a.dtype.is_complex else a.to(torch.float64)
            b = wide.to(getattr(torch, other)) if not wide.dtype.is_complex else b
        if b.dtype == a.dtype:
            _, b = random_pair(torch, other, a.shape, chance)
        pair = [laid_out(torch, tensor, chance) for tensor in (a, b)]
        yield f"{one} beside {other} {number}", pair


def sparse(torch, chance, rounds):
    """The same places, other values; now and then other places."""
    for number in range(rounds):
        name = chance.choice([*FLOATS, "int64", "complex64", "uint8"])
        values = random_pair(torch, name, (6,), chance)
        indices = torch.tensor([[0, 0, 1, 2, 3, 3], [1, 4, 2, 0, 1, 4]])
        moved = indices.clone()
        if chance.random() < 0.3:
            moved[1, 1] = 3  # within a tolerance of 0.25
        both = [(moved, values[0]), (indices, values[1])]
        if number % 2:
            crow = torch.tensor([0, 2, 3, 4, 6])
            pair = [torch.sparse_csr_tensor(crow, at[1], value, (4, 5)) for at, value in both]
        else:
            pair = [
                torch.sparse_coo_tensor(at, value, (4, 5), is_coalesced=True) for at, value in both
            ]
        yield f"sparse {number}", pair


def quantized(torch, chance, rounds):
    for number in range(rounds):
        dtype = chance.choice([torch.qint8, torch.quint8, torch.qint32])
        values = torch.randn(5, 6)
        pair = []
        for _ in range(2):
            if number % 2:
                scales = torch.full((5,), 0.1, dtype=torch.float64)
                points = torch.tensor([0, 1, 2, 3, chance.choice([4, 4, 5])])
                pair.append(torch.quantize_per_channel(values, scales, points, 0, dtype))
            else:
                scale = chance.choice([0.1, 0.1, 0.2])
                pair.append(torch.quantize_per_tensor(values, scale, 3, dtype))
            if chance.random() < 0.6:
                values = values.clone()
                values[chance.randrange(5), 2] += chance.choice([0.2, 1.0])
        yield f"quantized {number}", pair


def packed(torch, chance):
    """Two numbers in a byte: compared by the byte."""
    for number in range(4):
        one = torch.randint(0, 256, (3, 8), dtype=torch.uint8)
        other = one.clone()
        other[chance.randrange(3), :number] += 1
        yield f"packed {number}", [tensor.view(torch.float4_e2m1fn_x2) for tensor in (one, other)]
