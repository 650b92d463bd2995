# SPDX-License-Identifier: Apache-2.0
"""One-line checkpoints that readers of PyTorch files are known to get wrong."""

import collections

import numpy as np
import torch
from torch import nn

from registry import add, case


def model():
    return nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))


def stepped(optimizer_type, **options):
    net = model()
    optimizer = optimizer_type(net.parameters(), lr=0.1, **options)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return net, optimizer


@case("conformance")
def two_tensors():
    return {"a": torch.zeros(2), "b": torch.ones(3, 4)}


@case("conformance")
def a_plain_state_dict():
    return model().state_dict()


@case("conformance")
def views_of_one_storage():
    x = torch.arange(12.0)
    return {"first": x[:6], "second": x[6:]}


@case("conformance")
def a_scalar():
    return {"a": torch.tensor(1.0)}


@case("conformance")
def an_empty_tensor():
    return {"a": torch.zeros(0), "b": torch.ones(1)}


@case("conformance")
def a_non_ascii_name():
    return {"größe.重み": torch.zeros(2)}


@case("conformance")
def one_tensor_under_two_keys():
    x = torch.zeros(2, 2)
    return {"wte.weight": x, "lm_head.weight": x}


@case("conformance")
def one_dict_under_two_keys():
    weights = {"w": torch.zeros(2), "b": torch.ones(1)}
    return {"model": weights, "ema": weights}


@case("conformance")
def parameter_objects():
    return dict(model().named_parameters())


@case("conformance")
def a_state_dict_and_an_int():
    return {"state_dict": model().state_dict(), "epoch": 3}


@case("conformance")
def a_state_dict_and_a_float():
    return {"state_dict": model().state_dict(), "epoch": 3, "loss": 0.25}


@case("conformance")
def a_state_dict_and_a_numpy_scalar():
    return {"state_dict": model().state_dict(), "epoch": 3, "best": np.float64(0.5)}


@case("conformance")
def a_model_and_sgd():
    net, optimizer = stepped(torch.optim.SGD, momentum=0.9)
    return {"model": net.state_dict(), "optimizer": optimizer.state_dict()}


@case("conformance")
def adam():
    return stepped(torch.optim.Adam)[1].state_dict()


@case("conformance")
def nested_integer_keys():
    return {0: {"w": torch.zeros(1)}, 1: {"w": torch.ones(2)}, "x": {7: {8: torch.zeros(3)}}}


@case("conformance")
def a_transposed_tensor():
    return {"a": torch.arange(6.0).reshape(2, 3).t()}


@case("conformance")
def complex64():
    return {"a": torch.tensor([1 + 2j]), "b": torch.zeros(1)}


@case("conformance")
def quantized_and_plain():
    return {
        "q": torch.quantize_per_tensor(torch.randn(4), 0.1, 3, torch.qint8),
        "p": torch.zeros(1),
    }


@case("conformance")
def sparse_and_plain():
    return {"s": torch.eye(3).to_sparse(), "p": torch.zeros(1)}


class Sub(torch.Tensor):
    pass


@case("conformance")
def a_subclass_and_a_plain():
    return {"s": torch.zeros(2).as_subclass(Sub), "p": torch.zeros(1)}


add("conformance/protocol-4", lambda: {"a": torch.zeros(2), "b": torch.ones(3)}, protocol=4)


@case("conformance")
def a_whole_module():
    return model()


@case("conformance")
def a_module_with_batch_norm():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


@case("conformance")
def an_ordered_dict_without_metadata():
    return collections.OrderedDict(b=torch.zeros(1), a=torch.ones(2))
