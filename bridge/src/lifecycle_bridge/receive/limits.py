# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Limits how many requests are taken in a minute, by token buckets in the memory of this process."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass
class _Bucket:
    left: float
    at: float


class Limits:
    """A bucket for each key: it holds the requests of one minute, and fills again all the time.

    :param clock: returns seconds that only go forward.
    :param most: how many keys are kept; the one that was not used for longest is removed first.
    """

    def __init__(self, clock: Callable[[], float], most: int = 10_000) -> None:
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def wait(self, key: Hashable, per_minute: float) -> int:
        """Return the seconds until one more request is taken; 0 for now. Takes nothing from the bucket."""
        left = self._filled(key, per_minute).left
        return 0 if left >= 1 else math.ceil((1 - left) * 60 / per_minute)

    def take(self, key: Hashable, per_minute: float) -> int:
        """Take one request from the bucket and return 0; return the seconds to wait when it is empty."""
        seconds = self.wait(key, per_minute)
        if not seconds:
            self._buckets[key].left -= 1
        return seconds

    def _filled(self, key: Hashable, per_minute: float) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(per_minute, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        bucket.left = min(per_minute, bucket.left + (now - bucket.at) * per_minute / 60)
        bucket.at = now
        return bucket
