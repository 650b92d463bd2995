# SPDX-License-Identifier: Apache-2.0
"""Importing this package fills registry.CASES."""

from . import (
    checkpoints,
    conformance,
    containers,
    dtypes,
    layers,
    layouts,
    modules,
    names,
    numpy_values,
    objects,
    optimizers,
    protocols,
    quantized,
    sparse,
    subclasses,
    zips,
)
