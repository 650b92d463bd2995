# SPDX-License-Identifier: Apache-2.0
"""ptsd casts to the bits that torch's .to() gives on a CPU.

    python convert_test.py CONVERT [--seed N] [--here]

CONVERT is the program built from convert.cc. All patterns of the 8- and 16-bit dtypes, random
patterns of float32 and float64, and whatever lies around ties and around the end of a range, go to
every dtype.

torch disagrees with itself about NaN, from processor to processor and within one: vectorised loops
make 0xFFFF where the scalar bfloat16 has 0x7FC0, and 0x7FFFFFFF of a float16 NaN at the end of a
loop; without the instructions of F16C a float16 NaN is 0x7E00 and loses its payload. ptsd gives
what torch gives where F16C is (any x86 processor since 2013) for a tensor with gaps, which takes
the scalar way: to the bit, NaN included. For the same tensor without gaps a NaN must be one, and
nothing else may differ.
"""

import argparse
import subprocess
import sys
import warnings

import interpreters
import seeds

try:
    import numpy as np
    import torch
except ImportError:
    torch = None

FLOATS = """float64 float32 float16 bfloat16 float8_e5m2 float8_e4m3fn float8_e5m2fnuz
            float8_e4m3fnuz float8_e8m0fnu""".split()
COMPLEX = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}
SIGNED = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}
# Where vectorised loops make another NaN.
VECTOR_NANS = {
    ("float64", "bfloat16"),
    ("float32", "bfloat16"),
    ("float16", "float32"),
    ("complex32", "complex64"),
}


def size_of(name):
    return torch.empty(0, dtype=getattr(torch, name)).element_size()


def as_tensor(bits, name):
    size = bits.dtype.itemsize
    return torch.from_numpy(bits.view(SIGNED[size])).view(getattr(torch, name))


def as_bits(tensor, size):
    """The bits of each element, or of each component of a complex one."""
    return tensor.contiguous().view(torch.uint8).numpy().view(UNSIGNED[size])


def is_nan(bits, name):
    return torch.isnan(as_tensor(bits, name).to(torch.float64)).numpy()


def values_of(name):
    """All numbers of an 8- or 16-bit dtype as float64, sorted, and the next two beyond each end."""
    size = size_of(name)
    codes = np.arange(2 ** (8 * size), dtype=UNSIGNED[size])
    values = as_tensor(codes, name).to(torch.float64).numpy()
    values = np.unique(values[np.isfinite(values)])
    last = values[-1]
    step = last - values[-2]
    return np.unique(np.concatenate([values, [last + step, last + 2 * step], [-last - step]]))


def around(bits, distances):
    offsets = np.array(distances, dtype=np.int64).astype(bits.dtype)
    return (bits[:, None] + offsets[None, :]).ravel()


def edges(name, generator):
    """Patterns of a float32 or float64 around every number of the narrower dtypes and every tie."""
    kind = {"float32": np.float32, "float64": np.float64}[name]
    distances = [-2, -1, 0, 1, 2]
    if name == "float64":  # also where float32 rounds on to a tie
        distances += [s * ((1 << p) + d) for p in (28, 29) for d in (-1, 0, 1) for s in (-1, 1)]
    parts = []
    for target in FLOATS[2:]:
        values = values_of(target)
        ties = (values[1:] + values[:-1]) / 2
        bits = np.concatenate([values, ties]).astype(kind).view(UNSIGNED[kind().itemsize])
        parts.append(around(bits, distances))
    if name == "float64":
        near = generator.integers(0, 2**32, 500_000, dtype=np.uint32).view(np.float32)
        wide = near.astype(np.float64).view(np.uint64)
        parts.append(wide + generator.integers(0, 2**29, wide.size, dtype=np.uint64))
        parts.append(around(np.array([0x47EFFFFFF0000000, 0x47EFFFFFE0000000], np.uint64), distances))
    return np.concatenate(parts)


def patterns(name, generator):
    size = size_of(name)
    if size <= 2:
        return np.arange(2 ** (8 * size), dtype=UNSIGNED[size])
    count = {4: 10_000_000, 8: 1_000_000}[size]
    random = generator.integers(0, 2 ** (8 * size), count, dtype=UNSIGNED[size])
    return np.concatenate([random, edges(name, generator)])


def cast(program, source, target, bits, overflow="keep"):
    run = subprocess.run(
        [program, source, target, overflow], input=bits.tobytes(), capture_output=True, check=True
    )
    size = size_of(COMPLEX.get(target, target))
    return np.frombuffer(bytearray(run.stdout), UNSIGNED[size]), int(run.stderr)


def with_gaps(tensor):
    return torch.stack([tensor, tensor], 1)[:, 0]


def expected(source, target, bits, gaps):
    tensor = as_tensor(bits, COMPLEX.get(source, source))
    if source in COMPLEX:
        tensor = tensor.view(getattr(torch, source))
    tensor = with_gaps(tensor) if gaps else tensor
    result = tensor.to(getattr(torch, target))
    return as_bits(result, size_of(COMPLEX.get(target, target)))


def first(what, bits, ours, theirs, wrong):
    at = np.flatnonzero(wrong)[0]
    return f"{what}: {wrong.sum()} differ, first {bits[at]:#x} -> {ours[at]:#x}, torch {theirs[at]:#x}"


def nan_may_differ(source, target, gaps):
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT" and target in ("float16", "complex32"):
        return True
    return not gaps and (source, target) in VECTOR_NANS


def bit_problems(source, target, bits, ours):
    component = COMPLEX.get(target, target)
    for gaps in (True, False):
        theirs = expected(source, target, bits, gaps)
        wrong = ours != theirs
        if nan_may_differ(source, target, gaps):
            wrong &= ~(is_nan(ours, component) & is_nan(theirs, component))
        if wrong.any():
            yield first(f"{source} to {target}, gaps: {gaps}", bits, ours, theirs, wrong)


def leavers(source, target, bits, ours):
    """Which finite values left the range of the target."""
    before = as_tensor(bits, COMPLEX.get(source, source)).to(torch.float64)
    after = as_tensor(ours, COMPLEX.get(target, target)).to(torch.float64)
    left = torch.isfinite(before) & ~torch.isfinite(after)
    narrow = before.to(torch.float32)
    if target == "float8_e8m0fnu":
        left |= torch.isfinite(before) & (narrow < 0)
    if target == "float8_e4m3fn":  # which has the largest number for them
        left |= torch.isfinite(before) & (narrow.abs() > 464)
    return left.numpy()


def saturation_problems(program, source, target, bits, kept, left):
    """What left is at the end of the range on its side, and nothing else differs."""
    saturated, count = cast(program, source, target, bits, "saturate")
    name = COMPLEX.get(target, target)
    if count != left.sum():
        yield f"{source} to {target}: {count} said to be saturated, {left.sum()} left"
    if (saturated != kept)[~left].any():
        yield f"{source} to {target}: saturating changed what was in range"
    if not left.any():
        return
    before = as_tensor(bits, COMPLEX.get(source, source)).to(torch.float64).numpy()[left]
    after = as_tensor(saturated, name).to(torch.float64).numpy()[left]
    largest = torch.finfo(getattr(torch, name)).max
    least = 2.0**-127 if name == "float8_e8m0fnu" else -largest
    if (after != np.where(before < 0, least, largest)).any():
        yield f"{source} to {target}: a saturated value is not the last of its side"


def problems_of(program, source, target, bits):
    ours, count = cast(program, source, target, bits)
    yield from bit_problems(source, target, bits, ours)
    left = leavers(source, target, bits, ours)
    if count != left.sum():
        yield f"{source} to {target}: {count} said to have left the range, {left.sum()} did"
    yield from saturation_problems(program, source, target, bits, ours, left)


def check(program, seed):
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")
    generator = np.random.default_rng(seed)
    casts, found = 0, 0
    for names, component in ((FLOATS, lambda n: n), (COMPLEX, COMPLEX.get)):
        for source in names:
            bits = patterns(component(source), generator)
            bits = bits[: bits.size // 2 * 2]
            for target in names:
                casts += 1
                for problem in problems_of(program, source, target, bits):
                    found += 1
                    print(problem)
    print(f"seed {seed}: {casts} casts, {found} problems")
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    seeds.add_seed(parser)
    parser.add_argument("--here", action="store_true", help="with this interpreter's torch")
    arguments = parser.parse_args()
    if not arguments.here:
        python = interpreters.require("new", "casts compared with torch")
        command = [python, "-B", __file__, arguments.program, "--here"]
        return subprocess.run([*command, "--seed", str(arguments.seed)]).returncode
    return check(arguments.program, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
