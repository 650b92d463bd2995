# SPDX-License-Identifier: Apache-2.0
"""Asks whether ptsd and the safetensors library read and write the same files.

    python safetensors_test.py PTSD [--seed N] [--rounds N]

The library writes files of all dtypes and of odd shapes and names: `ptsd ls` tells of them what
load_file gives, with the place of every byte, and `ptsd diff` finds nothing that differs from what
torch.save wrote of the same tensors. `ptsd rewrite --to safetensors` makes of that the library's
file, to the byte. Headers that are damaged at random are refused where the library refuses them.
Started by any Python; runs itself again with the one that has PyTorch.
"""

import argparse
import collections
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

import interpreters
import running
import seeds

DTYPES = (
    "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 uint64 uint32 "
    "uint16 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu "
    "float4_e2m1fn_x2"
).split()
SHAPES = [(), (1,), (3,), (0,), (2, 3), (0, 4), (4, 0), (1, 1, 1), (2, 1, 2, 1, 2), (7, 5)]
NAMES = ["w", "W", "layer.0.weight", "a/b", "~", "é", "\u2028", "\U0001f600", 'quo"te', "back\\slash",
         "\x01\t\n\x7f", " ", "0", "x" * 300]
METADATA = [None, {"format": "pt"}, {"note": 'é\u2028"\\/\x01\x7f\U0001f600'}]

# What ptsd refuses and the library takes: ambiguous, or against the text of the format.
STRICTER = re.compile(
    "stands twice|an array, an object expected|does not begin with {|more than 2\\^64|"
    "a dimension of \\d+ elements|not a checkpoint of a known format"
)


def random_tensor(torch, dtype, shape, chance):
    dtype = getattr(torch, dtype)
    size = torch.empty(shape, dtype=torch.uint8).numel() * dtype.itemsize
    limit = 1 if dtype == torch.bool else 255
    raw = bytes(chance.randint(0, limit) for _ in range(size))
    if not raw:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(dtype).reshape(shape)


def unescaped(path):
    return path.replace("~1", "/").replace("~0", "~")


def raw_bytes(torch, tensor):
    if tensor.numel() == 0:
        return b""
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes()


class Test:
    def __init__(self, options, folder):
        import torch

        self.torch = torch
        self.ptsd = options.ptsd
        self.folder = folder
        self.failures = []
        self.done = collections.Counter()

    def path(self, name):
        return os.path.join(self.folder, name)

    def record(self, what, name, expected, found):
        self.done[what] += 1
        if expected != found:
            self.failures.append((what, name, expected, found))

    def run(self, *words):
        line = [self.ptsd, *words]
        return subprocess.run(line, capture_output=True, cwd=self.folder)

    def models(self, chance, rounds):
        """Name, tensors, metadata."""
        for dtype in DTYPES:
            shapes = [s for s in SHAPES if s or dtype != "float4_e2m1fn_x2"]
            yield dtype, {f"t{i}": random_tensor(self.torch, dtype, shape, chance)
                          for i, shape in enumerate(shapes)}, None
        names = {name: self.torch.tensor([float(i)]) for i, name in enumerate(NAMES)}
        for i, metadata in enumerate(METADATA):
            yield f"names {i}", names, metadata
        yield "nothing", {}, None
        for number in range(rounds):
            tensors = {}
            for _ in range(chance.randint(1, 12)):
                name = "".join(chance.choice(NAMES[:13]) for _ in range(chance.randint(1, 3)))
                dtype, shape = chance.choice(DTYPES), chance.choice(SHAPES[1:])
                tensors[name] = random_tensor(self.torch, dtype, shape, chance)
            yield f"random {number}", tensors, chance.choice(METADATA)

    def read(self, name, tensors, metadata):
        from safetensors.torch import load_file, save_file

        save_file(tensors, self.path("m.safetensors"), metadata=metadata)
        listing = json.loads(self.run("ls", "--json", "--all", "m.safetensors").stdout)
        loaded = load_file(self.path("m.safetensors"))
        items = {unescaped(item["path"]): item for item in listing["tensors"]}
        # Of tensors without bytes in one place, the library has another order in every run.
        filled = [name for name, tensor in loaded.items() if tensor.numel()]
        self.record("names", name, sorted(loaded), sorted(items))
        self.record("order", name, filled, [name for name in items if items[name]["nbytes"]])
        with open(self.path("m.safetensors"), "rb") as file:
            content = file.read()
        for key, tensor in loaded.items():
            item = items[key]
            begin = item["storage"]["file_offset"]
            expected = (str(tensor.dtype), list(tensor.shape), raw_bytes(self.torch, tensor))
            found = ("torch." + item["dtype"], item["shape"], content[begin : begin + item["nbytes"]])
            self.record("tensors read", f"{name}: {item['name']}", expected, found)
        values = [item["value"] for item in listing["other"] if "__metadata__" in item["path"]]
        self.record("metadata", name, sorted((metadata or {}).values()), sorted(values))

    def same_as_pt(self, name, tensors):
        self.torch.save(tensors, self.path("m.pt"))
        answer = self.run("diff", "--json", "m.safetensors", "m.pt")
        found = json.loads(answer.stdout) if answer.stdout else {"stderr": answer.stderr}
        self.record("diff", name, (True, len(tensors)), (found.get("equal"), found.get("same")))

    def written(self, name, tensors, metadata):
        from safetensors.torch import save_file

        self.torch.save(tensors, self.path("m.pt"))
        flags = [f"--metadata={key}={value}" for key, value in (metadata or {}).items()]
        answer = running.run(self.ptsd, "rewrite", self.path("m.pt"), "--to", "safetensors",
                             "-o", self.path("out.safetensors"), "--force", *flags)
        if answer.code != 0:
            self.record("bytes written", name, 0, answer.told())
            return
        # ptsd sets "format"; the library's order of several metadata is another in every run.
        metadata = dict(sorted({**(metadata or {}), "format": "pt"}.items()))
        save_file(tensors, self.path("m.safetensors"), metadata=metadata)
        expected = sorted_metadata(self.path("m.safetensors"), metadata)
        with open(self.path("out.safetensors"), "rb") as file:
            self.record("bytes written", name, expected, file.read())

    def damage(self, chance, rounds):
        from safetensors import safe_open

        header = (
            b'{"__metadata__":{"format":"pt","k":"v"},"a":{"dtype":"F32","shape":[2],'
            b'"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3,1],"data_offsets":[8,11]},'
            b'"c":{"dtype":"I16","shape":[0],"data_offsets":[11,11]}}'
        )
        alphabet = b'{}[]",:0123456789-+.eEF\\uU8I \t\n\0\x80abc'
        for number in range(rounds):
            text = bytearray(header)
            for _ in range(chance.randint(1, 2)):
                at = chance.randrange(len(text))
                if chance.random() < 0.5:
                    text[at] = chance.choice(alphabet)
                elif chance.random() < 0.5:
                    del text[at : at + chance.randint(1, 3)]
                else:
                    text[at:at] = bytes(chance.choice(alphabet) for _ in range(chance.randint(1, 2)))
            path = self.path("d.safetensors")
            with open(path, "wb") as file:
                file.write(struct.pack("<Q", len(text)) + text + b"01234567890")
            try:
                with safe_open(path, framework="pt") as opened:
                    tensors = {name: opened.get_tensor(name) for name in opened.keys()}
                    for alias, kept in (opened.metadata() or {}).items():
                        if alias != "format" and kept in tensors:
                            tensors.setdefault(alias, tensors[kept])
                expected = sorted((name, list(tensor.shape)) for name, tensor in tensors.items())
            except Exception:  # its own, and those of torch
                expected = None
                self.done["damage that both refuse"] += 1
            answer = self.run("ls", "--json", "d.safetensors")
            if answer.returncode == 0:
                items = json.loads(answer.stdout)["tensors"]
                found = sorted((unescaped(item["path"]), item["shape"]) for item in items)
                self.record("damage", bytes(text), expected, found)
            elif expected is not None:
                reason = answer.stderr.decode()
                self.record("stricter", bytes(text), True, bool(STRICTER.search(reason)))


def sorted_metadata(path, metadata):
    """The file, with its metadata in this order."""
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0]
    text = content[8 : 8 + size].decode()
    _, end = json.JSONDecoder().raw_decode(text, len('{"__metadata__":'))
    dumped = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    if len(text) == len('{"__metadata__":') or not text.startswith('{"__metadata__":'):
        # Without a tensor the library writes no JSON.
        text, end = '{"__metadata__":{}}', len('{"__metadata__":{}')
    text = ('{"__metadata__":' + dumped + text[end:]).rstrip(" ")
    encoded = text.encode()
    encoded += b" " * (-len(encoded) % 8)
    return struct.pack("<Q", len(encoded)) + encoded + content[8 + size :]


def run(options, folder):
    test = Test(options, folder)
    chance = random.Random(options.seed)
    for name, tensors, metadata in test.models(chance, options.rounds):
        test.read(name, tensors, metadata)
        if not tensors:
            continue
        test.same_as_pt(name, tensors)
        test.written(name, tensors, metadata)
    test.damage(chance, 40 * options.rounds)
    print(", ".join(f"{count} {what}" for what, count in sorted(test.done.items())))
    for failure in test.failures[:20]:
        print("DIFFERENT:", *failure, sep="\n  ")
    return 1 if test.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptsd")
    seeds.add_seed(parser)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--here", action="store_true", help="this Python has PyTorch")
    options = parser.parse_args()
    if not options.here:
        python = interpreters.require("new", "safetensors as its library sees it")
        print(f"seed {options.seed}", flush=True)
        words = ["--seed", str(options.seed), "--rounds", str(options.rounds), "--here"]
        ptsd = os.path.abspath(options.ptsd)
        sys.exit(subprocess.run([python, "-B", __file__, ptsd, *words]).returncode)
    interpreters.require_module("safetensors", "safetensors as its library sees it")
    with tempfile.TemporaryDirectory(prefix="ptsd-safetensors-") as folder:
        sys.exit(run(options, folder))


if __name__ == "__main__":
    main()
