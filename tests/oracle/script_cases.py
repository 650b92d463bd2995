# SPDX-License-Identifier: Apache-2.0
"""Writes TorchScript archives, and what torch.jit.load finds in each: `script_cases.py FOLDER`.

Runs under every PyTorch that is there. Beside NAME.pt lies NAME.state.pt, its state dict saved by
torch.save, and NAME.json, what it says of its tensors in their order.
"""

import json
import os
import sys
import warnings
from typing import Dict, List, Optional

import torch


class Leaf(torch.nn.Module):
    """An attribute of every kind."""

    nested: Dict[str, List[int]]
    maybe: Optional[torch.Tensor]

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 3)
        self.register_buffer("counts", torch.arange(3.0))
        self.register_buffer("passing", torch.ones(2), persistent=False)
        self.plain = torch.ones(2) * 5
        self.nothing = None
        self.names = ["a", "b"]
        self.table = {"x": torch.zeros(1), "y": torch.ones(1)}
        self.nested = {"k": [1, 2], "l": []}
        self.tensors = [torch.ones(1), torch.zeros(2)]
        self.floats = [0.5, 1.5]
        self.flags = [True, False]
        self.pair = (1, "two", None)
        self.number = 3
        self.large = 1 << 40
        self.maybe = torch.full((2,), 7.0)

    def forward(self, x):
        constant = torch.tensor([1.0, 2.0, 3.0])
        return self.linear(x) + self.counts + constant + self.plain.sum() + self.number


class Tree(torch.nn.Module):
    """Submodules at every depth, one of them twice, and tied parameters."""

    def __init__(self):
        super().__init__()
        self.leaf = Leaf()
        self.again = self.leaf
        self.sequence = torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Sequential(torch.nn.ReLU()))
        self.by_key = torch.nn.ModuleDict({"k": torch.nn.Linear(1, 1, bias=False)})
        self.by_index = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])
        self.weight = torch.nn.Parameter(torch.ones(2), requires_grad=False)
        self.tied = self.leaf.linear.weight
        self.off = None
        self.register_parameter("absent", None)
        self.register_buffer("bytes", torch.zeros(2, dtype=torch.uint8))
        self.register_buffer("view", torch.arange(12.0).reshape(3, 4).t()[1:3])

    def forward(self, x):
        return self.leaf(x) + self.again(x) + self.by_key["k"](x[:, :1]) + self.weight.sum()


class Flow(torch.nn.Module):
    """One that can be frozen: its tensors become constants."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 3)
        self.linear = torch.nn.Linear(3, 4)

    def forward(self, x):
        return self.linear(torch.relu(self.conv(x))) + torch.tensor([1.0, 2.0, 3.0, 4.0])


class Kinds(torch.nn.Module):
    """Tensors of all dtypes that there are, sparse and quantised ones."""

    def __init__(self):
        super().__init__()
        for name in ("float64 float16 bfloat16 complex32 complex64 complex128 int8 int16 int32 int64 "
                     "bool uint8 uint16 uint32 uint64 float8_e5m2 float8_e4m3fn").split():
            dtype = getattr(torch, name, None)
            # 1.13 has complex32, and cannot save it.
            if dtype and (name != "complex32" or hasattr(torch, "uint16")):
                self.register_buffer("of_" + name, torch.arange(3.0).to(dtype))
        self.register_buffer("coo", torch.eye(3).to_sparse())
        self.register_buffer("csr", torch.eye(3).to_sparse_csr())
        self.register_buffer("quantized", torch.quantize_per_tensor(torch.ones(2), 0.1, 0,
                                                                    torch.qint8))
        self.register_buffer("by_channel", torch.quantize_per_channel(
            torch.ones(2, 2), torch.full((2,), 0.1), torch.zeros(2, dtype=torch.int64), 0,
            torch.quint8))
        self.number = 1 + 2j
        self.device = torch.device("cpu")

    def forward(self, x):
        return x


class Quantized(torch.nn.Module):
    """Weights that are packed in an object of C++."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(x)


def quantized():
    return torch.quantization.quantize_dynamic(Quantized().eval(), {torch.nn.Linear})


def archives():
    """Name, how to write it."""
    tree = torch.jit.script(Tree())
    yield "script", tree.save
    yield "trace", torch.jit.trace(Tree(), torch.zeros(1, 2)).save
    yield "lite", tree._save_for_lite_interpreter
    yield "frozen", torch.jit.freeze(torch.jit.script(Flow().eval())).save
    yield "kinds", torch.jit.script(Kinds()).save
    yield "empty", torch.jit.script(torch.nn.ReLU()).save
    if torch.backends.quantized.supported_engines[-1:] != ["none"]:
        yield "quantized", torch.jit.script(quantized()).save


def main(folder):
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, write in archives():
        path = os.path.join(folder, name)
        write(path + ".pt")
        module = torch.jit.load(path + ".pt")
        state = module.state_dict()
        variables = module.state_dict(keep_vars=True)
        torch.save(state, path + ".state.pt")
        tensors = [{"name": key, "shape": list(tensor.shape),
                    "dtype": str(tensor.dtype).replace("torch.", ""),
                    "requires_grad": variables[key].requires_grad}
                   for key, tensor in state.items()]
        with open(path + ".json", "w") as file:
            json.dump(tensors, file)


if __name__ == "__main__":
    main(sys.argv[1])
