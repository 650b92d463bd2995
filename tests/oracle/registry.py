# SPDX-License-Identifier: Apache-2.0
"""The table of checkpoints that real PyTorch writes, and how a row gets into it."""

import contextlib
import dataclasses
from typing import Any, Callable

import torch

TORCH = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])


@dataclasses.dataclass
class Case:
    name: str
    build: Callable[[], Any]
    filename: str
    since: tuple  # the first PyTorch release that can write it
    until: tuple  # the last one
    protocol: int = 2
    buffer: bool = False  # saved through a file object: the archive's root is `archive`
    saving: Callable = contextlib.nullcontext  # a context manager around torch.save
    spelled: bool = True  # whether its keys have a spelling; else only the rest is compared

    @property
    def available(self):
        return self.since <= TORCH <= self.until

    def save(self, path):
        torch.manual_seed(0)
        value = self.build()
        with self.saving():
            if self.buffer:
                with open(path, "wb") as file:
                    torch.save(value, file, pickle_protocol=self.protocol)
            else:
                torch.save(value, path, pickle_protocol=self.protocol)


CASES = {}


def add(name, build, *, since=(1, 13), until=(99, 0), filename=None, **options):
    if name in CASES:
        raise ValueError(f"two cases are called {name!r}")
    filename = filename or name.replace("/", ".") + ".pt"
    CASES[name] = Case(name, build, filename, since, until, **options)


def case(prefix, **options):
    """Registers the decorated function as PREFIX/its-name-with-dashes."""

    def register(build):
        add(f"{prefix}/{build.__name__.replace('_', '-')}", build, **options)
        return build

    return register
