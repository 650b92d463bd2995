# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of torch.distributed.checkpoint, written by one process and by four."""

import datetime
import os
import warnings

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
import torch.multiprocessing as multiprocessing
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

RANKS = 4

DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.int8,
    torch.uint8, torch.int16, torch.int64, torch.bool, torch.uint16, torch.float8_e4m3fn,
]


def numbers(generator, shape, dtype=torch.float32):
    values = torch.randint(0, 100, shape, generator=generator)
    return values.to(dtype)


def plain(generator):
    """Nested dicts and lists, values of all kinds, tensors of every layout a chunk can have."""
    whole = numbers(generator, (6, 8))
    model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(numbers(generator, (3, 5))).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "dtypes": {str(dtype): numbers(generator, (3, 2), dtype) for dtype in DTYPES},
        "transposed": numbers(generator, (4, 5)).t(),
        "channels_last": numbers(generator, (2, 3, 4, 5)).to(memory_format=torch.channels_last),
        "view": whole[1:3, 2:5],
        "expanded": numbers(generator, (3, 1)).expand(3, 4),
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(numbers(generator, (2,))),
        "list": [{"a": torch.ones(2)}, [1, torch.zeros(1)], "text"],
        "only values": [1, 2, {"x": None}],
        "tuple": (1, torch.arange(3)),
        "object": torch.Size([1, 2]),
        "epoch": 3, "loss": 0.25, "none": None, "name": "run/one", "flag": True,
        "dots.in.keys": {"a.b": {"c": 1}, 5: "five"},
        "size": torch.Size([1, 2]),
        "dtype": torch.float32,
    }


def sharded(generator):
    """What FSDP and tensor parallelism leave: shards, even and not, on lines and meshes."""
    line = init_device_mesh("cpu", (RANKS,))
    mesh = init_device_mesh("cpu", (2, RANKS // 2))

    def distributed(shape, placements, over=line, dtype=torch.float32):
        return distribute_tensor(numbers(generator, shape, dtype), over, placements)

    return {
        "even": distributed((8, 3), [Shard(0)]),
        "uneven": distributed((7, 3), [Shard(0)]),
        "fewer rows than ranks": distributed((3, 2), [Shard(0)], dtype=torch.bfloat16),
        "columns": distributed((5, 9), [Shard(1)], dtype=torch.int64),
        "deep": {"middle": [distributed((3, 5, 4), [Shard(1)])]},
        "replicated": distributed((4, 4), [Replicate()]),
        "mesh": distributed((6, 10), [Shard(0), Shard(1)], mesh),
        "uneven mesh": distributed((5, 7, 3), [Shard(1), Shard(0)], mesh, torch.float16),
        "half replicated": distributed((5, 7), [Replicate(), Shard(1)], mesh),
        "one dimension twice": distributed((11, 2), [Shard(0), Shard(0)], mesh),
        "local": torch.arange(6).reshape(2, 3),
        "step": 17,
        "sizes": {"large": distributed((130, 700), [Shard(1)])},
    }


def write_sharded(rank, folder, seed, threads):
    """A directory for each name, with so many threads that write."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    meeting = os.path.join(folder, "meeting")
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank,
                            world_size=RANKS, timeout=datetime.timedelta(seconds=60))
    state = sharded(torch.Generator().manual_seed(seed))
    for name, count in threads.items():
        writer = dcp.FileSystemWriter(os.path.join(folder, name), thread_count=count)
        dcp.save(state, storage_writer=writer)
    # Metadata of every rank for itself, which dcp_to_torch_save does not read.
    dcp.save(state, storage_writer=dcp.FileSystemWriter(os.path.join(folder, "ranks")),
             use_collectives=False)
    dist.destroy_process_group()


def write_all(folder, seed):
    """Directories, and the name of the file that PyTorch makes of each."""
    def path(name):
        return os.path.join(folder, name)

    generator = torch.Generator().manual_seed(seed)
    state = plain(generator)
    dcp.save(state, checkpoint_id=path("one"), no_dist=True)
    files = dcp.FileSystemWriter(path("files"), single_file_per_rank=False)
    dcp.save(state, storage_writer=files, no_dist=True)
    flat = dcp.DefaultSavePlanner(flatten_state_dict=False)
    dcp.save({"a.b": torch.ones(2, 3), "c": [1, torch.ones(1)]}, checkpoint_id=path("flat"),
             planner=flat, no_dist=True)
    dcp.save({}, checkpoint_id=path("nothing"), no_dist=True)
    multiprocessing.spawn(write_sharded, (folder, seed, {"four": 1, "threads": 2}), nprocs=RANKS)
    names = ["one", "files", "flat", "nothing", "four", "threads"]
    for name in names:
        dcp_to_torch_save(path(name), path(name + ".pt"))
    return [*((name, name + ".pt") for name in names), ("ranks", "four.pt")]
