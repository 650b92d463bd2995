# SPDX-License-Identifier: Apache-2.0
"""Every optimizer after two steps, every scheduler, the gradient scaler."""

import inspect
import warnings

import torch
from torch import nn
from torch.optim import lr_scheduler

from registry import add, case

OPTIONS = {
    "SGD": {"momentum": 0.9, "nesterov": True},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adam": {"amsgrad": True},
}
WITHOUT_RATE = {"LBFGS", "Adafactor", "SparseAdam", "Muon"}


def names():
    for name in sorted(dir(torch.optim)):
        optimizer = getattr(torch.optim, name)
        if inspect.isclass(optimizer) and issubclass(optimizer, torch.optim.Optimizer):
            if optimizer is not torch.optim.Optimizer:
                yield name


def network(name):
    if name == "SparseAdam":
        return nn.Embedding(4, 3, sparse=True), torch.tensor([1, 2])
    if name == "Muon":
        return nn.Linear(3, 2, bias=False), torch.ones(1, 3)
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)), torch.ones(1, 3)


def stepped(name):
    net, inputs = network(name)
    options = dict(OPTIONS.get(name, {}))
    if name not in WITHOUT_RATE:
        options["lr"] = 0.01
    optimizer = getattr(torch.optim, name)(net.parameters(), **options)

    def closure():
        optimizer.zero_grad()
        loss = net(inputs).sum()
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    return net, optimizer


def training(name):
    net, optimizer = stepped(name)
    return {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 2}


for _name in names():
    add(f"optimizer/{_name}", lambda name=_name: stepped(name)[1].state_dict())
    add(f"optimizer-and-model/{_name}", lambda name=_name: training(name))


@case("optimizer")
def before_any_step():
    return torch.optim.Adam(nn.Linear(2, 1).parameters()).state_dict()


@case("optimizer")
def groups():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    optimizer = torch.optim.AdamW(
        [
            {"params": net[0].parameters(), "lr": 1e-3},
            {"params": net[1].parameters(), "name": "head"},
        ]
    )
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


@case("optimizer", spelled=False)
def as_an_object():
    """Its state is a dict whose keys are the parameters."""
    return stepped("Adam")[1]


@case("optimizer", since=(2, 0))
def a_rate_that_is_a_tensor():
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=torch.tensor(1e-3))
    return optimizer.state_dict()


@case("optimizer")
def by_parameter_name():
    """As FSDP and DCP write it: names instead of numbers."""
    state = {"layer.weight": {"step": torch.tensor(1.0), "exp_avg": torch.zeros(1, 2)}}
    return {"state": state, "param_groups": [{"lr": 0.1, "params": ["layer.weight"]}]}


def with_scheduler(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = nn.Linear(2, 1)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        scheduler = make(optimizer)
        net(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(0.5)
        else:
            scheduler.step()
        return {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}


SCHEDULERS = {
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [1, 3]),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=10),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o),
    "ConstantLR": lambda o: lr_scheduler.ConstantLR(o),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [2]
    ),
}


# Their states held bound methods: of OneCycleLR in 1.13, of CyclicLR for longer.
WITH_METHODS = ("CyclicLR", "OneCycleLR")


@case("scheduler")
def every_one():
    return {
        name: with_scheduler(make) for name, make in SCHEDULERS.items() if name not in WITH_METHODS
    }


@case("scheduler", spelled=False)
def one_cycle():
    """In 1.13 the method takes the scheduler along, and the optimizer, keyed by its parameters."""
    return with_scheduler(SCHEDULERS["OneCycleLR"])


@case("scheduler", since=(2, 5), spelled=False)
def cyclic():
    return with_scheduler(SCHEDULERS["CyclicLR"])


@case("scheduler")
def gradient_scaler():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scaler = torch.cuda.amp.GradScaler(enabled=False)
    enabled = {
        "scale": 65536.0,
        "growth_factor": 2.0,
        "backoff_factor": 0.5,
        "growth_interval": 2000,
        "_growth_tracker": 0,
    }
    return {"x": torch.zeros(1), "disabled": scaler.state_dict(), "enabled": enabled}
