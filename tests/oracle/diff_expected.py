# SPDX-License-Identifier: Apache-2.0
"""What PyTorch finds where two tensors differ, in the form of an item of `ptsd diff --json`."""

import dataclasses
import math
import re

import diff_tensors


@dataclasses.dataclass(frozen=True)
class Mode:
    """What counts as equal, for PyTorch and for ptsd."""

    words: tuple
    rtol: float = 0.0
    atol: float = 0.0
    equal_nan: bool = True
    close: bool = False
    bits: bool = False


@dataclasses.dataclass
class Finding:
    mismatched: int
    numel: int
    max_abs: tuple = None  # value, index
    max_rel: tuple = None


GREATEST = re.compile(r"Greatest (\w+) difference: (\S+) at index \(([\d, ]*)\)")
COUNT = re.compile(r"Mismatched elements: (\d+) / (\d+)")


def is_float8(dtype):
    return dtype.is_floating_point and dtype.itemsize == 1


def flat(tensor):
    return tensor.detach().resolve_conj().resolve_neg().reshape(-1)


class Oracle:
    def __init__(self, torch):
        self.torch = torch
        self.parsed = 0  # findings that assert_close wrote

    def same_bits(self, a, b):
        a, b = flat(a), flat(b)
        if a.dtype.is_complex:
            return self.same_bits(*map(self.torch.view_as_real, (a, b))).view(-1, 2).all(1)
        bits = diff_tensors.bits_dtype(self.torch, a.dtype)
        return a.view(bits) == b.view(bits)

    def common(self, a, b):
        """Both in the dtype they are compared in; None where PyTorch has none."""
        torch = self.torch
        dtypes = [tensor.dtype for tensor in (a, b)]
        if dtypes[0] == dtypes[1]:
            return (a.float(), b.float()) if is_float8(dtypes[0]) else (a, b)
        # assert_close takes int64, where large numbers wrap around.
        naturals = {torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64}
        if torch.uint64 in dtypes and naturals.issuperset(dtypes):
            return a.to(torch.uint64), b.to(torch.uint64)
        unsigned = (torch.uint16, torch.uint32, torch.uint64)
        dtypes = [torch.int64 if dtype in unsigned else dtype for dtype in dtypes]
        # PyTorch promotes no float8; its numbers are those of float32.
        dtypes = [torch.float32 if is_float8(dtype) else dtype for dtype in dtypes]
        dtype = torch.promote_types(*dtypes)
        return a.to(dtype), b.to(dtype)

    def find(self, a, b, mode):
        """A Finding, or None where all elements match."""
        torch = self.torch
        shape = a.shape
        same_bits = None
        if mode.bits:
            same_bits = self.same_bits(*((a, b) if a.dtype == b.dtype else self.common(a, b)))
        rtol, atol = mode.rtol, mode.atol
        if mode.close:
            rtol, atol = torch.testing._comparison.default_tolerances(a, b)
        said = None if mode.bits else self.said(a, b, rtol, atol, mode.equal_nan)
        a, b = (flat(tensor) for tensor in self.common(a, b))
        matches = same_bits
        if not mode.bits:
            matches = torch.isclose(a, b, rtol=rtol, atol=atol, equal_nan=mode.equal_nan)
        if matches.all():
            assert said is None, said
            return None
        greatest = self.greatest(a, b, matches, shape)
        return said or Finding(int((~matches).sum()), a.numel(), *greatest)

    def on_edge(self, a, b, mode):
        """How many complex elements are as far apart as is allowed, or an ulp from it."""
        if mode.bits or not (a.dtype.is_complex or b.dtype.is_complex):
            return 0
        rtol, atol = mode.rtol, mode.atol
        if mode.close:
            rtol, atol = self.torch.testing._comparison.default_tolerances(a, b)
        dtype = str(self.common(a, b)[0].dtype)[6:]
        slack = {"complex32": 2e-3, "complex64": 3e-7, "complex128": 1e-15}[dtype]
        least = 0
        if dtype == "complex32":  # of which small numbers are 2^-24 apart, and rtol becomes one
            slack += 2**-25 / rtol if rtol else 0
            least = 2**-24
        a, b = (flat(tensor).to(self.torch.complex128) for tensor in (a, b))
        difference = (a - b).abs()
        allowed = atol + (rtol * b).abs()
        return int(((difference - allowed).abs() <= slack * allowed + least).sum())

    def said(self, a, b, rtol, atol, equal_nan):
        """What assert_close says, if it says it all; what it computes wrongly is left out."""
        exact = a.dtype == b.dtype and a.dtype.itemsize < 8
        try:
            self.torch.testing.assert_close(
                a, b, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False
            )
        except AssertionError as error:
            text = str(error)
        except (RuntimeError, TypeError):
            return None
        else:
            return None
        count = COUNT.search(text)
        found = {
            kind: (float(value), [int(part) for part in index.split(",") if part])
            for kind, value, index in GREATEST.findall(text)
        }
        floats = a.dtype.is_floating_point and b.dtype.is_floating_point
        if not count or len(found) != 2 or not (exact or floats) or a.dtype.is_complex:
            return None
        self.parsed += 1
        return Finding(int(count[1]), int(count[2]), found["absolute"], found["relative"])

    def greatest(self, a, b, matches, shape):
        """As make_tensor_mismatch_msg; integers without its overflow."""
        torch = self.torch
        if not (a.dtype.is_floating_point or a.dtype.is_complex):
            return self.greatest_of_integers(a, b, matches, shape)
        absolute = self.size(self.difference(a, b))
        relative = absolute / self.size(b)
        return [self.place(values, matches, shape) for values in (absolute, relative)]

    def difference(self, a, b):
        """a - b, part by part: that of complex tensors multiplies b by 1, in which infinities
        become NaN, depending on where the number stands."""
        if not a.dtype.is_complex:
            return a - b
        parts = [self.torch.view_as_real(values) for values in (a, b)]
        return self.torch.view_as_complex(parts[0] - parts[1])

    def size(self, values):
        """As abs(), which for a complex number with an infinite part and a NaN is the one or the
        other, depending on where the number stands."""
        if not values.dtype.is_complex:
            return values.abs()
        parts = self.torch.view_as_real(values)
        wide = parts.float() if values.dtype == self.torch.complex32 else parts
        sizes = self.torch.hypot(wide[:, 0], wide[:, 1]).to(parts.dtype)
        return sizes.masked_fill(parts.isinf().any(1), math.inf)

    def greatest_of_integers(self, a, b, matches, shape):
        torch = self.torch
        pairs = list(zip(a.tolist(), b.tolist()))
        distances = [
            -1 if match else abs(int(x) - int(y)) for (x, y), match in zip(pairs, matches.tolist())
        ]
        most = max(distances)
        sizes = torch.tensor([float(abs(int(y))) for _, y in pairs])
        relative = torch.tensor([float(distance) for distance in distances]) / sizes
        return [
            (most, self.index(distances.index(most), shape)),
            self.place(relative, matches, shape),
        ]

    def place(self, values, matches, shape):
        """The greatest of the mismatches and where it is; -1 lies below a difference of 0."""
        values[matches] = -1
        value, number = self.torch.max(values, 0)
        return value.item(), self.index(int(number), shape)

    @staticmethod
    def index(number, shape):
        index = []
        for size in reversed(shape):
            number, at = divmod(number, size)
            index.insert(0, at)
        return index


def same_number(one, other, slack):
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or (math.isfinite(one) and math.isclose(one, other, rel_tol=slack))
