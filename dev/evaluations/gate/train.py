"""Trains the gate's sense of an instruction: which short texts read like orders to a machine (`python -m dev.evaluations.gate.train`).

A logistic regression over what words do, how they begin, and pairs of words, trained on the tuning part alone. Cross-validation says whether it adds
anything to the patterns; the threshold is the lowest at which no more than `ALLOWED` of the harmless texts left out are stopped by it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dev.evaluations.gate.measure import OWN, Case, cases
from libs.contracts.catalogue.screening import Level
from libs.screening.intent import FILE, WORDS_AT_LEAST, features, weight
from libs.screening.screen import screen

ALLOWED = 0.045
KEPT = 4000
FOLDS = 10
STRENGTH = 0.05
"""Weight of the penalty on large weights."""
SEED = 7
STEPS = 12
SPOKEN = frozenset({"lead", "mail", "document"})


@dataclass(frozen=True)
class Model:
    weights: dict[str, float]
    bias: float

    def score(self, found: frozenset[str]) -> float:
        total = sum(self.weights.get(one, 0.0) * weight(one) for one in found)
        return self.bias + total / max(1.0, math.sqrt(len(found)))


def spoken() -> list[Case]:
    """Tuning texts that say something: a name is too short to be an order, and secrets and links are patterns' work."""
    return [
        one
        for one in cases()
        if one.part == "tuning" and one.where in SPOKEN and len(one.text.split()) >= WORDS_AT_LEAST
    ]


def trained(found: Sequence[frozenset[str]], labels: Sequence[bool]) -> Model:
    """Weights of every feature that more than one text has."""
    seen = Counter(one for text in found for one in text)
    names = sorted(one for one, count in seen.items() if count > 1)
    place = {one: index for index, one in enumerate(names)}
    x = np.zeros((len(found), len(names)))
    for row, text in enumerate(found):
        for one in text:
            if one in place:
                x[row, place[one]] = weight(one) / max(1.0, len(text) ** 0.5)
    shares, bias = _fitted(x @ x.T, np.asarray(labels, dtype=float))
    best = x.T @ shares
    return Model({one: float(best[index]) for one, index in place.items()}, bias)


def _fitted(k: Any, t: Any) -> tuple[Any, float]:
    """Penalised logistic regression by iteratively reweighted least squares over the texts' similarities: there are fewer texts than
    features. The share of each text in the weights, and the bias."""
    count = len(t)
    shares, bias = np.zeros(count), 0.0
    for _ in range(STEPS):
        f = k @ shares + bias
        p = 1 / (1 + np.exp(-f))
        w = np.maximum(p * (1 - p), 1e-5)
        system = np.block(
            [[k + 2 * STRENGTH * np.diag(1 / w), np.ones((count, 1))], [np.ones((1, count)), np.zeros((1, 1))]]
        )
        solved = np.linalg.solve(system, np.append(f + (t - p) / w, 0.0))
        shares, bias = solved[:-1], float(solved[-1])
    return shares, bias


def left_out(found: Sequence[frozenset[str]], labels: Sequence[bool]) -> list[float]:
    """The score of each text by a model that has not seen it."""
    order = np.random.default_rng(SEED).permutation(len(found))
    scores = [0.0] * len(found)
    for fold in range(FOLDS):
        out = set(order[fold::FOLDS].tolist())
        model = trained(
            [one for index, one in enumerate(found) if index not in out],
            [one for index, one in enumerate(labels) if index not in out],
        )
        for index in out:
            scores[index] = model.score(found[index])
    return scores


def _by_patterns(case: Case) -> bool:
    """Whether the gate stops a text without what is trained here."""
    found = screen(case.text, case.direction, OWN)
    return any(one.level is not Level.NOTE for one in found if one.code != "instruction_like")


def threshold(scores: Sequence[float], labels: Sequence[bool], allowed: float) -> float:
    """The lowest score at which at most this share of the harmless texts is stopped."""
    harmless = sorted((score for score, attack in zip(scores, labels, strict=True) if not attack), reverse=True)
    return round(harmless[int(allowed * len(harmless))] + 1e-3, 3)


def main() -> None:
    texts = spoken()
    found, labels = [features(one.text) for one in texts], [one.attack for one in texts]
    scores = left_out(found, labels)
    line = threshold(scores, labels, ALLOWED)
    sure = threshold(scores, labels, 0.0)
    patterns = [_by_patterns(one) for one in texts]
    for name, stopped in (
        ("patterns as they are", patterns),
        ("left out, alone", [score >= line for score in scores]),
        ("left out, with patterns", [p or s >= line for p, s in zip(patterns, scores, strict=True)]),
    ):
        caught = sum(s for s, a in zip(stopped, labels, strict=True) if a)
        wrong = sum(s for s, a in zip(stopped, labels, strict=True) if not a)
        print(f"{name}: {caught} of {sum(labels)} attacks, {wrong} of {len(labels) - sum(labels)} harmless texts")
    model = trained(found, labels)
    kept = sorted(model.weights.items(), key=lambda item: -abs(item[1]))[:KEPT]
    weights = {name: round(value, 3) for name, value in sorted(kept) if abs(value) >= 0.001}
    document = {
        "version": "1", "threshold": line, "sure": sure, "bias": round(model.bias, 4),
        "weights": weights,
    }  # fmt: skip
    FILE.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{len(weights)} weights, from {line} on; surely from {sure} on")


if __name__ == "__main__":
    main()
