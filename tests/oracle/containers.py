# SPDX-License-Identifier: Apache-2.0
"""One model in every container that PyTorch and its neighbours write."""

import collections
import os
import pickle

import first_releases


def random_model(torch, seed):
    """Layers, buffers, half precision, a scalar: of dtypes that numpy has too."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        collections.OrderedDict(
            embed=torch.nn.Embedding(11, 6),
            norm=torch.nn.BatchNorm1d(6),
            block=torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Linear(8, 6, bias=False)),
            head=torch.nn.Linear(6, 3).half(),
        )
    )
    model.register_buffer("mask", torch.rand(4, 5) > 0.5)
    model.register_buffer("steps", torch.tensor(seed))
    model.block[1].weight = torch.nn.Parameter(torch.randn(8, 6).t())  # no rows
    return model.eval()


def state_of(model):
    return collections.OrderedDict(
        (name, tensor.detach().clone()) for name, tensor in model.state_dict().items()
    )


def write_zip(torch, model, path):
    torch.save(model.state_dict(), path)


def write_module(torch, model, path):
    torch.save(model, path)


def write_legacy_module(torch, model, path):
    torch.save(model, path, _use_new_zipfile_serialization=False)


def write_legacy(protocol):
    def write(torch, model, path):
        torch.save(
            model.state_dict(), path, _use_new_zipfile_serialization=False, pickle_protocol=protocol
        )

    return write


def write_protocol4(torch, model, path):
    torch.save(dict(model.state_dict()), path, pickle_protocol=4)


def write_scripted(torch, model, path):
    torch.jit.script(model).save(path)


def write_lite(torch, model, path):
    torch.jit.script(model)._save_for_lite_interpreter(path)


def traceable(torch, model):
    """The model with a call that needs no tensor of it."""

    class Traceable(torch.nn.Module):
        def forward(self, x):
            return x + 1

    wrapper = Traceable()
    for name, child in model.named_children():
        wrapper.add_module(name, child)
    for name, buffer in model.named_buffers(recurse=False):
        wrapper.register_buffer(name, buffer)
    return wrapper


def write_traced(torch, model, path):
    torch.jit.trace(traceable(torch, model), torch.ones(2)).save(path)


def write_exported(torch, model, path):
    program = torch.export.export(traceable(torch, model), (torch.ones(2),))
    torch.export.save(program, path)


def write_package(torch, model, path):
    with torch.package.PackageExporter(path) as exporter:
        exporter.save_pickle("model", "state.pkl", model.state_dict())


def write_first(writer, *options):
    def write(torch, model, path):
        with open(path, "wb") as file:
            file.write(writer(torch, model.state_dict(), *options))

    return write


def write_safetensors(torch, model, path):
    import safetensors.torch

    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    safetensors.torch.save_file(state, path, metadata={"format": "pt"})


def write_shards(safe):
    def write(torch, model, path):
        import huggingface_hub

        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        os.mkdir(path)
        huggingface_hub.save_torch_state_dict(
            state, path, max_shard_size=200, safe_serialization=safe
        )
        assert len(os.listdir(path)) > 3

    return write


def write_distributed(torch, model, path):
    import torch.distributed.checkpoint as distributed

    distributed.save(dict(model.state_dict()), checkpoint_id=path, no_dist=True)


def write_pickle(protocol):
    def write(torch, model, path):
        with open(path, "wb") as file:
            pickle.dump(dict(model.state_dict()), file, protocol=protocol)

    return write


def write_arrays(torch, model, path):
    with open(path, "wb") as file:
        pickle.dump({name: t.numpy() for name, t in model.state_dict().items()}, file)


def write_npz(torch, model, path):
    import numpy

    numpy.savez(path, **{name: t.numpy() for name, t in model.state_dict().items()})


CONTAINERS = {
    "zip.pt": write_zip,
    "protocol4.pt": write_protocol4,
    "module.pt": write_module,
    "legacy_module.pt": write_legacy_module,
    "legacy1.pt": write_legacy(1),
    "legacy2.pt": write_legacy(2),
    "legacy5.pt": write_legacy(5),
    "scripted.pt": write_scripted,
    "traced.pt": write_traced,
    "lite.ptl": write_lite,
    "exported.pt2": write_exported,
    "package.pt": write_package,
    "python2.pt": write_first(first_releases.stream),
    "tar.pt": write_first(first_releases.tar, False),
    "oldest_tar.pt": write_first(first_releases.tar, True),
    "model.safetensors": write_safetensors,
    "shards": write_shards(safe=True),
    "bins": write_shards(safe=False),
    "distributed": write_distributed,
    "pickle2.pkl": write_pickle(2),
    "pickle5.pkl": write_pickle(5),
    "arrays.pkl": write_arrays,
    "arrays.npz": write_npz,
}

SCRIPTS = {"scripted.pt", "traced.pt", "lite.ptl"}
INSIDE = {
    "package.pt": "#model~1state.pkl",
    "module.pt": "#~state_dict",
    "legacy_module.pt": "#~state_dict",
}
OTHER_PROTOCOLS = {"protocol4.pt"}  # that weights_only refuses


def write_all(torch, model, folder):
    """The paths, by container."""
    paths = {}
    for name, write in CONTAINERS.items():
        paths[name] = os.path.join(folder, name)
        write(torch, model, paths[name])
        paths[name] += INSIDE.get(name, "")
    return paths
