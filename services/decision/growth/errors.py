"""What growth refuses."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Invalid


class BadPlan(Invalid):
    """A plan that could not be carried out or would show nothing."""

    def __init__(self, en: str, ar: str) -> None:
        super().__init__("bad_plan", en, ar)


class OneAtATime(Conflict):
    """Two experiments over the same first messages would each change what the other measures."""

    def __init__(self) -> None:
        super().__init__(
            "experiment_running",
            "Another experiment is running: it has to end or be stopped first.",
            "توجد تجربة جارية: انتظر انتهاءها أو أوقفها أولًا.",
        )


class TooEarly(Conflict):
    """A decision before the stop rule is met would rest on a look that nobody allowed for."""

    def __init__(self) -> None:
        super().__init__(
            "too_early",
            "The stop rule is not met yet; there is nothing to decide on.",
            "لم تتحقق قاعدة التوقف بعد، فلا نتيجة يُبنى عليها قرار.",
        )


class AlreadyDecided(Conflict):
    def __init__(self) -> None:
        super().__init__("already_decided", "It was decided or stopped before.", "حُسمت التجربة أو أُوقفت من قبل.")


class RuleMet(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "rule_met",
            "The stop rule is met: keep or revert it.",
            "تحققت قاعدة التوقف: اعتمد الخيار المجرَّب أو ارجع عنه.",
        )


class WhyStopped(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "note_needed", "Stopping an experiment early needs a reason.", "إيقاف التجربة قبل أوانها يحتاج سببًا."
        )


class WeekAhead(Invalid):
    def __init__(self) -> None:
        super().__init__("week_ahead", "That week has not begun yet.", "لم يبدأ ذلك الأسبوع بعد.")
