# SPDX-License-Identifier: Apache-2.0
"""One small instance of every layer of torch.nn: its state_dict, and the module itself."""

import inspect
import warnings

import torch
from torch import nn
from torch.nn.utils import prune

from registry import add, case

# Layers that need no argument are found by themselves; the rest have a recipe here.
RECIPES = {
    "AdaptiveAvgPool1d": lambda c: c(2),
    "AdaptiveAvgPool2d": lambda c: c(2),
    "AdaptiveAvgPool3d": lambda c: c(2),
    "AdaptiveLogSoftmaxWithLoss": lambda c: c(4, 10, [3, 6], div_value=2.0),
    "AdaptiveMaxPool1d": lambda c: c(2),
    "AdaptiveMaxPool2d": lambda c: c(2),
    "AdaptiveMaxPool3d": lambda c: c(2),
    "AvgPool1d": lambda c: c(2),
    "AvgPool2d": lambda c: c(2),
    "AvgPool3d": lambda c: c(2),
    "BCEWithLogitsLoss": lambda c: c(pos_weight=torch.ones(3)),
    "BatchNorm1d": lambda c: c(3),
    "BatchNorm2d": lambda c: c(3),
    "BatchNorm3d": lambda c: c(3),
    "Bilinear": lambda c: c(2, 3, 4),
    "ChannelShuffle": lambda c: c(2),
    "CircularPad1d": lambda c: c(1),
    "CircularPad2d": lambda c: c(1),
    "CircularPad3d": lambda c: c(1),
    "ConstantPad1d": lambda c: c(1, 0.0),
    "ConstantPad2d": lambda c: c(1, 0.0),
    "ConstantPad3d": lambda c: c(1, 0.0),
    "Conv1d": lambda c: c(2, 3, 3),
    "Conv2d": lambda c: c(2, 3, 3, bias=False),
    "Conv3d": lambda c: c(2, 4, 3, groups=2),
    "ConvTranspose1d": lambda c: c(2, 3, 3),
    "ConvTranspose2d": lambda c: c(2, 3, 3),
    "ConvTranspose3d": lambda c: c(2, 3, 3),
    "CrossEntropyLoss": lambda c: c(weight=torch.ones(3)),
    "CrossMapLRN2d": lambda c: c(2),
    "DataParallel": lambda c: c(nn.Linear(2, 2)),
    "Embedding": lambda c: c(5, 3, padding_idx=0),
    "EmbeddingBag": lambda c: c(5, 3),
    "Fold": lambda c: c((4, 5), (2, 2)),
    "FractionalMaxPool2d": lambda c: c(2, output_size=3),
    "FractionalMaxPool3d": lambda c: c(2, output_size=3),
    "GRU": lambda c: c(3, 2, num_layers=2),
    "GRUCell": lambda c: c(3, 2),
    "GroupNorm": lambda c: c(2, 4),
    "InstanceNorm1d": lambda c: c(3, affine=True),
    "InstanceNorm2d": lambda c: c(3, track_running_stats=True),
    "InstanceNorm3d": lambda c: c(3),
    "LPPool1d": lambda c: c(2, 3),
    "LPPool2d": lambda c: c(2, 3),
    "LPPool3d": lambda c: c(2, 3),
    "LSTM": lambda c: c(3, 4, num_layers=2, bidirectional=True, proj_size=2),
    "LSTMCell": lambda c: c(3, 2),
    "LayerNorm": lambda c: c([2, 3]),
    "LazyConv1d": lambda c: c(3, 3),
    "LazyConv2d": lambda c: c(3, 3),
    "LazyConv3d": lambda c: c(3, 3),
    "LazyConvTranspose1d": lambda c: c(3, 3),
    "LazyConvTranspose2d": lambda c: c(3, 3),
    "LazyConvTranspose3d": lambda c: c(3, 3),
    "LazyLinear": lambda c: c(3),
    "Linear": lambda c: c(4, 3),
    "LinearCrossEntropyLoss": lambda c: c(4, 3),
    "LocalResponseNorm": lambda c: c(2),
    "MaxPool1d": lambda c: c(2),
    "MaxPool2d": lambda c: c(2),
    "MaxPool3d": lambda c: c(2),
    "MaxUnpool1d": lambda c: c(2),
    "MaxUnpool2d": lambda c: c(2),
    "MaxUnpool3d": lambda c: c(2),
    "ModuleDict": lambda c: c({"a": nn.Linear(2, 1), "b/c": nn.PReLU()}),
    "ModuleList": lambda c: c([nn.Linear(2, 1), nn.PReLU()]),
    "MultiheadAttention": lambda c: c(4, 2, add_bias_kv=True, kdim=3, vdim=5),
    "NLLLoss": lambda c: c(weight=torch.ones(3)),
    "PReLU": lambda c: c(3),
    "ParameterDict": lambda c: c(
        {"a": nn.Parameter(torch.zeros(2)), "é": nn.Parameter(torch.ones(1))}
    ),
    "ParameterList": lambda c: c([nn.Parameter(torch.zeros(2)), nn.Parameter(torch.ones(1))]),
    "PixelShuffle": lambda c: c(2),
    "PixelUnshuffle": lambda c: c(2),
    "RMSNorm": lambda c: c(3),
    "RNN": lambda c: c(3, 2),
    "RNNBase": lambda c: c("LSTM", 3, 2),
    "RNNCell": lambda c: c(3, 2),
    "RNNCellBase": lambda c: c(3, 2, True, 4),
    "ReflectionPad1d": lambda c: c(1),
    "ReflectionPad2d": lambda c: c(1),
    "ReflectionPad3d": lambda c: c(1),
    "ReplicationPad1d": lambda c: c(1),
    "ReplicationPad2d": lambda c: c(1),
    "ReplicationPad3d": lambda c: c(1),
    "Sequential": lambda c: c(nn.Linear(2, 1), nn.Sequential(nn.PReLU(), nn.Linear(1, 2))),
    "SyncBatchNorm": lambda c: c(3),
    "Threshold": lambda c: c(0.1, 20.0),
    "Transformer": lambda c: c(4, 2, 1, 1, 6),
    "TransformerDecoder": lambda c: c(nn.TransformerDecoderLayer(4, 2, 6), 2),
    "TransformerDecoderLayer": lambda c: c(4, 2, 6),
    "TransformerEncoder": lambda c: c(nn.TransformerEncoderLayer(4, 2, 6), 2, nn.LayerNorm(4)),
    "TransformerEncoderLayer": lambda c: c(4, 2, 6),
    "Unflatten": lambda c: c(1, (2, 3)),
    "Unfold": lambda c: c(2),
    "ZeroPad1d": lambda c: c(1),
    "ZeroPad2d": lambda c: c(1),
    "ZeroPad3d": lambda c: c(1),
}
ABSTRACT = {"Container"}


def layer_types():
    for name in sorted(dir(nn)):
        layer = getattr(nn, name)
        if inspect.isclass(layer) and issubclass(layer, nn.Module) and name not in ABSTRACT:
            yield name, layer


def make(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RECIPES.get(name, lambda layer: layer())(getattr(nn, name))


def without_recipe():
    """Layers of this PyTorch that nobody has told us how to build."""

    def fails(name):
        try:
            make(name)
        except Exception:
            return True
        return False

    return [name for name, _ in layer_types() if fails(name)]


MISSING = without_recipe()
KNOWN = [name for name, _ in layer_types() if name not in MISSING]
STATEFUL = [name for name in KNOWN if len(make(name).state_dict())]
STATELESS = [name for name in KNOWN if name not in STATEFUL]

for _name in STATEFUL:
    add(f"state-dict/{_name}", lambda name=_name: make(name).state_dict())
    add(f"module/{_name}", lambda name=_name: make(name))


@case("state-dict")
def layers_without_state():
    return nn.Sequential(*map(make, STATELESS)).state_dict()


@case("module")
def stateless_layers():
    return nn.Sequential(*map(make, STATELESS))


@case("state-dict")
def weight_norm_of_old():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(nn.Linear(3, 2)).state_dict()


@case("state-dict")
def spectral_norm_of_old():
    return nn.utils.spectral_norm(nn.Linear(3, 2)).state_dict()


@case("state-dict", since=(2, 0))
def parametrized_weight_norm():
    return nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)).state_dict()


@case("state-dict")
def parametrized_spectral_norm():
    return nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2)).state_dict()


@case("state-dict")
def parametrized_orthogonal():
    return nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)).state_dict()


@case("state-dict")
def pruned():
    layer = nn.Linear(3, 2)
    prune.random_unstructured(layer, "weight", 0.5)
    return layer.state_dict()


@case("state-dict")
def a_lazy_layer_that_has_seen_data():
    layer = nn.LazyLinear(2)
    layer(torch.zeros(1, 3))
    return layer.state_dict()


@case("state-dict")
def kept_variables():
    return nn.Linear(2, 2).state_dict(keep_vars=True)


@case("state-dict")
def a_prefix():
    return nn.Linear(2, 2).state_dict(prefix="module.head.")


@case("state-dict")
def half_of_a_module():
    return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).half().state_dict()


class WithExtraState(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def get_extra_state(self):
        return {"scale": torch.ones(1), "history": [torch.zeros(2), 3]}

    def set_extra_state(self, state):
        pass


@case("state-dict")
def extra_state():
    return nn.Sequential(WithExtraState(), nn.PReLU()).state_dict()


@case("state-dict")
def tied():
    net = nn.ModuleDict({"wte": nn.Embedding(4, 3), "lm_head": nn.Linear(3, 4, bias=False)})
    net["lm_head"].weight = net["wte"].weight
    return net.state_dict()


@case("state-dict")
def buffers():
    net = nn.Linear(2, 1)
    net.register_buffer("mask", torch.ones(2, dtype=torch.bool))
    net.register_buffer("scratch", torch.zeros(9), persistent=False)
    net.register_buffer("unset", None)
    net.register_parameter("absent", None)
    return net.state_dict()


@case("state-dict", since=(2, 0))
def compiled():
    return {"_orig_mod." + name: value for name, value in nn.Linear(2, 1).state_dict().items()}


@case("state-dict")
def averaged():
    return torch.optim.swa_utils.AveragedModel(nn.Linear(2, 1)).state_dict()
