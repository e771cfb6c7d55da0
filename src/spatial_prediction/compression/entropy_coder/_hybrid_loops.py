"""The loops of the hybrid coder over samples, compiled: forwards to encode, backwards to decode."""

from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled, leading_zeros, mirrored
from spatial_prediction.compression.entropy_coder._bits import append, refill
from spatial_prediction.compression.entropy_coder._memory import piece, pieces_of
from spatial_prediction.compression.entropy_coder._sample_adaptive import counter_of


@compiled
@no_type_check
def _exponent(total, counter, D):
    """Largest k <= max(D - 2, 2) with counter 2^(k+2) <= total + 49/32 counter."""
    threshold = total + ((49 * counter) >> 5)
    k = max(leading_zeros(counter) - leading_zeros(threshold), 0)
    k -= np.int64((counter << k) > threshold)
    return min(max(k - 2, 0), max(D - 2, 2))


@compiled
@no_type_check
def _append_reversed(words, word, pending, accumulator, residual, k, D, U_max):
    """Write a Golomb codeword that can be read backwards."""
    zeros = residual >> k
    beginning, width = ((residual & ((1 << k) - 1)) << 1) | 1, k + 1
    if zeros >= U_max:
        zeros, beginning, width = U_max, residual, D
    word, pending, accumulator = append(words, word, pending, accumulator, beginning, width)
    return append(words, word, pending, accumulator, 0, zeros)


@compiled
@no_type_check
def _code_of(total, counter, thresholds):
    """Last code whose threshold the mean lies below, -1 for none."""
    code = -1
    while code < 15 and (total << 14) < thresholds[code + 1] * counter:
        code += 1
    return code


@compiled
@no_type_check
def encode(
    residuals,
    steps,
    shape,
    sums,
    pixels,
    settings,
    tables,
    prefixes,
    words,
    position,
):
    """Code the next rows; ``prefixes`` are the beginnings of words of several samples."""
    interleaved, D, U_max, gamma_0, gamma_star = settings
    columns = shape[1]
    row_step, column_step, band_step = steps
    word, pending = position >> 5, position & 31
    accumulator = np.int64(words[word]) >> (32 - pending)
    for number in range(pieces_of(shape, interleaved)):
        row, first, last = piece(number, shape, interleaved)
        for column in range(columns):
            ordinal = pixels + row * columns + column
            pixel = row * row_step + column * column_step
            counter = counter_of(ordinal + (1 << gamma_0), gamma_star)
            before = counter_of(ordinal - 1 + (1 << gamma_0), gamma_star)
            full = np.int64(before == (1 << gamma_star) - 1)
            for band in range(first, last):
                residual = np.int64(residuals[pixel + band * band_step])
                if ordinal == 0:
                    word, pending, accumulator = append(words, word, pending, accumulator, residual, D)
                    continue
                total = sums[band]
                if full:
                    word, pending, accumulator = append(words, word, pending, accumulator, total & 1, 1)
                total = (total + 4 * residual + full) >> full
                sums[band] = total
                code = _code_of(total, counter, tables.thresholds)
                if code < 0:
                    k = _exponent(total, counter, D)
                    word, pending, accumulator = _append_reversed(
                        words, word, pending, accumulator, residual, k, D, U_max
                    )
                    continue
                limit = tables.limits[code]
                if residual > limit:
                    word, pending, accumulator = _append_reversed(
                        words, word, pending, accumulator, residual - limit - 1, 0, D, U_max
                    )
                node = tables.children[prefixes[code], min(residual, limit + 1)]
                if tables.is_leaf[node]:
                    word, pending, accumulator = append(
                        words, word, pending, accumulator, tables.word[node], tables.width[node]
                    )
                    node = tables.roots[code]
                prefixes[code] = node
    words[word] = accumulator << (32 - pending)
    return word * 32 + pending


@compiled
@no_type_check
def _take_reversed(words, word, available, window, k, D, U_max):
    """Read what ``_append_reversed`` wrote."""
    word, available, window = refill(words, word, available, window)
    zeros = leading_zeros(window)
    if zeros < U_max:
        window <<= zeros + 1
        available -= zeros + 1
        high, width = zeros << k, k
    else:
        window <<= U_max
        available -= U_max
        high, width = 0, D
    word, available, window = refill(words, word, available, window)
    residual = high | (mirrored(window) & ((np.int64(1) << width) - 1))
    return word, available - width, window << width, residual


@compiled
@no_type_check
def decode(
    residuals,
    steps,
    shape,
    sums,
    pixels,
    settings,
    tables,
    prefixes,
    words,
    position,
    stop,
):
    """Decode the rows before, until ``stop`` bits are read; whether an encoder may have written them."""
    interleaved, D, U_max, gamma_0, gamma_star = settings
    columns = shape[1]
    row_step, column_step, band_step = steps
    word, available, right = (position >> 5) + 1, 32 - (position & 31), True
    window = np.int64(words[word - 1]) << (64 - available)
    for number in range(pieces_of(shape, interleaved) - 1, -1, -1):
        row, first, last = piece(number, shape, interleaved)
        if word * 32 - available > stop:
            return word * 32 - available, right
        for column in range(columns - 1, -1, -1):
            ordinal = pixels + row * columns + column
            pixel = row * row_step + column * column_step
            counter = counter_of(ordinal + (1 << gamma_0), gamma_star)
            before = counter_of(ordinal - 1 + (1 << gamma_0), gamma_star)
            full = before == (1 << gamma_star) - 1
            for band in range(last - 1, first - 1, -1):
                if ordinal == 0:
                    word, available, window = refill(words, word, available, window)
                    residuals[band * band_step] = mirrored(window) & ((np.int64(1) << D) - 1)
                    window <<= D
                    available -= D
                    continue
                total = sums[band]
                code = _code_of(total, counter, tables.thresholds)
                if code < 0:
                    k = _exponent(total, counter, D)
                    word, available, window, residual = _take_reversed(
                        words, word, available, window, k, D, U_max
                    )
                else:
                    node, root = prefixes[code], tables.roots[code]
                    if node == root:
                        word, available, window = refill(words, word, available, window)
                        place = tables.read_word[code]
                        while place > 0:
                            place = tables.branches[place, np.int64(window < 0)]
                            window <<= 1
                            available -= 1
                        right &= place < 0
                        node = -1 - place if place < 0 else tables.children[root, 0]
                    residual = tables.symbol[node]
                    prefixes[code] = tables.parent[node]
                    if residual > tables.limits[code]:
                        word, available, window, residual = _take_reversed(
                            words, word, available, window, 0, D, U_max
                        )
                        residual += tables.limits[code] + 1
                total -= 4 * residual
                if full:
                    word, available, window = refill(words, word, available, window)
                    total += sums[band] + np.int64(window < 0) * -1
                    window <<= 1
                    available -= 1
                possible = total >> (2 + D + gamma_star) == 0
                right &= possible & (residual < (np.int64(1) << D))
                sums[band] = total if possible else 0
                residuals[pixel + band * band_step] = residual
    return word * 32 - available, right
