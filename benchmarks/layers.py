#!/usr/bin/env python3
"""Every layer of the networks by itself, as a share of this machine's multiply-add peak, and why those below 60 % are.

    python3 benchmarks/layers.py WAJAH [--net NET[,NET]] [--precision fp32|int8] [--seconds S] [--threads N]

Runs `wajah bench layers`, whose weights are in cache because a layer is run again and again. Layers that multiply by
Winograd's algorithm are counted as the definition counts them, so they may pass 100 %. A reason follows from the layer's
sizes: what it reads for each product, and how much of a tile or vector its map and channels fill.
"""

import argparse
import json
import os
import subprocess

FULL, LANES = 0.6, 8 if "avx512f" not in open("/proc/cpuinfo", encoding="utf8").read() else 16
NETS = "inception-resnet-v1,mobilefacenet,pnet,rnet,onet"


def measured(binary, net, given):
    command = [binary, "bench", "layers", "--net", net, "--precision", given.precision, "--threads", str(given.threads),
               "--seconds", str(given.seconds), "--json"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def size(shape):
    n, h, w, c = shape
    return n * h * w * c


class Layer:
    def __init__(self, line):
        self.name, self.count, self.ms, self.share = line["layer"], line["count"], line["median_ms"], line["share"]
        self.rate, self.of_peak, self.x, self.y = line["gflops"], line["peak_fraction"], line["in"], line["out"]
        self.macs = 1e6 * line["gflops"] * line["median_ms"] / 2
        self.bytes_in, self.bytes_out = line["bytes_in"], line["bytes_out"]
        self.pixels = size(self.y) // self.y[3]

    @property
    def depthwise(self):
        return self.macs > 0 and self.x[3] == self.y[3] and self.macs < size(self.y) * self.x[3] * 0.9

    @property
    def weights(self):
        return self.macs / self.pixels * self.bytes_in  # as many bytes a weight as its map has a number

    def gigabytes_a_second(self, total):
        return 1e-6 * total / self.ms

    def reason(self):
        """In words, from the sizes alone."""
        maps = self.bytes_in * size(self.x) + self.bytes_out * size(self.y)
        if self.macs == 0:
            return f"multiplies nothing; its maps pass at {self.gigabytes_a_second(maps):.0f} GB/s"
        if self.depthwise:
            if self.bytes_in == 1:
                taps = round(self.macs / size(self.y))
                return f"a window for each channel: {taps} products for each sum, and every byte is made a float and every sum a byte"
            return (f"a window for each channel: {2 * self.macs / maps:.1f} flop for each byte of its maps, which pass at "
                    f"{self.gigabytes_a_second(maps):.0f} GB/s")
        stream = self.gigabytes_a_second(self.weights)
        if self.pixels <= 9:
            uses = "once" if self.pixels == 1 else f"for {self.pixels} pixels"
            return f"{1e-6 * self.weights:.2g} MB of weights are used {uses}: {stream:.0f} GB/s"
        if self.x[3] < LANES // 2:
            taps = round(self.macs / size(self.y) / self.x[3])
            return f"{self.x[3]} channels: {taps} x {self.x[3]} products for each output, so tiles begin and end often"
        if self.y[3] % LANES:
            full = -(-self.y[3] // LANES) * LANES
            return f"{self.y[3]} of {full} lanes are used"
        if self.y[3] <= 2 * LANES:
            return f"{self.y[3]} channels out: {self.y[3] // LANES} vectors a pixel, so each load of the map feeds few products"
        if self.pixels <= 64:
            return f"{self.pixels} pixels and {1e-6 * self.weights:.2g} MB of weights: {stream:.0f} GB/s of them from the second cache"
        return f"{self.ms * 1000:.0f} us: beginning and ending rows of {self.y[2]} pixels"


def table(layers):
    print("| layer | in | out | times | us each | GFLOP/s | % of peak | % of time | why below 60 % |\n|---|---|---|---|---|---|---|---|---|")
    for layer in layers:
        shapes = ["x".join(map(str, shape[1:])) for shape in (layer.x, layer.y)]
        why = layer.reason() if layer.of_peak < FULL else ""
        print(f"| {layer.name} | {shapes[0]} | {shapes[1]} | {layer.count} | {1000 * layer.ms:.1f} | {layer.rate:.1f} | "
              f"{100 * layer.of_peak:.0f} | {100 * layer.share:.1f} | {why} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--net", default=NETS)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    for net in given.net.split(","):
        layers = [Layer(line) for line in measured(given.binary, net, given)]
        total = sum(layer.ms * layer.count for layer in layers)
        full = sum(layer.ms * layer.count for layer in layers if layer.of_peak >= FULL)
        print(f"\n### {net}, {given.precision}, {given.threads} thread{'s' * (given.threads > 1)}: {total:.2f} ms together, "
              f"{100 * full / total:.0f} % of it at {100 * FULL:.0f} % of the peak or more (load {os.getloadavg()[0]:.1f})\n")
        table(layers)


if __name__ == "__main__":
    main()
