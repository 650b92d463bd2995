# SPDX-License-Identifier: Apache-2.0
"""The seed of a test that draws: PTSD_SEED, else another in every run. It is always printed."""

import os
import random


def add_seed(options):
    drawn = random.SystemRandom().randrange(10**6)
    options.add_argument("--seed", type=int, default=os.environ.get("PTSD_SEED") or drawn)
