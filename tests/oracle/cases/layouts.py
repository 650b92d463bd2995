# SPDX-License-Identifier: Apache-2.0
"""Shapes, strides, offsets and sharing of plain tensors; parameters and attributes."""

import torch
from torch import nn

from registry import add, case

VIEWS = {
    "transposed": lambda x: x.t(),
    "permuted": lambda x: x.reshape(2, 3, 4).permute(2, 0, 1),
    "row": lambda x: x[2],
    "column": lambda x: x[:, 3],
    "every-second": lambda x: x[::2, 1::2],
    "flattened": lambda x: x.reshape(-1)[5:17],
    "diagonal": lambda x: x.diagonal(),
    "unsqueezed": lambda x: x[None, :, None],
    "expanded": lambda x: x[:1].expand(5, 6),
    "windows": lambda x: x.as_strided((5, 4), (2, 1), 3),
    "stride-zero": lambda x: x.as_strided((1000, 1000), (0, 0), 7),
    "odd-strides-of-size-one": lambda x: x.as_strided((1, 6, 1), (77, 1, 99), 0),
    "unfolded": lambda x: x.unfold(0, 2, 1),
    "element": lambda x: x[1, 2],
    "nothing": lambda x: x[2:2],
    "nothing-of-much": lambda x: x.as_strided((0, 1 << 40), (1 << 40, 1), 0),
}
for _name, _view in VIEWS.items():
    add(f"view/{_name}", lambda view=_view: view(torch.arange(24.0).reshape(4, 6)))
    add(
        f"view-beside-its-base/{_name}",
        lambda view=_view: (lambda x: {"view": view(x), "base": x})(
            torch.arange(24, dtype=torch.int16).reshape(4, 6)
        ),
    )


@case("layout")
def all_views_of_one_storage():
    base = torch.arange(24.0).reshape(4, 6)
    return {name: view(base) for name, view in VIEWS.items()}


@case("layout")
def channels_last():
    x = torch.randn(2, 3, 4, 5)
    return {
        "nchw": x,
        "nhwc": x.to(memory_format=torch.channels_last),
        "ndhwc": torch.randn(1, 2, 2, 2, 2).to(memory_format=torch.channels_last_3d),
        "single": torch.randn(1, 2, 2, 2).to(memory_format=torch.channels_last),
    }


@case("layout")
def a_tensor_at_the_root():
    return torch.randn(2, 3)


@case("layout")
def a_scalar_at_the_root():
    return torch.tensor(3.5)


@case("layout")
def a_parameter_at_the_root():
    return nn.Parameter(torch.randn(2, 2))


@case("layout")
def many_dimensions():
    return {str(n): torch.zeros([1, 2][:1] * n) for n in (1, 8, 25, 64)}


@case("layout")
def empties():
    return {
        "flat": torch.empty(0),
        "rows": torch.empty(0, 3),
        "columns": torch.empty(3, 0),
        "middle": torch.empty(2, 0, 4, dtype=torch.int64),
        "again": torch.empty(0),
    }


@case("layout")
def empties_sharing_a_storage():
    empty = torch.empty(0)
    return {"a": empty, "b": empty.view(0, 3), "c": empty}


@case("layout")
def the_same_object_twice():
    x = torch.randn(3)
    return {"a": x, "b": x, "c": [x, {"d": x}]}


@case("layout")
def one_storage_through_many_views():
    base = torch.arange(100.0)
    return {f"part{i:03}": base[i : i + 1] for i in range(100)}


@case("layout")
def more_sharers_than_are_listed():
    base = torch.arange(150.0)
    return [base[i : i + 1] for i in range(150)]


@case("layout")
def two_groups_of_sharers():
    a, b = torch.arange(4.0), torch.arange(6)
    return {"a0": a, "b0": b, "a1": a[1:], "b1": b.view(2, 3), "alone": torch.zeros(1), "a2": a[3]}


@case("layout")
def detached_shares_with_its_parameter():
    weight = nn.Parameter(torch.randn(2, 2))
    return {"parameter": weight, "data": weight.data, "detached": weight.detach()}


@case("layout")
def results_that_require_grad():
    weight = nn.Parameter(torch.randn(2, 2))
    return {"leaf": torch.ones(2, requires_grad=True), "result": weight * 2, "view": weight[0]}


@case("layout")
def parameters():
    return {
        "trained": nn.Parameter(torch.randn(2)),
        "frozen": nn.Parameter(torch.randn(2), requires_grad=False),
        "transposed": nn.Parameter(torch.randn(2, 3).t()),
        "integer": nn.Parameter(torch.arange(3), requires_grad=False),
        "half": nn.Parameter(torch.randn(2).half()),
    }


@case("layout")
def the_same_parameter_twice():
    weight = nn.Parameter(torch.randn(2, 2))
    return {"encoder.weight": weight, "decoder.weight": weight}


def with_attributes(tensor, **attributes):
    for name, value in attributes.items():
        setattr(tensor, name, value)
    return tensor


# Before 2.0 these attributes were dropped; the files differ, both are worth reading.
@case("attributes")
def on_tensors():
    return {
        "plain": with_attributes(torch.randn(2), tag="x", count=3),
        "after": torch.randn(1),
        "float8": with_attributes(torch.randn(2).half(), scale=1.5),
    }


@case("attributes")
def on_parameters():
    return {
        "weight": with_attributes(nn.Parameter(torch.randn(2)), sharded=True, axis=(0, 1)),
        "bias": nn.Parameter(torch.randn(2)),
    }


@case("attributes")
def that_are_tensors():
    scale = torch.ones(1)
    return {
        "weight": with_attributes(nn.Parameter(torch.randn(2)), scale=scale, note="n"),
        "plain": with_attributes(torch.randn(3), parts=[torch.zeros(1), {"k": torch.zeros(2)}]),
        "scale": scale,
    }


@case("attributes")
def at_the_root():
    return with_attributes(torch.randn(2), inner=torch.zeros(1))


@case("attributes", since=(2, 1))
def on_a_v3_tensor():
    return {"x": with_attributes(torch.randn(2).to(torch.float8_e5m2), scale=torch.ones(1))}


@case("attributes", since=(2, 5))
def buffers():
    return {
        "persistent": nn.Buffer(torch.randn(2)),
        "transient": nn.Buffer(torch.randn(2), persistent=False),
    }


def conjugated():
    x = torch.tensor([1 + 2j, 3 - 4j, 5j])
    return {
        "plain": x,
        "conj": x.conj(),
        "part": x.conj()[1:],
        "resolved": x.conj().resolve_conj(),
        "both": torch._neg_view(x.conj()),
    }


def negated():
    """The imaginary part of a conjugate is a negated view of its floats."""
    x = torch.tensor([1 + 2j, 3 - 4j, 5j])
    return {"imag": x.conj().imag, "real": x.conj().real}


# 1.13 drops the bits; what it reads back then has none.
add("bits/conj", conjugated)
add("bits/neg", negated)
add("bits/conj-of-complex32", lambda: torch.zeros(2, dtype=torch.complex32).conj(), since=(2, 3))


@case("bits", since=(2, 0))
def on_a_parameter():
    return {"weight": nn.Parameter(torch.tensor([1 + 2j]).conj())}


def on_meta(*shape, **options):
    return torch.empty(*shape, device="meta", **options)


@case("meta")
def tensors():
    x = on_meta(3, 4)
    return {
        "plain": x,
        "int": on_meta(5, dtype=torch.int64),
        "transposed": x.t(),
        "slice": x[1:, ::2],
        "grad": on_meta(2, requires_grad=True),
        "huge": on_meta(1 << 20, 1 << 20, dtype=torch.bfloat16),
        "same": x,
        "scalar": on_meta(()),
    }


@case("meta")
def parameters_of_a_module_on_meta():
    return nn.Linear(4, 3, device="meta").state_dict()


@case("meta")
def parameter_objects():
    return dict(nn.Linear(4, 3, device="meta").named_parameters())


@case("meta")
def beside_real_ones():
    return {"real": torch.zeros(2), "meta": on_meta(2), "again": torch.ones(2)}
