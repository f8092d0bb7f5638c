"""What operating refuses, each with both languages."""

from __future__ import annotations

from libs.contracts.errors import Forbidden, Invalid


class ControlForbidden(Forbidden):
    """The principal's roles do not allow this command."""

    def __init__(self, command: str) -> None:
        super().__init__(
            "control_forbidden",
            f"Your role may not {command} anything here.",
            "دورك لا يسمح بهذا الأمر.",
        )


class ForeignTenant(Forbidden):
    """A tenant's principal tried to control another tenant."""

    def __init__(self) -> None:
        super().__init__("foreign_tenant", "You may control your own tenant only.", "يمكنك التحكم في منشأتك فقط.")


class UnknownCommand(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "unknown_command",
            "command is pause, stop or resume.",
            "الأمر واحد من: pause أو stop أو resume.",
        )


class UnknownScope(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "unknown_scope",
            "scope is all, tenant, connector or action_type.",
            "النطاق واحد من: all أو tenant أو connector أو action_type.",
        )


class UnknownTarget(Invalid):
    """A stop of something that does not exist would stop nothing, while whoever asked believes that it did."""

    def __init__(self, scope: str, target: str) -> None:
        super().__init__(
            "unknown_target",
            f"There is no {scope} named {target}.",
            f"لا يوجد {target} ضمن النطاق {scope}.",
        )


class UnknownFlag(Invalid):
    def __init__(self) -> None:
        super().__init__("unknown_flag", "There is no such flag.", "لا يوجد خيار بهذا الاسم.")


class FlagForbidden(Forbidden):
    def __init__(self) -> None:
        super().__init__("flag_forbidden", "Your role may not change flags.", "دورك لا يسمح بتغيير الخيارات.")


class FlagLocked(Forbidden):
    """The catalogue fixes this flag: no tenant and no operator changes it."""

    def __init__(self) -> None:
        super().__init__("flag_locked", "This flag is fixed and can't be changed.", "هذا الخيار ثابت ولا يمكن تغييره.")


class LiveFlagNeedsApproval(Forbidden):
    """Switching a connector live is an action of its own (`live_flag_change`), with an approval; switching it off is not."""

    def __init__(self) -> None:
        super().__init__(
            "live_flag_needs_approval",
            "Switching a connector live needs an approval: submit the action live_flag_change.",
            "تفعيل الإرسال الفعلي يحتاج إلى موافقة: قدّم الإجراء live_flag_change.",
        )


class LiveFlagWhole(Invalid):
    """A connector is live or it is not: for nobody in part, and never by the clock."""

    def __init__(self) -> None:
        super().__init__(
            "live_flag_whole",
            "A live flag has no share and no times: it is switched off as a whole, at once.",
            "تفعيل الموصل لا يقبل نسبة ولا توقيتًا: يُوقَف كله وفورًا.",
        )


class FlagTerm(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "flag_term",
            "A word on a flag ends after it begins, and not in the past.",
            "ينتهي سريان القيمة بعد بدايته، ولا يكون في الماضي.",
        )
