# SPDX-License-Identifier: Apache-2.0
"""Whole modules, pickled as objects: torch.save(model)."""

import warnings

import torch
from torch import nn
from torch.nn.utils import prune

from registry import add, case


class Block(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)
        self.register_buffer("mask", torch.ones(width, dtype=torch.bool))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)
        self.register_buffer("unset", None)
        self.register_parameter("absent", None)
        self.scale = torch.tensor(0.5)
        self.history = [torch.zeros(1), {"mean": torch.zeros(2)}]
        self.width = width


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block(2)])
        self.heads = nn.ModuleDict({"main": nn.Linear(3, 1), "a/b~c": nn.Linear(3, 2)})
        self.gains = nn.ParameterList([torch.zeros(1), torch.ones(2)])
        self.token = nn.Parameter(torch.zeros(1, 1, 3))
        self.late = nn.PReLU()


@case("module")
def nested():
    return Net()


@case("module")
def in_a_dict():
    return {"epoch": 3, "model": Net(), "ema": None, "loss": 0.5}


@case("module")
def in_a_list():
    return [nn.Linear(2, 1), {"m": nn.PReLU()}]


@case("module")
def the_same_module_twice():
    layer = nn.Linear(2, 2)
    return nn.ModuleDict({"a": layer, "b": layer, "c": nn.Sequential(layer)})


@case("module")
def beside_its_state_dict():
    layer = nn.Linear(2, 2)
    return {"module": layer, "state_dict": layer.state_dict(), "weight": layer.weight}


@case("module")
def tied():
    net = nn.ModuleDict({"wte": nn.Embedding(4, 3), "lm_head": nn.Linear(3, 4, bias=False)})
    net["lm_head"].weight = net["wte"].weight
    return net


class Hidden(nn.Module):
    """Keeps a module where PyTorch does not see it, and a way back to itself."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.hidden = [nn.PReLU()]
        self.me = [self]
        self.by_name = {"layer": self.layer}


@case("module")
def hidden_modules_and_a_cycle():
    return Hidden()


@case("module")
def an_empty_one():
    return nn.Module()


@case("module")
def after_a_step():
    """Gradients are not saved."""
    layer = nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    return layer


@case("module")
def weight_norm_of_old():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(nn.Linear(3, 2))


@case("module")
def spectral_norm_of_old():
    return nn.utils.spectral_norm(nn.Linear(3, 2))


@case("module")
def pruned():
    layer = nn.Linear(3, 2)
    prune.random_unstructured(layer, "weight", 0.5)
    return layer


def noticing(module, inputs, output):
    return None


@case("module")
def with_hooks():
    layer = nn.Linear(2, 1)
    layer.register_forward_hook(noticing)
    return layer


@case("module")
def frozen_and_half():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1).half())
    net[0].weight.requires_grad_(False)
    return net


@case("module")
def deep():
    net = nn.Linear(1, 1)
    for _ in range(20):
        net = nn.Sequential(net)
    return net


@case("module", since=(2, 5))
def buffer_objects():
    net = nn.Module()
    net.a = nn.Buffer(torch.zeros(2))
    net.b = nn.Buffer(torch.zeros(3), persistent=False)
    return net


@case("module")
def an_attribute_on_a_parameter():
    layer = nn.Linear(2, 1)
    layer.weight.axis = 1
    layer.bias.scale = torch.ones(1)
    return layer


# Before 2.0 it kept a function that cannot be pickled.
@case("module", since=(2, 0))
def averaged():
    return torch.optim.swa_utils.AveragedModel(nn.Linear(2, 1))


for _protocol in (3, 4, 5):
    add(f"module/protocol-{_protocol}", Net, protocol=_protocol)
