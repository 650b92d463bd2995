# SPDX-License-Identifier: Apache-2.0
"""What torch says of one loaded tensor, as ptsd should print it."""

import struct
import zipfile

import torch

import listing

SPARSE = {
    getattr(torch, name)
    for name in ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc")
    if hasattr(torch, name)
}
PACKED = (torch.quint4x2, torch.quint2x4)


def dtype_name(dtype):
    return str(dtype).replace("torch.", "")


def kind(tensor):
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        return "subclass"
    if tensor.is_nested:
        return "nested"
    if tensor.layout in SPARSE:
        return "sparse"
    if tensor.is_quantized:
        return "quantized"
    if tensor.device.type == "meta":
        return "meta"
    return "parameter" if isinstance(tensor, torch.nn.Parameter) else "tensor"


def is_jagged(tensor):
    return tensor.layout == getattr(torch, "jagged", None)


def nested_shape(tensor):
    """The number of parts, then a -1 for each size, for the sizes are data, not pickle.

    A jagged tensor has one such size; the others are those of its values.
    """
    if is_jagged(tensor):
        shape = [tensor._offsets.numel() - 1, *tensor._values.shape]
        shape[tensor._ragged_idx] = -1
        return shape
    sizes = tensor._nested_tensor_size()
    return [len(sizes)] + [-1] * sizes.shape[1]


def device(tensor, recording):
    """The location string of its storage; of its values if it has several."""
    if tensor.layout in SPARSE:
        tensor = tensor._values() if tensor.layout == torch.sparse_coo else tensor.values()
    elif tensor.is_nested:
        tensor = tensor._values if is_jagged(tensor) else tensor.values()
    record = recording.storage_of(tensor) if tensor.device.type != "meta" else None
    return record.location if record else str(tensor.device)


def describe(tensor, recording, offsets):
    with torch._C.DisableTorchFunction():
        strided = tensor.layout == torch.strided and not tensor.is_nested
        record = recording.storage_of(tensor) if plain(tensor) else None
        entry = {
            "dtype": dtype_name(tensor.dtype),
            "shape": nested_shape(tensor) if tensor.is_nested else list(tensor.shape),
            "stride": list(tensor.stride()) if strided else [],
            "offset": tensor.storage_offset() if strided else 0,
            "requires_grad": tensor.requires_grad,
            "kind": kind(tensor),
            "device": device(tensor, recording),
        }
        if strided:
            entry["numel"] = tensor.numel()
            entry["contiguous"] = tensor.is_contiguous()
            if tensor.dtype not in PACKED:
                entry["nbytes"] = tensor.numel() * tensor.element_size()
            entry["conj"] = tensor.is_conj()
            entry["neg"] = tensor.is_neg()
    if record is not None:
        entry["storage"] = {
            "key": record.key,
            "nbytes": record.storage.nbytes(),
            "file_offset": offsets[record.key],
        }
    return entry


def storage_offsets(path):
    """Where in the file the bytes of data/KEY begin, by the local headers."""
    offsets = {}
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        root = archive.namelist()[0].split("/")[0]
        for member in archive.infolist():
            if member.orig_filename.startswith(f"{root}/data/"):
                file.seek(member.header_offset + 26)
                name, extra = struct.unpack("<HH", file.read(4))
                offsets[member.orig_filename[len(root) + 6 :]] = (
                    member.header_offset + 30 + name + extra
                )
    return offsets


def keys_used(tensor, recording):
    """The keys of its storage, and of those of the inner tensors it was made from."""
    keys, pending, seen = set(), [tensor], set()
    while pending:
        value = pending.pop()
        if isinstance(value, (list, tuple)):
            pending.extend(value)
        elif isinstance(value, dict):  # of a jagged tensor; what it caches is no part of it
            pending.extend(part for part in value.values() if isinstance(part, torch.Tensor))
        elif isinstance(value, torch.Tensor) and id(value) not in seen:
            seen.add(id(value))
            made = recording.of(value)
            if made is not None:
                pending.extend(listing.tensor_parts(made))
            if plain(value):
                record = recording.storage_of(value)
                keys |= {record.key} if record else set()
    return keys


def plain(tensor):
    with torch._C.DisableTorchFunction():
        return tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_meta


def sharing(entries, keys):
    """For each entry the paths of the others that use its storage, in the order of the listing."""
    users = {}
    for entry, used in zip(entries, keys):
        for key in used:
            users.setdefault(key, []).append(entry)
    for entry in entries:
        if "storage" in entry:
            others = [other for other in users[entry["storage"]["key"]] if other is not entry]
            entry["storage"]["shared_with"] = [other["path"] for other in others[:100]]
