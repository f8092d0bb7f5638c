"""What is refused about setting connectors up."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Forbidden, Invalid


class NotSetUp(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "no_credential",
            "Store a credential first: without one this connector can't act for real.",
            "احفظ بيانات الاعتماد أولًا؛ فبدونها لا يعمل هذا الموصل فعليًا.",
        )


class ProbeFailed(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "probe_not_ok",
            "The newest probe of this credential did not succeed: probe the connector, then ask again.",
            "لم ينجح آخر فحص لبيانات الاعتماد؛ افحص الموصل ثم اطلب التفعيل.",
        )


class NoLiveSwitch(Invalid):
    def __init__(self) -> None:
        super().__init__("no_live_switch", "This connector has no live switch.", "لا يوجد تفعيل فعلي لهذا الموصل.")


class PrivateHost(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "private_host",
            "This host is inside the operator's network, or speaks without encryption: the operator has to allow it by name.",
            "هذا الخادم داخل شبكة المشغّل أو بلا تشفير، ولا يُستخدم إلا إذا سمح به المشغّل بالاسم.",
        )


class ConnectorForbidden(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "connector_forbidden",
            "Only an owner or an administrator sets connectors up.",
            "لا يضبط الموصلات إلا المالك أو مدير النظام.",
        )
