"""Upscale a raster by PyTorch as one would without a library for it: a loop over overlapping tiles.

Run by ``benchmarks/against_pytorch_upscaling.py`` with an interpreter that has PyTorch, rasterio and
safetensors, and not this package. The network is RVSR with its branches merged and zero padding, compiled by
``torch.compile``, channels-last. It is compiled before the first line is read from standard input; each line
``tile overlap path`` makes a file, and is answered by the seconds of the CPU and of the clock.
"""

import argparse
import json
import resource
import sys
import time
from contextlib import nullcontext

import numpy as np
import rasterio
import torch
from pytorch_network import FACTOR, network_of
from rasterio.windows import Window
from torch import nn

HALF_RANGE = 5000
"""The network's values are DN / 5000 - 1."""


class InDN(nn.Module):
    """From DN (batch, 3, height, width) to DN of the output, rounded to whole numbers of at least 1."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, dn):
        return ((self.network(dn / HALF_RANGE - 1) + 1) * HALF_RANGE).round().clamp(1, 65535)


def spans(size, tile, overlap):
    """What each tile keeps and where it is read; windows at the border are shifted inwards."""
    length = min(tile + 2 * overlap, size)
    for start in range(0, size, tile):
        yield slice(start, min(start + tile, size)), min(max(start - overlap, 0), size - length), length


def upscale(predict, source, target, tile, overlap):
    with rasterio.open(source) as image:
        profile = {
            "driver": "GTiff",
            "dtype": "uint16",
            "count": 3,
            "height": image.height * FACTOR,
            "width": image.width * FACTOR,
            "crs": image.crs,
            "transform": image.transform * image.transform.scale(1 / FACTOR),
            "nodata": 0,
            "tiled": True,
            "blockxsize": 512,
            "blockysize": 512,
            "interleave": "band",
        }
        with rasterio.open(target, "w", **profile) as out:
            for rows, top, height in spans(image.height, tile, overlap):
                for columns, left, width in spans(image.width, tile, overlap):
                    dn = image.read(window=Window(left, top, width, height)).astype(np.float32)
                    made = predict(dn)
                    y, x = ((kept.start - at) * FACTOR for kept, at in ((rows, top), (columns, left)))
                    h, w = ((kept.stop - kept.start) * FACTOR for kept in (rows, columns))
                    window = Window(columns.start * FACTOR, rows.start * FACTOR, w, h)
                    out.write(made[:, y : y + h, x : x + w].astype(np.uint16), window=window)


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--windows", type=int, nargs="+", required=True, help="sizes that will be asked for")
    parser.add_argument("--freeze", action="store_true", help="let the compiler lay out weights beforehand")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    frozen = torch._inductor.config.patch(freezing=True) if options.freeze else nullcontext()
    with torch.inference_mode(), frozen:
        network = InDN(network_of(options.weights, "cpu")).eval()
        network = torch.compile(network, dynamic=False)

        def predict(dn):
            batch = torch.from_numpy(dn)[None].to(memory_format=torch.channels_last)
            return network(batch)[0].numpy()

        for size in options.windows:
            predict(np.zeros((3, size, size), np.float32))
        print(json.dumps({"torch": torch.__version__, "rasterio": rasterio.__version__}), flush=True)
        for line in sys.stdin:
            tile, overlap, target = line.rstrip("\n").split(" ", 2)
            clock, cpu = time.perf_counter(), cpu_seconds()
            upscale(predict, options.source, target, int(tile), int(overlap))
            print(json.dumps([cpu_seconds() - cpu, time.perf_counter() - clock]), flush=True)


if __name__ == "__main__":
    main()
