# SPDX-License-Identifier: Apache-2.0
"""A program of torch.export, and a package of torch.package."""

import torch
from torch import nn


class Program(nn.Module):
    """Tied weights, a transposed buffer, one that does not persist, and a constant."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 3)
        self.tied = self.head.weight
        self.register_buffer("turned", torch.arange(6.0).reshape(2, 3).t())
        self.register_buffer("passing", torch.ones(3), persistent=False)

    def forward(self, x):
        return self.head(x) + self.turned.sum() + self.passing + torch.tensor([1.0, 2.0, 3.0])


def save_program(path):
    program = torch.export.export(Program(), (torch.zeros(1, 2),))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # the paths of files here
    torch.export.save(program, path)


def save_package(path):
    head = nn.Linear(2, 3)
    with torch.package.PackageExporter(path) as exporter:
        exporter.extern("**")
        exporter.save_pickle("model", "model.pkl", head)
        exporter.save_pickle("model", "weights.pkl", {"head": head.weight.detach(), "step": 7})
        exporter.save_text("notes", "readme.txt", "A linear layer.")
