"""The network as one would write it in PyTorch: RVSR with its branches merged, channels-last.

Run by ``benchmarks/against_pytorch.py`` and ``benchmarks/on_a_gpu.py`` with an interpreter that has PyTorch
and safetensors, and not this package. Each line of standard input is a request in JSON, answered by a line:
calls of the forward pass, or steps of training by Adam, and the seconds they took.
"""

import argparse
import json
import sys
import time

import torch
from peak_memory import peak_memory
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

FACTOR = 4


class Block(nn.Module):
    def __init__(self, channels, padding):
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding)
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.reduce = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x):
        x = self.convolution(x)
        return x + self.reduce(functional.gelu(self.expand(x), approximate="tanh"))


class MergedRVSR(nn.Module):
    """From reflectance in [-1, 1] (batch, 3, height, width) to four times as many rows and columns."""

    def __init__(self, channels, blocks, padding="zeros"):
        super().__init__()
        self.head = nn.Conv2d(3, channels, 3, padding=1, padding_mode=padding)
        self.blocks = nn.Sequential(*(Block(channels, padding) for _ in range(blocks)))
        self.tail = nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding)
        self.project = nn.Conv2d(channels, 3 * FACTOR**2, 1)

    def forward(self, x):
        head = self.head(x)
        residual = self.project(self.tail(self.blocks(head) + head))
        bilinear = functional.interpolate(x, scale_factor=FACTOR, mode="bilinear", align_corners=False)
        return functional.pixel_shuffle(residual, FACTOR) + bilinear


def network_of(path, device, padding="zeros"):
    weights = load_file(path)
    channels = weights["tail.bias"].numel()
    blocks = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    network = MergedRVSR(channels, blocks, padding)
    network.load_state_dict(weights)
    return network.to(device, memory_format=torch.channels_last)


def channels_last(array):
    return array.permute(0, 3, 1, 2)  # of an array (batch, height, width, channels): no copy


def forward_pass(network, data):
    x = channels_last(data["low"])
    network.eval()

    def call():
        with torch.inference_mode():
            return float(network(x)[0, 0, 0, 0])

    return call


def training_step(network, data):
    low, high = channels_last(data["low"]), channels_last(data["high"])
    network.train()
    adam = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def call():
        adam.zero_grad(set_to_none=True)
        loss = functional.mse_loss(network(low), high)
        loss.backward()
        adam.step()
        return loss.detach()

    return call


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", default="cpu", help="as PyTorch names it, such as cuda")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    calls = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["what"] == "version":
            print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
            continue
        key = asked["what"], asked["padding"], asked["data"]
        if key not in calls:
            network = network_of(asked["weights"], options.device, asked["padding"])
            network = torch.compile(network, dynamic=False) if options.compile else network
            make = forward_pass if asked["what"] == "forward" else training_step
            calls[key] = make(network, load_file(asked["data"], options.device))
        clock, cpu = time.perf_counter(), time.process_time()
        try:
            results = [calls[key]() for _ in range(asked["calls"])]
        except Exception as error:  # whatever a compiler cannot do: the other way is measured on
            print(json.dumps({"fault": f"{type(error).__name__}: {error}".partition("\n")[0]}), flush=True)
            continue
        seconds = time.perf_counter() - clock, time.process_time() - cpu
        answer = {
            "results": [float(each) for each in results],
            "clock": seconds[0] / asked["calls"],
            "cpu": seconds[1] / asked["calls"],
            "memory": peak_memory(),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
