# SPDX-License-Identifier: Apache-2.0
"""Rewrites random views with --shrink, --untie and --contiguous, and asks PyTorch what became of them.

    python layouts_test.py PTSD [--seed N] [--rounds N]

Values stay; what shares memory goes on sharing it, to the element, unless it is untied; a shrunk
file has no larger storages. Started by any Python; runs itself again with the one that has PyTorch.
"""

import argparse
import collections
import os
import random
import subprocess
import sys
import tempfile

import interpreters

EDITS = [
    ["--shrink"],
    ["--untie"],
    ["--contiguous"],
    ["--contiguous", "--shrink"],
    ["--untie", "--contiguous", "--shrink"],
]


def random_view(torch, base, chance):
    """Some elements of a one-dimensional tensor, at any strides; none twice in vain."""
    while True:
        rank = chance.randint(0, 4)
        shape = [chance.choice([0, 1, 1, 2, 3, 4, 5, 7]) for _ in range(rank)]
        stride = [chance.choice([0, 1, 1, 2, 3, 5, 6, 10, 24, 60]) for _ in range(rank)]
        offset = chance.randint(0, len(base) - 1)
        last = offset + sum((size - 1) * step for size, step in zip(shape, stride) if size)
        if 0 in shape or last < len(base):
            return base.as_strided(shape, stride, offset)


def random_state(torch, chance):
    dtypes = [torch.float32, torch.uint8, torch.int64, torch.bfloat16, torch.complex64]
    state = {}
    for number in range(chance.randint(1, 3)):
        base = torch.arange(chance.choice([6, 24, 120, 5000])).to(chance.choice(dtypes))
        for view in range(chance.randint(1, 4)):
            shared = state and chance.random() < 0.3
            state[f"{number}.{view}"] = (
                chance.choice(list(state.values())) if shared else random_view(torch, base, chance)
            )
    return state


def storage(tensor):
    return tensor.untyped_storage()._cdata


def check_untied(before, after):
    assert len({storage(tensor) for tensor in after.values()}) == len(after), "still shared"
    uses = collections.Counter(storage(tensor) for tensor in before.values())
    for name, tensor in after.items():
        if uses[storage(before[name])] > 1:
            size = tensor.numel() * tensor.element_size()
            assert tensor.is_contiguous() and tensor.untyped_storage().nbytes() == size, name


def check_sharing(before, after):
    for one in before:
        # PyTorch makes an empty storage anew for each tensor.
        if not after[one].untyped_storage().nbytes():
            continue
        for other in before:
            shared = storage(before[one]) == storage(before[other])
            assert shared == (storage(after[one]) == storage(after[other])), (one, other)


def check_aliases(torch, before, after, chance):
    """A write through one tensor shows in the same others as before."""
    for name, tensor in before.items():
        if not tensor.numel():
            continue
        at = tuple(chance.randrange(size) for size in tensor.shape)
        saved, saved_after = tensor[at].clone(), after[name][at].clone()
        tensor[at] = 1
        after[name][at] = 1
        for other in before:
            assert torch.equal(before[other], after[other]), (name, other)
        tensor[at] = saved
        after[name][at] = saved_after


def storage_bytes(state):
    sizes = {storage(tensor): tensor.untyped_storage().nbytes() for tensor in state.values()}
    return sum(sizes.values())


def check(torch, before, after, edit, chance):
    assert list(before) == list(after), "other names"
    for name, tensor in before.items():
        assert after[name].dtype == tensor.dtype and torch.equal(after[name], tensor), name
    if "--untie" in edit:
        check_untied(before, after)
    else:
        check_sharing(before, after)
        if "--contiguous" not in edit:
            check_aliases(torch, before, after, chance)
    if "--contiguous" in edit:
        assert all(tensor.is_contiguous() for tensor in after.values()), "not contiguous"
    if edit == ["--shrink"]:
        assert storage_bytes(after) <= storage_bytes(before), "larger"


def run(options, folder):
    import torch

    torch.set_num_threads(1)
    done = refused = 0
    source, target = os.path.join(folder, "in.pt"), os.path.join(folder, "out.pt")
    for number in range(options.rounds):
        chance = random.Random(f"{options.seed}/{number}")
        state = random_state(torch, chance)
        torch.save(state, source)
        for edit in EDITS:
            words = [options.ptsd, "rewrite", source, "-o", target, "--force", *edit]
            answer = subprocess.run(words, capture_output=True, text=True)
            if answer.returncode != 0:
                assert "--contiguous" in edit and "shares its storage" in answer.stderr, answer
                refused += 1
                continue
            check(torch, state, torch.load(target), edit, chance)
            done += 1
    print(f"{done} edits are what they should be, {refused} refused")
    assert done >= options.rounds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    if not options.here:
        python = interpreters.require("new", "layouts as PyTorch sees them")
        print(f"seed {options.seed}", flush=True)
        words = ["--seed", str(options.seed), "--rounds", str(options.rounds), "--here"]
        sys.exit(subprocess.run([python, "-B", __file__, options.ptsd, *words]).returncode)
    with tempfile.TemporaryDirectory(prefix="ptsd-layouts-") as folder:
        run(options, folder)


if __name__ == "__main__":
    main()
