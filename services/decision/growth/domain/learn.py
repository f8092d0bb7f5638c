"""From contacts reached and answered to what they say about segments, messages and channels. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from libs.contracts.arabic import DAYS
from libs.contracts.experiments import ExperimentPlan, Varies
from libs.contracts.learning import Arm, Compared, Dimension, ObjectionCount, ToStop, Touch
from libs.contracts.message import Text
from services.decision.domain import untrusted
from services.decision.growth.domain.chance import CONFIDENCE, LEAST, difference, per_arm, wilson
from services.decision.negotiation.domain.classify import classify, playbook

LIFT = 1.5
LEAST_LIFT = 0.03
"""An experiment looks for half as much again, and at least three points."""
LEAST_DAYS, MOST_DAYS = 14, 180
LEAST_VOICES = 5
METRIC = "experiment_reply_rate"
NAMES: Mapping[Dimension, Text] = {
    "segment": Text(en="segment", ar="القطاع"),
    "message": Text(en="message", ar="الرسالة"),
    "channel": Text(en="channel", ar="القناة"),
}
Keyed = Callable[[Touch], str | None]


def arm(key: str, name: Text, touches: Sequence[Touch]) -> Arm:
    hits = sum(one.replied for one in touches)
    low, high = wilson(hits, len(touches))
    rate = hits / len(touches) if touches else 0.0
    return Arm(
        key=key, name=name, reached=len(touches), replied=hits, rate=rate, low=min(low, rate), high=max(high, rate)
    )


def compare(dimension: Dimension, touches: Iterable[Touch], key: Keyed, name: Callable[[str], Text]) -> Compared:
    """The arms of a dimension. An arm is best or worst where its share differs from that of all others together beyond chance; looking at
    many arms makes chance finds likelier, and the interval is widened by their number (Bonferroni)."""
    groups: dict[str, list[Touch]] = defaultdict(list)
    for touch in touches:
        if (found := key(touch)) is not None:
            groups[found].append(touch)
    arms = sorted((arm(one, name(one), group) for one, group in groups.items()), key=lambda a: (-a.reached, a.key))
    total, hits = sum(one.reached for one in arms), sum(one.replied for one in arms)
    fit = [one for one in arms if one.reached >= LEAST and total - one.reached >= LEAST]
    # Two arms are one comparison, seen from either side.
    confidence = 1 - (1 - CONFIDENCE) / (len(fit) if len(arms) > 2 and fit else 1)
    better, worse = [], []
    for one in fit:
        low, high = difference(one.replied, one.reached, hits - one.replied, total - one.reached, confidence)
        if low > 0:
            better.append((low, one))
        elif high < 0:
            worse.append((high, one))
    best = max(better, key=lambda pair: pair[0])[1] if better else None
    worst = min(worse, key=lambda pair: pair[0])[1] if worse else None
    return Compared(
        dimension=dimension, arms=tuple(arms), enough=bool(fit), best=best, worst=worst,
        said=_said(dimension, arms, fit, best, worst),
    )  # fmt: skip


def _said(dimension: Dimension, arms: Sequence[Arm], fit: Sequence[Arm], best: Arm | None, worst: Arm | None) -> Text:
    what = NAMES[dimension]
    if not fit:
        most = arms[0].reached if arms else 0
        return Text(
            en=f"Not enough data: a comparison needs {LEAST} contacts on each side; the largest {what.en} has {most} of {sum(a.reached for a in arms)}.",
            ar=f"البيانات لا تكفي. أقل عدد للمقارنة في كل طرف: {LEAST}، والأكبر حاليًا: {most} من {sum(a.reached for a in arms)}.",
        )
    parts = [(one, en, ar) for one, en, ar in ((best, "Best", "الأفضل"), (worst, "Worst", "الأضعف")) if one is not None]
    if not parts:
        return Text(en=f"No {what.en} differs from the rest beyond chance.", ar="لا فرق بينها يتجاوز الصدفة.")
    return Text(
        en=" ".join(f"{en}: {one.name.en}, {one.replied} of {one.reached} answered." for one, en, _ in parts),
        ar=" ".join(f"{ar}: {one.name.ar}، ردّ {one.replied} من {one.reached}." for one, _, ar in parts),
    )


def objections(texts: Iterable[str]) -> tuple[int, tuple[ObjectionCount, ...]]:
    """How many messages were read, and how many of them raise each objection, the most frequent first."""
    counts: dict[str, int] = defaultdict(int)
    read = 0
    for text in texts:
        clean = untrusted.notes(text).text
        if clean is None:
            continue
        read += 1
        if (found := classify(clean).objection) is not None:
            counts[found] += 1
    made = []
    for key, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        low, high = wilson(count, read)
        rule = playbook().objections[key]
        made.append(
            ObjectionCount(
                objection=key, name=Text(en=rule.en, ar=rule.ar), count=count, share=count / read, low=low, high=high
            )
        )
    return read, tuple(made)


def to_stop(compared: Iterable[Compared]) -> tuple[ToStop, ...]:
    """What got clearly fewer answers than all the rest."""
    return tuple(
        ToStop(
            dimension=one.dimension, key=one.worst.key,
            why=Text(
                en=f"{one.worst.name.en}: {one.worst.replied} of {one.worst.reached} answered, fewer than the rest beyond chance.",
                ar=f"{one.worst.name.ar}: ردّ {one.worst.replied} من {one.worst.reached}، أقل من البقية بما يتجاوز الصدفة.",
            ),
        )
        for one in compared
        if one.worst is not None
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two arms worth comparing: what varies, what is done now, what would be tried, what both are called, and how the first has done."""

    varies: Varies
    arms: tuple[str, str]
    names: tuple[Text, Text]
    reached: int
    replied: int


def next_experiment(candidates: Iterable[Candidate], weekly: float) -> tuple[ExperimentPlan | None, Text]:
    """The plan of the first candidate that rows give a base for and that could end in time; None, with what is missing. `weekly` is how many
    contacts are reached a week."""
    said = Text(
        en=f"Not enough data for an experiment: it needs {LEAST} contacts reached and some answers.",
        ar=f"البيانات لا تكفي لتجربة: يلزم وجود بعض الردود، وأقل عدد من الجهات: {LEAST}.",
    )
    for one in candidates:
        if one.reached < LEAST or not one.replied or one.replied == one.reached:
            continue
        baseline = one.replied / one.reached
        detects = max(baseline * LIFT, baseline + LEAST_LIFT)
        if detects >= 1:
            continue
        need = max(LEAST, per_arm(baseline, detects))
        days = math.ceil(2 * need / weekly * 7) if weekly > 0 else MOST_DAYS + 1
        if days > MOST_DAYS:
            said = Text(
                en=f"An experiment would need {need} contacts an arm: about {days} days at the present pace, more than {MOST_DAYS}.",
                ar=f"تطول التجربة على الوتيرة الحالية. الجهات لكل طرف: {need}، والمدة: {DAYS(days)}، والحد: {DAYS(MOST_DAYS)}.",
            )
            continue
        first, second = one.names
        hypothesis = f"بتجربة «{second.ar}» بدل «{first.ar}» ترتفع نسبة الرد من {baseline:.1%} إلى {detects:.1%}."
        plan = ExperimentPlan(
            hypothesis=hypothesis, metric=METRIC, varies=one.varies, arms=one.arms, baseline=baseline, detects=detects, sample_size=need,
            max_days=max(LEAST_DAYS, days),
        )  # fmt: skip
        return plan, Text(
            en=f"{second.en} instead of {first.en}: {need} contacts an arm, about {max(LEAST_DAYS, days)} days.",
            ar=f"{second.ar} بدل {first.ar}. الجهات لكل طرف: {need}، والمدة نحو {DAYS(max(LEAST_DAYS, days))}.",
        )
    return None, said


def improvement(read: int, raised: Sequence[ObjectionCount]) -> Text | None:
    """What to prepare for: the objection that answers raise most often, once it is no single voice."""
    if not raised or raised[0].count < LEAST_VOICES:
        return None
    top = raised[0]
    return Text(
        en=f"{top.name.en} is raised in {top.count} of {read} messages: answer it in the offer before it is asked.",
        ar=f"أجب عن «{top.name.ar}» في العرض قبل أن يُسأل. ورد في رسائل عددها {top.count} من {read}.",
    )


def week_of(day: date) -> date:
    """The Sunday on which a day's week begins, as weeks are counted in Saudi Arabia."""
    return day - timedelta(days=(day.weekday() + 1) % 7)
