"""The 16 codes for bands with little left to code (CCSDS 123.0-B-2, annex B), as tables.

Each code turns words of symbols into words of bits, both of variable length. Its input words are the leaves
of a tree, along which symbols lead from the root; a node within stands for the beginning of a word, and has a
word of bits for a stream that ends there. No word of bits is the end of another: they are read backwards.
"""

import functools
import json
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64

SYMBOLS = 14
"""At most: 0 to 12, and one for all above the code's limit."""

MOST_SYMBOLS = 256
"""No word of bits stands for more."""


class Codes(NamedTuple):
    """The codes; nodes of all trees are numbered together.

    Attributes:
        thresholds: A band is coded with the last code whose threshold its mean lies below.
        limits: Largest residual that is a symbol of its own.
        roots: Node at which each tree begins.
        children: Node to which a symbol leads, 0 where there is none.
        is_leaf: 1 where an input word ends.
        parent: Node before.
        symbol: Symbol that leads here.
        word: Bits that are written: of a leaf at once, of another node if the stream ends there.
        width: Number of these bits.
        read_word: For each code where a search for a leaf begins in ``branches``.
        read_end: Likewise of a search for any other node.
        branches: Where to go on, by which bit comes next (backwards): -1 - node where the search ends, 0
            where no word goes on so.
    """

    thresholds: Int64[np.ndarray, "16"]
    limits: Int64[np.ndarray, "16"]
    roots: Int64[np.ndarray, "16"]
    children: Int64[np.ndarray, "nodes 14"]
    is_leaf: Int64[np.ndarray, " nodes"]
    parent: Int64[np.ndarray, " nodes"]
    symbol: Int64[np.ndarray, " nodes"]
    word: Int64[np.ndarray, " nodes"]
    width: Int64[np.ndarray, " nodes"]
    read_word: Int64[np.ndarray, "16"]
    read_end: Int64[np.ndarray, "16"]
    branches: Int64[np.ndarray, "branches 2"]


@functools.cache
def codes() -> Codes:
    """Read the tables: for each code a tree, whose inner nodes are lists of their word and their children."""
    file = resources.files("spatial_prediction.compression.entropy_coder").joinpath("low_entropy_codes.json")
    described = json.loads(file.read_text(encoding="utf-8"))
    nodes: list[tuple[int, int, str, bool]] = []  # parent, symbol, bits, whether a leaf
    children: list[list[int]] = []
    branches: list[list[int]] = [[0, 0]]  # the first is never a place to go on
    roots, starts = [], []
    for code in described:
        roots.append(len(nodes))
        waiting: list[tuple[int, int, Any]] = [(0, 0, code["tree"])]
        while waiting:
            parent, symbol, tree = waiting.pop()
            number, is_leaf = len(nodes), isinstance(tree, str)
            nodes.append((parent, symbol, tree if is_leaf else tree[0], is_leaf))
            children.append([0] * SYMBOLS)
            if number != roots[-1]:
                children[parent][symbol] = number
            if not is_leaf:
                waiting.extend((number, at, child) for at, child in enumerate(tree[1:]))
        for leaves in (True, False):
            starts.append(len(branches))
            branches.append([0, 0])
            for number in range(roots[-1], len(nodes)):
                if nodes[number][3] == leaves:
                    _add_branches(branches, starts[-1], nodes[number][2], -1 - number)
    parents, symbols, bits, is_leaf_of = zip(*nodes, strict=True)

    def array(values: Any) -> np.ndarray:
        return np.array(values, np.int64)

    return Codes(
        thresholds=array([code["threshold"] for code in described]),
        limits=array([code["limit"] for code in described]),
        roots=array(roots),
        children=array(children),
        is_leaf=array(is_leaf_of),
        parent=array(parents),
        symbol=array(symbols),
        word=array([int(word, 2) for word in bits]),
        width=array([len(word) for word in bits]),
        read_word=array(starts[::2]),
        read_end=array(starts[1::2]),
        branches=array(branches),
    )


def _add_branches(branches: list[list[int]], start: int, bits: str, target: int) -> None:
    """Lead from ``start`` along the reversed bits to ``target``."""
    *before, last = (int(bit) for bit in reversed(bits))
    place = start
    for bit in before:
        if not branches[place][bit]:
            branches[place][bit] = len(branches)
            branches.append([0, 0])
        place = branches[place][bit]
    branches[place][last] = target
