"""What flows refuse, in both languages. Nothing is changed by a refusal."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import ValidationError

from libs.contracts.arabic import HOURS
from libs.contracts.errors import Conflict, DealixError, Forbidden, Invalid, NotFound
from libs.contracts.flows import FlowStatus, FlowVerb

STATES_AR = {
    FlowStatus.RUNNING: "قيد التنفيذ", FlowStatus.PAUSED: "متوقف مؤقتًا", FlowStatus.FAILED: "متعثّر", FlowStatus.ROLLING_BACK: "قيد التراجع",
    FlowStatus.NEEDS_ATTENTION: "يحتاج تدخلًا", FlowStatus.COMPLETED: "مكتمل", FlowStatus.CANCELLED: "ملغى", FlowStatus.ROLLED_BACK: "متراجَع عنه",
}  # fmt: skip
VERBS_AR = {
    FlowVerb.PAUSE: "إيقافه مؤقتًا", FlowVerb.RESUME: "استئنافه", FlowVerb.CANCEL: "إلغاؤه", FlowVerb.ROLLBACK: "التراجع عنه",
    FlowVerb.RETRY: "إعادة المحاولة فيه", FlowVerb.SKIP: "تخطي خطوة فيه", FlowVerb.FORK: "التفرّع منه", FlowVerb.MIGRATE: "ترقيته",
}  # fmt: skip


class UnknownFlow(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__("unknown_flow", f"There is no flow named {name}.", f"لا يوجد مسار باسم {name}.")


class FlowIdTaken(Conflict):
    def __init__(self) -> None:
        super().__init__("flow_id_taken", "This id belongs to another flow.", "هذا المعرّف لمسار آخر.")


class BadInput(Invalid):
    """The fields that do not fit, by their place."""

    def __init__(self, what_en: str, what_ar: str, error: ValidationError) -> None:
        told = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or what_en}: {one['msg']}" for one in error.errors()[:5]
        )
        super().__init__("invalid_payload", f"The {what_en} does not fit: {told}.", f"{what_ar} غير صالح: {told}.")


class PayloadTooLarge(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "payload_too_large", "The payload is larger than 256 KiB.", "حجم الحمولة أكبر من 256 كيلوبايت."
        )


class NotKept(DealixError):
    """One of several starts that the storage could not take; asking for it again, with the same id, is safe."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "flow_not_kept", "The flow could not be stored; nothing of it was kept. Ask again.", "تعذّر حفظ المسار ولم يُحفظ منه شيء. أعد الطلب."
        )  # fmt: skip


class FlowEnded(Conflict):
    def __init__(self, status: FlowStatus) -> None:
        super().__init__(
            "flow_ended", f"The flow is {status.value}: it hears no more signals.", f"المسار {STATES_AR[status]}، ولا يستقبل إشارات."
        )  # fmt: skip


class UnknownSignal(Invalid):
    def __init__(self, name: str, known: Collection[str]) -> None:
        names = ", ".join(sorted(known))
        super().__init__(
            "unknown_signal", f"The flow waits for no signal {name}. It knows: {names}.", f"لا ينتظر المسار الإشارة {name}. الإشارات المعروفة: {names}."
        )  # fmt: skip


class SignalIdTaken(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "signal_id_taken", "This signal id was used for another signal.", "استُخدم معرّف الإشارة لإشارة أخرى."
        )


class MayNotSignal(Forbidden):
    def __init__(self, roles: Collection[str]) -> None:
        names = ", ".join(roles)
        super().__init__(
            "may_not_signal",
            f"This signal needs one of the roles: {names}.",
            f"تتطلب هذه الإشارة أحد الأدوار: {names}.",
        )


class NotNow(Conflict):
    """A command that the flow's status does not allow."""

    def __init__(self, verb: FlowVerb, status: FlowStatus) -> None:
        super().__init__(
            "not_in_this_state", f"A flow that is {status.value} can't be told to {verb.value}.",
            f"المسار {STATES_AR[status]}، ولا يمكن {VERBS_AR[verb]}.",
        )  # fmt: skip


class Irreversible(Conflict):
    def __init__(self, steps: Collection[str]) -> None:
        names = ", ".join(steps)
        super().__init__(
            "irreversible", f"What these steps did can't be taken back: {names}. Nothing was changed.",
            f"لا يمكن التراجع عمّا نفّذته هذه الخطوات: {names}. لم يتغيّر شيء.",
        )  # fmt: skip


class RollbackTooLate(Conflict):
    def __init__(self, hours: int) -> None:
        super().__init__(
            "rollback_window_over", f"This flow can be rolled back for {hours} hours after its end; that time is over.",
            f"يمكن التراجع عن هذا المسار خلال {HOURS(hours)} من اكتماله، وقد انتهت.",
        )  # fmt: skip


class StepNotHere(Conflict):
    def __init__(self, step: str) -> None:
        super().__init__(
            "step_not_here", f"The flow does not stand at the step {step}.", f"المسار ليس عند الخطوة {step}."
        )


class StepNeverRan(Conflict):
    def __init__(self, step: str) -> None:
        super().__init__(
            "step_never_ran", f"The step {step} never ran in this flow: there is nothing to fork from.",
            f"الخطوة {step} لم تُنفّذ في هذا المسار، فلا يمكن التفرّع منها.",
        )  # fmt: skip


class ForkInsideParallel(Conflict):
    def __init__(self, step: str, outer: str) -> None:
        super().__init__(
            "fork_inside_parallel", f"The step {step} is inside {outer}: fork from {outer} instead.",
            f"الخطوة {step} داخل {outer}، فتفرّع من {outer} بدلًا منها.",
        )  # fmt: skip


class StepNeeded(Invalid):
    def __init__(self) -> None:
        super().__init__("step_needed", "Name the step.", "حدّد الخطوة.")


class VersionMissing(Conflict):
    def __init__(self, label: str) -> None:
        super().__init__("version_missing", f"This release does not have {label}.", f"هذا الإصدار لا يتضمن {label}.")


class NothingToMigrate(Conflict):
    def __init__(self, label: str) -> None:
        super().__init__(
            "no_migration", f"There is no way to bring {label} to the newest version.", f"لا توجد ترقية للمسار {label} إلى أحدث إصدار."
        )  # fmt: skip


class TooDeep(Conflict):
    def __init__(self, most: int) -> None:
        super().__init__("too_deep", f"Flows nest at most {most} deep.", f"الحد الأقصى لتداخل المسارات {most}.")
