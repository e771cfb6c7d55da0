#!/usr/bin/env bash
# PyTorch 2.13.0 on a CPU: a network that pads by replication computes after torch.compile, but cannot be trained.
#
# Two convolutions, the second with padding_mode="replicate": the compiled forward pass is right, the backward pass
# ends with an AssertionError about the strides of replication_pad2d_backward, in either memory format. With zeros,
# reflected or circular padding the same two layers train, and their gradients agree with those of eager mode to 1e-8.
#
# Affected: networks with padding for borders of images, which run for hours in eager mode before somebody compiles
# them, and benchmarks that take the compiler for the better way.
# Remedy: eager mode for training; compile for inference only.
#
# Seen (Linux, x86-64, Python 3.11, GCC 12):
#   zeros: gradients agree   replicate: AssertionError   reflect: gradients agree   circular: gradients agree
#
# Exits with 0 while this is so, with 1 when it has changed. Needs a C++ compiler, which torch.compile calls.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "numpy==2.3.5"
TORCHINDUCTOR_CACHE_DIR=$folder/cache "$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
from torch import nn


def seen_with(padding):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, padding_mode=padding),
        nn.Conv2d(16, 16, 3, padding=1, padding_mode=padding),
    )
    images = torch.randn(4, 3, 24, 24)
    compiled = torch.compile(network, dynamic=False)
    with torch.no_grad():
        assert torch.allclose(compiled(images), network(images), atol=1e-5), "forward passes differ"
    gradients = []
    for way in (network, compiled):
        network.zero_grad()
        try:
            way(images).square().mean().backward()
        except AssertionError:
            return "AssertionError"
        gradients.append([each.grad.clone() for each in network.parameters()])
    agree = all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients))
    return "gradients agree" if agree else "gradients differ"


seen = {padding: seen_with(padding) for padding in ("zeros", "replicate", "reflect", "circular")}
print("   ".join(f"{padding}: {what}" for padding, what in seen.items()))
expected = {padding: "gradients agree" for padding in seen} | {"replicate": "AssertionError"}
sys.exit(0 if seen == expected else "changed: the values above are not those that were seen")
PYTHON
