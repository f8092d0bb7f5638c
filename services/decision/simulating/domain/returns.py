"""What an investment brings back, from inputs that each say where they come from."""

from __future__ import annotations

from decimal import Decimal

from libs.contracts.simulations import RoiChange, RoiRequest
from services.decision.memos.domain.finance import net_present_value

CHANGES = (-0.2, -0.1, 0.1, 0.2)
INPUTS = ("investment", "benefit", "cost", "rate")


def flows_of(request: RoiRequest, *, by: dict[str, float] | None = None, certain: bool = True) -> list[float]:
    """The investment now, then benefit less cost a year. `by` multiplies inputs; not `certain`, what comes in is weighed by how likely it is
    and what goes out by how likely it is to be no more: an outlay that is only half certain is counted half as large again."""
    scale = by or {}
    values = {name: getattr(request, name).value * scale.get(name, 1.0) for name in INPUTS}
    if not certain:
        values["benefit"] *= request.benefit.certainty
        for name in ("investment", "cost"):
            values[name] *= 2 - getattr(request, name).certainty
    return [-values["investment"]] + [values["benefit"] - values["cost"]] * request.years


def npv(request: RoiRequest, *, by: dict[str, float] | None = None, certain: bool = True) -> float:
    rate = request.rate.value * (by or {}).get("rate", 1.0)
    return net_present_value(rate, flows_of(request, by=by, certain=certain))


def sensitivity(request: RoiRequest) -> tuple[RoiChange, ...]:
    return tuple(
        RoiChange(input=name, change=change, npv=money(npv(request, by={name: 1 + change})))
        for name in INPUTS
        for change in CHANGES
    )


def break_even(request: RoiRequest) -> float | None:
    """The share of the yearly benefit at which the net present value is nil; None without a benefit."""
    worth = npv(request) - npv(request, by={"benefit": 0.0})
    return None if worth <= 0 else round(max(0.0, 1 - npv(request) / worth), 4)


def money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal("0.01"))
