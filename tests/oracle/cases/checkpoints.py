# SPDX-License-Identifier: Apache-2.0
"""Checkpoints in the shapes that training programs write."""

import argparse
import collections
import dataclasses
import datetime
import random

import numpy as np
import torch
from torch import nn

from registry import case


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"attention": nn.MultiheadAttention(4, 2), "norm": nn.LayerNorm(4)})
            for _ in range(2)
        )
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block["norm"](block["attention"](x, x, x)[0])
        return self.head(x)


def trained():
    net = Encoder()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    net(torch.tensor([[1, 2, 3]])).sum().backward()
    optimizer.step()
    return net, optimizer


@case("checkpoint")
def plain_training():
    net, optimizer = trained()
    return {
        "epoch": 3,
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": 0.25,
        "args": argparse.Namespace(lr=1e-3, name="run", layers=(1, 2)),
    }


@case("checkpoint")
def lightning():
    net, optimizer = trained()
    return {
        "epoch": 1,
        "global_step": 100,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": collections.OrderedDict(
            ("model." + k, v) for k, v in net.state_dict().items()
        ),
        "loops": {
            "fit_loop": {
                "state_dict": {},
                "epoch_progress": {"total": {"ready": 1, "completed": 1}},
            },
        },
        "callbacks": {
            "ModelCheckpoint{'monitor': 'val/loss', 'mode': 'min'}": {
                "monitor": "val/loss",
                "best_model_score": torch.tensor(0.5),
                "best_model_path": "/tmp/epoch=1-step=100.ckpt",
                "best_k_models": {"/tmp/a.ckpt": torch.tensor(0.5)},
            }
        },
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [{"last_epoch": 1, "_last_lr": [1e-3]}],
        "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 1e-3, "dims": [4, 2]},
    }


@case("checkpoint")
def timm():
    net, optimizer = trained()
    return {
        "epoch": 3,
        "arch": "vit_tiny",
        "state_dict": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "version": 2,
        "args": argparse.Namespace(model="vit_tiny", mean=None, std=(0.5, 0.5)),
        "amp_scaler": {"scale": 65536.0, "_growth_tracker": 0},
        "state_dict_ema": net.state_dict(),
        "metric": np.float64(0.7),
    }


@dataclasses.dataclass
class TrainingArguments:
    output_dir: str = "out"
    learning_rate: float = 1e-3
    device: torch.device = torch.device("cpu")
    started: datetime.datetime = datetime.datetime(2024, 1, 1)


@case("checkpoint")
def hugging_face_weights():
    return collections.OrderedDict(
        ("transformer." + k, v.bfloat16()) for k, v in Encoder().state_dict().items()
    )


@case("checkpoint")
def hugging_face_arguments():
    return TrainingArguments()


@case("checkpoint")
def hugging_face_random_states():
    return {
        "python": random.Random(0).getstate(),
        "numpy": np.random.RandomState(0).get_state(),
        "cpu": torch.Generator().manual_seed(0).get_state(),
        "cuda": [torch.zeros(16, dtype=torch.uint8)],
    }


@case("checkpoint")
def deepspeed_model():
    net = Encoder()
    return {
        "module": net.state_dict(),
        "buffer_names": [],
        "optimizer": None,
        "param_shapes": [collections.OrderedDict((k, v.shape) for k, v in net.named_parameters())],
        "frozen_param_shapes": None,
        "shared_params": {"head.weight": "embedding.weight"},
        "global_steps": 10,
        "dp_world_size": 1,
        "ds_config": {"train_batch_size": 8, "bf16": {"enabled": True}},
        "ds_version": "0.15.0",
    }


@case("checkpoint")
def deepspeed_optimizer():
    flat = torch.arange(20.0)
    return {
        "optimizer_state_dict": {
            "loss_scaler": None,
            "base_optimizer_state": {"state": {0: {"exp_avg": torch.zeros(20), "step": 3}}},
            "single_partition_of_fp32_groups": [flat],
            "zero_stage": 2,
            "group_paddings": [0],
            "param_slice_mappings": [collections.OrderedDict(a=flat[:8], b=flat[8:])],
        },
        "ds_config": {},
        "ds_version": "0.15.0",
    }


@case("checkpoint")
def megatron():
    net = Encoder()
    return {
        "args": argparse.Namespace(num_layers=2, params_dtype=torch.bfloat16),
        "checkpoint_version": 3.0,
        "iteration": 100,
        "model": {
            "language_model": {
                "embedding": {"word_embeddings": {"weight": net.embedding.weight.detach()}},
                "encoder": {k: v for k, v in net.blocks.state_dict().items()},
            }
        },
        "rng_state": [
            {
                "random_rng_state": random.Random(1).getstate(),
                "torch_rng_state": torch.get_rng_state(),
            }
        ],
    }


@case("checkpoint")
def ultralytics():
    net, optimizer = trained()
    return {
        "epoch": -1,
        "best_fitness": np.float64(0.4),
        "model": net.half(),
        "ema": None,
        "optimizer": optimizer.state_dict(),
        "train_args": {"imgsz": 640, "lr0": 0.01},
        "train_metrics": {"metrics/mAP50(B)": 0.5},
        "date": datetime.datetime(2024, 1, 1).isoformat(),
    }


@case("checkpoint")
def openmmlab():
    return {
        "meta": {"epoch": 1, "CLASSES": ("cat", "dog"), "time": "now"},
        "state_dict": Encoder().state_dict(),
        "message_hub": {"log_scalars": {"train/loss": collections.deque([0.5, 0.25], maxlen=10)}},
        "param_schedulers": [{"step_size": 1}],
    }


@case("checkpoint")
def detectron():
    return {
        "model": {"w": np.zeros((2, 3), dtype=np.float32)},
        "__author__": "x",
        "iteration": 3,
        "x": torch.zeros(1),
    }


@case("checkpoint")
def textual_inversion():
    return {
        "string_to_token": {"*": torch.tensor(265)},
        "string_to_param": nn.ParameterDict({"*": nn.Parameter(torch.zeros(1, 4))}),
        "name": "embedding",
        "step": 499,
    }


@case("checkpoint")
def distributed_data_parallel():
    return {"model": {"module." + k: v for k, v in Encoder().state_dict().items()}}


@case("checkpoint")
def fairseq():
    return {
        "args": None,
        "cfg": {"model": argparse.Namespace(arch="transformer"), "task": {"data": "x"}},
        "model": Encoder().state_dict(),
        "optimizer_history": [{"criterion_name": "CE", "num_updates": 100}],
        "extra_state": {"train_iterator": {"epoch": 2}, "metrics": collections.OrderedDict()},
        "last_optimizer_state": trained()[1].state_dict(),
    }


@case("checkpoint")
def activations():
    """What a debugging hook leaves behind: views, results, integers, a loss."""
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    out = net(torch.ones(2, 3))
    return {
        "out": out,
        "first": out[0],
        "argmax": out.argmax(1),
        "loss": out.sum(),
        "grad": torch.autograd.grad(out.sum(), net[0].weight),
    }
