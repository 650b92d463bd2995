# SPDX-License-Identifier: Apache-2.0
"""Sparse tensors of every layout, and nested ones."""

import torch
from torch import nn

from registry import case


def dense():
    return torch.tensor([[0.0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 4, 0], [0, 5, 0, 0]])


@case("sparse")
def coo():
    return {"s": dense().to_sparse(), "p": torch.zeros(1)}


@case("sparse")
def coo_at_the_root():
    return dense().to_sparse()


@case("sparse")
def coo_uncoalesced():
    indices = torch.tensor([[0, 0, 1], [1, 1, 0]])
    return torch.sparse_coo_tensor(indices, torch.tensor([1.0, 2.0, 3.0]), (2, 3))


@case("sparse")
def coo_hybrid():
    return {"h": torch.sparse_coo_tensor(torch.tensor([[0, 2]]), torch.randn(2, 3), (4, 3))}


@case("sparse")
def coo_empty():
    return {
        "e": torch.sparse_coo_tensor(size=(3, 4)),
        "i": torch.sparse_coo_tensor(size=(2,), dtype=torch.int64),
    }


@case("sparse")
def coo_twice():
    s = dense().to_sparse()
    return {"a": s, "b": s, "values": s.values(), "sum": torch.zeros(1)}


@case("sparse")
def coo_parameter():
    return {"p": nn.Parameter(dense().to_sparse())}


@case("sparse")
def coo_of_other_dtypes():
    return [
        dense().to(dtype).to_sparse()
        for dtype in (torch.float64, torch.int32, torch.bool, torch.complex64)
    ]


@case("sparse")
def csr():
    return {"s": dense().to_sparse_csr(), "p": torch.zeros(1)}


@case("sparse", since=(2, 0))
def csc():
    return {"s": dense().to_sparse_csc()}


@case("sparse", since=(2, 0))
def bsr():
    return {"s": dense().to_sparse_bsr((2, 2))}


@case("sparse", since=(2, 0))
def bsc():
    return {"s": dense().to_sparse_bsc((2, 2))}


@case("sparse", since=(2, 0))
def csr_batched():
    return torch.stack([dense(), dense()]).to_sparse_csr()


@case("sparse")
def gradient_of_an_embedding():
    layer = nn.Embedding(4, 3, sparse=True)
    layer(torch.tensor([1, 2, 1])).sum().backward()
    return {"weight": layer.weight, "gradient": layer.weight.grad}


@case("sparse", since=(2, 1))
def coo_with_attributes():
    s = dense().to_sparse()
    s.note = torch.ones(1)
    return {"s": s}


@case("nested", since=(2, 1))
def strided():
    return {
        "n": torch.nested.nested_tensor([torch.zeros(2, 3), torch.ones(4, 3)]),
        "p": torch.zeros(1),
    }


@case("nested", since=(2, 1))
def strided_at_the_root():
    return torch.nested.nested_tensor([torch.zeros(2), torch.ones(4), torch.zeros(0)])


@case("nested", since=(2, 1))
def strided_even():
    return [torch.nested.nested_tensor([torch.zeros(2, 3), torch.ones(2, 3)], dtype=torch.float16)]


@case("nested", since=(2, 1))
def strided_in_two_dimensions():
    return {"n": torch.nested.nested_tensor([torch.zeros(2, 3, 5), torch.ones(4, 1, 5)])}


@case("nested", since=(2, 3))
def jagged():
    parts = [torch.zeros(2, 3), torch.ones(4, 3)]
    return {"n": torch.nested.nested_tensor(parts, layout=torch.jagged), "p": torch.zeros(1)}
