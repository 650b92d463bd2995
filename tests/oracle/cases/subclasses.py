# SPDX-License-Identifier: Apache-2.0
"""Tensor subclasses: plain, with state, wrappers without a storage, distributed."""

import torch
from torch import nn

from registry import case


class Plain(torch.Tensor):
    pass


class Slotted(torch.Tensor):
    __slots__ = ("note", "extra")


class Labelled(nn.Parameter):
    pass


class Masked(torch.Tensor):
    """Reduces itself by a function of its own: to a reader, an unknown call."""

    def __reduce_ex__(self, protocol):
        return rebuild_masked, (self.as_subclass(torch.Tensor).clone(), {"mask": torch.ones(1)})


def rebuild_masked(data, options):
    return data.as_subclass(Masked)


class Wrapper(torch.Tensor):
    """Has no storage; its data lie in two inner tensors, as quantised weights do."""

    @staticmethod
    def __new__(cls, data, scale, **options):
        return torch.Tensor._make_wrapper_subclass(
            cls, data.shape, strides=data.stride(), dtype=torch.float32, **options
        )

    def __init__(self, data, scale, **options):
        self.inner_data = data
        self.inner_scale = scale

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), options=None):
        if function in (torch.ops.aten.detach.default, torch.ops.aten.alias.default):
            return cls(arguments[0].inner_data, arguments[0].inner_scale)
        raise NotImplementedError(str(function))

    __torch_function__ = torch._C._disabled_torch_function_impl


def wrapper(**options):
    return Wrapper(torch.zeros(2, 3, dtype=torch.int8), torch.ones(2, 1), **options)


@case("subclass")
def plain():
    return {"a": torch.zeros(2).as_subclass(Plain), "b": torch.zeros(1)}


@case("subclass")
def at_the_root():
    return torch.zeros(2, 3).as_subclass(Plain)


@case("subclass")
def a_view():
    base = torch.arange(6.0).reshape(2, 3)
    return {"base": base, "sub": base.t().as_subclass(Plain)}


@case("subclass")
def with_attributes():
    x = torch.zeros(2).as_subclass(Plain)
    x.note = "n"
    x.scale = torch.ones(1)
    x.more = [torch.zeros(2), Plain(torch.zeros(1))]
    return {"x": x, "scale": x.scale}


@case("subclass")
def with_slots():
    x = torch.zeros(2).as_subclass(Slotted)
    x.note = torch.ones(1)
    x.other = torch.ones(3)
    return {"x": x}


@case("subclass")
def requiring_grad():
    return torch.zeros(2).as_subclass(Plain).requires_grad_()


@case("subclass")
def parameter_of_a_subclass():
    return {"p": nn.Parameter(torch.zeros(2).as_subclass(Plain))}


@case("subclass")
def subclass_of_parameter():
    return {"p": Labelled(torch.zeros(2)), "q": nn.Parameter(torch.ones(1))}


@case("subclass", since=(2, 0))
def subclass_of_parameter_with_attributes():
    p = Labelled(torch.zeros(2))
    p.scale = torch.ones(1)
    return {"p": p}


@case("subclass", since=(2, 1))
def of_float8():
    return {"x": torch.zeros(2).to(torch.float8_e5m2).as_subclass(Plain)}


@case("subclass")
def of_a_quantized_tensor():
    return {"x": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8).as_subclass(Plain)}


@case("subclass")
def on_meta():
    return {"x": torch.empty(2, 3, device="meta").as_subclass(Plain)}


@case("subclass")
def by_an_unknown_function():
    return {"m": torch.zeros(3).as_subclass(Masked), "p": torch.zeros(1)}


@case("subclass")
def wrappers():
    return {"w": wrapper(), "p": torch.zeros(1)}


@case("subclass")
def a_wrapper_that_requires_grad():
    return {"w": wrapper(requires_grad=True)}


@case("subclass", since=(2, 1))
def a_wrapper_in_a_parameter():
    return {"weight": nn.Parameter(wrapper()), "bias": nn.Parameter(torch.zeros(2))}


@case("subclass", since=(2, 7))
def a_wrapper_of_a_sub_byte_dtype():
    class_ = Wrapper

    def make(dtype):
        x = torch.Tensor._make_wrapper_subclass(class_, (2, 4), dtype=dtype)
        x.inner_data, x.inner_scale = torch.zeros(4, dtype=torch.uint8), torch.ones(1)
        return x

    return {name: make(getattr(torch, name)) for name in ("int4", "uint2", "uint7")}


@case("subclass", since=(2, 1))
def two_tensor():
    from torch.testing._internal.two_tensor import TwoTensor

    return {"t": TwoTensor(torch.zeros(2, 3), torch.ones(2, 3))}


@case("subclass")
def cast_by_type():
    return {"a": torch.FloatTensor([1, 2]), "b": torch.LongTensor([3]), "c": torch.ByteTensor(2)}


def one_process_group():
    import torch.distributed as dist

    if not dist.is_initialized():
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)


@case("distributed", since=(2, 5))
def dtensor():
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    one_process_group()
    mesh = init_device_mesh("cpu", (1,))
    return {
        "sharded": distribute_tensor(torch.arange(6.0).reshape(2, 3), mesh, [Shard(0)]),
        "replicated": distribute_tensor(torch.zeros(2), mesh, [Replicate()]),
        "plain": torch.zeros(1),
    }


@case("distributed", since=(2, 5))
def dtensor_parameters():
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import distribute_module

    one_process_group()
    return distribute_module(nn.Linear(3, 2), init_device_mesh("cpu", (1,))).state_dict()
