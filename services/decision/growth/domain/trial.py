"""An experiment's rules, without I/O: who may take part, which arm is theirs, when it ends and what its counts say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from scipy.stats import fisher_exact  # type: ignore[import-untyped]  # scipy ships no types

from libs.contracts.experiments import ExperimentArm, ExperimentPlan, ExperimentResult, Varies, Verdict
from libs.contracts.message import Text
from libs.contracts.trust import Contactability
from services.decision.growth.domain.chance import LEAST, difference, wilson
from services.decision.targeting.domain.rank import Ranked

CHANNELS = ("email", "whatsapp")
"""Those on which a message can be drafted."""
UNEVEN = 0.001
"""Below this chance the arms were not reached alike, and their answers cannot be compared (the usual bound for a sample ratio mismatch,
Fabijan et al., KDD 2019)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One account in an experiment, by its first lead: when that was reached, and once its time to answer has passed, whether it did."""

    arm: str
    reached_at: datetime | None = None
    answered: bool = False
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    assigned: int
    reached: int
    counted: int
    answered: int


def drawn(experiment_id: UUID, account_id: UUID, arms: tuple[str, str]) -> str:
    """The arm of an account: by chance between accounts, and always the same for one, so that nobody chooses and nobody at one company gets
    both."""
    return arms[hashlib.sha256(experiment_id.bytes + account_id.bytes).digest()[0] & 1]


def may_take_part(plan: ExperimentPlan, one: Ranked) -> bool:
    """Only whom trust calls safe on every channel that the draw could give. Whoever needs a review, or is not known, is left to people."""
    if one.lead.contact_id is None:
        return False
    channels = plan.arms if plan.varies is Varies.CHANNEL else (one.advice.best,)
    return all(
        channel in CHANNELS and one.lead.status(channel) is Contactability.SAFE for channel in channels if channel
    ) and bool(one.advice.best)


def counts(subjects: Sequence[Subject], arm: str) -> Counts:
    own = [one for one in subjects if one.arm == arm]
    settled = [one for one in own if one.counted]
    return Counts(
        len(own), sum(one.reached_at is not None for one in own), len(settled), sum(one.answered for one in settled)
    )


def over(plan: ExperimentPlan, started_at: datetime, subjects: Sequence[Subject], now: datetime) -> bool:
    """Whether the stop rule is met. It looks at how many count and at the clock, never at who answered."""
    full = all(counts(subjects, arm).counted >= plan.sample_size for arm in plan.arms)
    return full or now >= started_at + timedelta(days=plan.max_days + plan.answer_days)


def shown(arm: str, name: Text, found: Counts, *, told: bool) -> ExperimentArm:
    """An arm as people see it; who answered only once it is `told`."""
    made = ExperimentArm(key=arm, name=name, assigned=found.assigned, reached=found.reached, counted=found.counted)
    if not told:
        return made
    low, high = wilson(found.answered, found.counted)
    rate = found.answered / found.counted if found.counted else None
    low, high = (low, high) if rate is None else (min(low, rate), max(high, rate))
    changed: ExperimentArm = made.evolve(replied=found.answered, rate=rate, low=low, high=high)
    return changed


def judged(plan: ExperimentPlan, first: Counts, second: Counts) -> tuple[ExperimentResult, Text]:
    """What the counts say, in the words of a result: a difference beyond chance, that there is none of the size looked for, or that it is not
    known yet, and why."""
    low, high = difference(second.answered, second.counted, first.answered, first.counted)
    gap = _share(second) - _share(first)
    sought = abs(plan.detects - plan.baseline)
    numbers = f"{second.answered}/{second.counted} – {first.answered}/{first.counted}"
    if min(first.counted, second.counted) < LEAST:
        verdict, said = Verdict.NOT_KNOWN, Text(
            en=f"Not known yet: each arm needs at least {LEAST} contacts that count ({numbers}).",
            ar=f"لا يُعرف بعد. أقل عدد محتسب في كل طرف: {LEAST} ({numbers}).",
        )  # fmt: skip
    elif _uneven(first, second):
        verdict, said = Verdict.NOT_KNOWN, Text(
            en=f"Not known: the arms were not sent alike ({second.reached} of {second.assigned} against {first.reached} of {first.assigned}), so their answers cannot be compared.",
            ar=f"لا يُعرف: لم يتساوَ الإرسال في الطرفين ({second.reached} من {second.assigned} مقابل {first.reached} من {first.assigned})، فلا تصح المقارنة.",
        )  # fmt: skip
    elif low > 0:
        verdict, said = Verdict.BETTER, Text(
            en=f"What was tried did better beyond chance ({numbers}).", ar=f"الخيار المجرَّب أفضل بما يتجاوز الصدفة ({numbers})."
        )  # fmt: skip
    elif high < 0:
        verdict, said = Verdict.WORSE, Text(
            en=f"What was tried did worse beyond chance ({numbers}).", ar=f"الخيار المجرَّب أضعف بما يتجاوز الصدفة ({numbers})."
        )  # fmt: skip
    elif -sought < low and high < sought:
        verdict, said = Verdict.ALIKE, Text(
            en=f"No difference of {sought:.1%} or more ({numbers}).", ar=f"لا فرق يبلغ {sought:.1%} أو أكثر ({numbers})."
        )  # fmt: skip
    else:
        verdict, said = Verdict.NOT_KNOWN, Text(
            en=f"Not known yet: these counts allow a difference of {sought:.1%} and none at all ({numbers}).",
            ar=f"لا يُعرف بعد: تحتمل هذه الأعداد فرقًا قدره {sought:.1%} وتحتمل عدمه ({numbers}).",
        )  # fmt: skip
    return ExperimentResult(verdict=verdict, difference=gap, low=min(low, gap), high=max(high, gap)), said


def _share(found: Counts) -> float:
    return found.answered / found.counted if found.counted else 0.0


def _uneven(first: Counts, second: Counts) -> bool:
    table = [[one.reached, one.assigned - one.reached] for one in (first, second)]
    return float(fisher_exact(table).pvalue) < UNEVEN
