# SPDX-License-Identifier: Apache-2.0
"""Rewrites random views with --shrink, --untie and --contiguous, and asks PyTorch what became of them.

    python layouts_test.py PTSD [--seed N] [--rounds N]

Values stay; what shares memory goes on sharing it, to the element, unless it is untied; a shrunk
file has no larger storages. Started by any Python; runs itself again with the one that has PyTorch.
"""

import collections
import os
import random
import subprocess

import rounds

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


def check_untied(before, after):
    assert len({rounds.storage(tensor) for tensor in after.values()}) == len(after), "still shared"
    uses = collections.Counter(rounds.storage(tensor) for tensor in before.values())
    for name, tensor in after.items():
        if uses[rounds.storage(before[name])] > 1:
            size = tensor.numel() * tensor.element_size()
            assert tensor.is_contiguous() and tensor.untyped_storage().nbytes() == size, name


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
    sizes = {rounds.storage(tensor): tensor.untyped_storage().nbytes() for tensor in state.values()}
    return sum(sizes.values())


def check(torch, before, after, edit, chance):
    assert list(before) == list(after), "other names"
    for name, tensor in before.items():
        assert after[name].dtype == tensor.dtype and torch.equal(after[name], tensor), name
    if "--untie" in edit:
        check_untied(before, after)
    else:
        rounds.check_sharing(before, after)
        if "--contiguous" not in edit:
            check_aliases(torch, before, after, chance)
    if "--contiguous" in edit:
        assert all(tensor.is_contiguous() for tensor in after.values()), "not contiguous"
    if edit == ["--shrink"]:
        assert storage_bytes(after) <= storage_bytes(before), "larger"


def run(options, folder):
    import torch

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


if __name__ == "__main__":
    rounds.main(__file__, __doc__, 40, run)
