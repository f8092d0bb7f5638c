"""Trains what objections mean (`python -m dev.evaluations.negotiation.train`): weights over the local model's vectors, from the answers meant for it,
never from the held-out ones.

Multinomial logistic regression with a penalty on large weights, every class weighing the same. Nothing in it is drawn by chance, so that the same
answers give the same weights. Each answer is read by weights that have not seen it, once alone and once beside a harmless sentence that they have
not seen either. From that follow the threshold, below which an answer goes to a person, and the penalty with which most are read right there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dev.evaluations.negotiation.measure import Utterance, utterances
from services.data.knowledge.embedder import LocalEmbedder
from services.decision.negotiation.domain.classify import taken_back
from services.decision.negotiation.domain.weights import FILE, NONE, Judged, LeftOut, Weights, judge, parts

VERSION = "objections-1"
ALLOWED = 0.02
"""Share of answers that may be taken for another objection, left out of the training: the goal of `dealix eval negotiation`."""
PENALTIES = (3e-4, 1e-3, 3e-3)
FOLDS = 10
STEPS = 600
SPREAD = 3.0
"""Vectors of this model lie close together: they are centred and stretched to this length before the penalty looks at weights."""
LOWEST, STEP = 0.4, 0.01
DIGITS = 2


def answers() -> list[Utterance]:
    """What is learned from: never the held-out part."""
    return [one for one in utterances() if one.part in ("tuning", "learned")]


def digest(of: Sequence[Utterance]) -> str:
    """SHA-256 over what is learned from, as it stands beside the weights."""
    plain = json.dumps([[one.objection, one.text] for one in of], ensure_ascii=False).encode()
    return hashlib.sha256(plain).hexdigest()


def trained(vectors: Any, labels: Sequence[str], penalty: float, *, model_id: str = "", learned: str = "") -> Weights:
    """The weights that fit labelled vectors best, by accelerated gradient descent (Nesterov 1983) from zero."""
    names = sorted(set(labels))
    wanted = np.asarray([names.index(one) for one in labels])
    center = vectors.mean(axis=0)
    scale = SPREAD / np.sqrt(((vectors - center) ** 2).sum(axis=1).mean())
    x, count = (vectors - center) * scale, len(labels)
    share = count / (len(names) * np.bincount(wanted)[wanted])
    target = np.eye(len(names))[wanted]
    pace = 0.5 * share.max() * (np.linalg.norm(x, 2) ** 2 / count + 1) + penalty
    found, ahead = np.zeros((x.shape[1] + 1, len(names))), np.zeros((x.shape[1] + 1, len(names)))
    momentum = 1.0
    for _ in range(STEPS):
        scores = x @ ahead[:-1] + ahead[-1]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        rest = (shares / shares.sum(axis=1, keepdims=True) - target) * share[:, None] / count
        slope = np.vstack([x.T @ rest + penalty * ahead[:-1], rest.sum(axis=0)])
        after = ahead - slope / pace
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        found, ahead, momentum = after, after + (momentum - 1) / following * (after - found), following
    weight = found[:-1] * scale
    bias = found[-1] - center @ weight
    return Weights(
        version=VERSION, model_id=model_id, trained_on=learned, threshold=0.5,
        bias={name: round(float(bias[at]), DIGITS) for at, name in enumerate(names)},
        classes={name: tuple(round(float(one), DIGITS) for one in weight[:, at]) for at, name in enumerate(names)},
    )  # fmt: skip


@dataclass(frozen=True)
class Unseen:
    """How answers are read by weights that have not seen them: what each says, and its parts' probabilities."""

    right: tuple[str, ...]
    of_parts: tuple[tuple[dict[str, float], ...], ...]
    denied: tuple[tuple[frozenset[str], ...], ...]

    def at(self, threshold: float) -> tuple[LeftOut, LeftOut]:
        """How answers are read, alone and beside a harmless sentence, where an objection is believed from `threshold` on."""
        read = [judge(shares, threshold, denied) for shares, denied in zip(self.of_parts, self.denied, strict=True)]
        said = [one.objection if _believed(one, threshold) else NONE for one in read]
        pairs = list(zip(said, self.right, strict=True))
        return _counted(pairs[::2]), _counted(pairs[1::2])


def _counted(pairs: Sequence[tuple[str | None, str]]) -> LeftOut:
    wrong = sum(a not in (b, NONE) for a, b in pairs)
    return LeftOut(answers=len(pairs), right=sum(a == b for a, b in pairs), wrong=wrong)


def _believed(one: Judged, threshold: float) -> bool:
    return one.objection is not None and one.probability >= threshold


def left_out(of: Sequence[Utterance], vectors: dict[str, Any], penalty: float) -> Unseen:
    """Every answer read by weights from the other folds, alone and beside a harmless answer of its own fold."""
    fold = _folds([one.objection for one in of])
    right, shares, denied = [], [], []
    for now in range(FOLDS):
        seen = [one for one, at in zip(of, fold, strict=True) if at != now]
        made = trained(np.asarray([vectors[one.text] for one in seen]), [one.objection for one in seen], penalty)
        out = [one for one, at in zip(of, fold, strict=True) if at == now]
        harmless = [one.text for one in out if one.objection == NONE]
        for at, one in enumerate(out):
            beside = next(text for text in (*harmless[at % len(harmless) :], *harmless) if text != one.text)
            for said in (parts(one.text), parts(f"{beside}. {one.text}")):
                right.append(one.objection)
                shares.append(tuple(made.probabilities([vectors[part] for part in said])))
                denied.append(tuple(taken_back(part) for part in said))
    return Unseen(tuple(right), tuple(shares), tuple(denied))


def _folds(labels: Sequence[str]) -> list[int]:
    """Every class dealt out in turn."""
    seen: dict[str, int] = {}
    dealt = []
    for one in labels:
        dealt.append(seen.get(one, 0) % FOLDS)
        seen[one] = seen.get(one, 0) + 1
    return dealt


def threshold(read: Unseen, allowed: float = ALLOWED) -> float:
    """The lowest from which on no more than this share is taken for another objection."""
    steps = [round(float(one), 2) for one in np.arange(LOWEST, 0.99, STEP)]
    fits = [one for one in steps if sum(found.wrong for found in read.at(one)) <= allowed * len(read.right)]
    return fits[0] if fits else steps[-1]


async def _vectors(embedder: LocalEmbedder, texts: Sequence[str]) -> dict[str, Any]:
    return dict(zip(texts, np.asarray(await embedder.vectors(texts)), strict=True))


def main() -> None:
    of, embedder = answers(), LocalEmbedder()
    texts = list(dict.fromkeys([one.text for one in of] + [part for one in of for part in parts(one.text)]))
    vectors = asyncio.run(_vectors(embedder, texts))
    read = {penalty: left_out(of, vectors, penalty) for penalty in PENALTIES}
    lines = {one: threshold(read[one]) for one in PENALTIES}
    penalty = max(PENALTIES, key=lambda one: sum(found.right for found in read[one].at(lines[one])))
    line = lines[penalty]
    for one in (0.0, line):
        for where, found in zip(("alone", "beside a harmless sentence"), read[penalty].at(one), strict=True):
            print(f"left out, {where}, from {one} on: {found.right} of {found.answers} right, {found.wrong} wrong")
    print(f"penalty {penalty}, threshold {line}")
    alone, beside = read[penalty].at(line)
    made = trained(
        np.asarray([vectors[one.text] for one in of]), [one.objection for one in of], penalty, model_id=embedder.model_id, learned=digest(of)
    ).evolve(threshold=line, alone=alone, beside=beside)  # fmt: skip
    FILE.write_text(written(made), encoding="utf-8")


def written(made: Weights) -> str:
    """As JSON with one class a line, so that a change can be looked at."""
    document = made.model_dump()
    classes = document.pop("classes")
    lines = ",\n".join(f' "{name}": {json.dumps(list(of), separators=(",", ":"))}' for name, of in classes.items())
    head = json.dumps(document, indent=1)[:-2]
    return f'{head},\n "classes": {{\n{lines}\n }}\n}}\n'


if __name__ == "__main__":
    main()
