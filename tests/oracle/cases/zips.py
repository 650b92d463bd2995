# SPDX-License-Identifier: Apache-2.0
"""Options of torch.save that change the archive rather than the pickle."""

import contextlib

import torch

from registry import add


def weights():
    return {
        "a": torch.arange(5, dtype=torch.uint8),
        "empty": torch.empty(0),
        "b": torch.arange(7.0),
        "c": torch.arange(1000, dtype=torch.int64),
    }


@contextlib.contextmanager
def without_crc():
    torch.serialization.set_crc32_options(False)
    try:
        yield
    finally:
        torch.serialization.set_crc32_options(True)


def aligned(alignment):
    @contextlib.contextmanager
    def saving():
        from torch.utils.serialization import config

        config.save.storage_alignment = alignment
        try:
            yield
        finally:
            config.save.storage_alignment = 64

    return saving


def skipping():
    return torch.serialization.skip_data()


def materializing():
    return torch.serialization.skip_data(materialize_fake_tensors=True)


def fakes(device):
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        return {"weight": torch.empty(2, 3, device=device), "bias": torch.empty(2, device=device)}


add("zip/without-crc", weights, since=(2, 6), saving=without_crc)
for _alignment in (1, 4, 128, 4096, 32768):
    add(f"zip/aligned-to-{_alignment}", weights, since=(2, 7), saving=aligned(_alignment))
add("zip/aligned-to-4096-in-archive", weights, since=(2, 7), saving=aligned(4096), buffer=True)
add("zip/skipped-data", weights, since=(2, 6), saving=skipping)
add("zip/fake-tensors-on-cpu", lambda: fakes("cpu"), since=(2, 6), saving=materializing)
add("zip/fake-tensors-on-cuda", lambda: fakes("cuda:0"), since=(2, 6), saving=materializing)
