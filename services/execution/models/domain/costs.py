"""What a question may cost at most, and what it did cost. Tokens are counted by providers; before that only a bound is known. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from libs.contracts.completions import ModelEntry

MILLION = Decimal(1_000_000)
SMALLEST = Decimal("0.000001")
CHARACTERS_A_TOKEN = 2
"""A bound: no tokenizer in use makes more of Arabic or English than one token of two characters, on the average of a text."""


@dataclass(frozen=True, slots=True)
class Spent:
    tokens: int
    sar: Decimal


def cost(entry: ModelEntry, tokens_in: int, tokens_out: int) -> Decimal:
    """SAR of so many tokens, to a millionth."""
    total = Decimal(tokens_in) * entry.input_sar + Decimal(tokens_out) * entry.output_sar
    return (total / MILLION).quantize(SMALLEST)


def at_most(entry: ModelEntry, characters: int, most_tokens: int) -> Spent:
    """What a question can come to: taken from the day's budget before it is asked, and given back as far as it was not used."""
    tokens_in = characters // CHARACTERS_A_TOKEN + 1
    return Spent(tokens_in + most_tokens, cost(entry, tokens_in, most_tokens))
