"""What is refused about pushing."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Forbidden, Invalid

_WHY = {
    "too_long": ("it is longer than 2,000 characters", "أطول من 2,000 حرف"),
    "characters": (
        "it holds characters that an address may not hold unescaped",
        "يحتوي أحرفًا لا يجوز ورودها فيه دون ترميز",
    ),
    "scheme": ("it has to begin with https://", "يجب أن يبدأ بـ https://"),
    "host": ("it names no host", "لا يذكر اسم خادم"),
    "user": ("it may hold no user name or password", "لا يجوز أن يحتوي اسم مستخدم أو كلمة مرور"),
    "fragment": ("it may have no part after #", "لا يجوز أن يحتوي جزءًا بعد #"),
    "port": ("its port is not one", "رقم المنفذ غير صالح"),
}


class BadEndpoint(Invalid):
    """Names what is wrong with the address; `why` is one of the words above."""

    def __init__(self, why: str) -> None:
        en, ar = _WHY[why]
        super().__init__(
            "endpoint_invalid", f"This address can't be used: {en}.", f"لا يمكن استخدام هذا العنوان: {ar}."
        )
        self.why = why


class PrivateEndpoint(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "endpoint_private",
            "This address leads into a private network. The operator has to allow the host by name.",
            "يقود هذا العنوان إلى شبكة خاصة. يجب أن يسمح المشغّل بالخادم بالاسم.",
        )


class UnknownEndpoint(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "endpoint_unresolved", "The host of this address does not resolve.", "تعذّر العثور على خادم هذا العنوان."
        )


class UnknownEvents(Invalid):
    def __init__(self, name: str) -> None:
        super().__init__(
            "event_type_unknown",
            f"There are no events named {name}. `GET /webhook-subscriptions/event-types` lists them.",
            f"لا توجد أحداث باسم {name}. تجد القائمة في GET /webhook-subscriptions/event-types.",
        )


class WrongForm(Invalid):
    def __init__(self, forms: str) -> None:
        super().__init__(
            "form_not_of_kind",
            f"A subscription of this kind is written as: {forms}.",
            f"صيغ هذا النوع من الاشتراكات: {forms}.",
        )


class TooManySubscriptions(Conflict):
    def __init__(self, most: int) -> None:
        super().__init__(
            "too_many_subscriptions",
            f"A tenant has at most {most} subscriptions.",
            f"الحد الأقصى لاشتراكات كل منشأة {most}.",
        )


class SubscriptionChanged(Conflict):
    status = 412

    def __init__(self) -> None:
        super().__init__(
            "subscription_changed",
            "Somebody changed this subscription meanwhile: read it again.",
            "تغيّر هذا الاشتراك في أثناء ذلك. اقرأه من جديد.",
        )


class SubscriptionEnded(Conflict):
    def __init__(self) -> None:
        super().__init__("subscription_ended", "This subscription has ended.", "انتهى هذا الاشتراك.")


class NotRetriable(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "delivery_not_retriable",
            "Only a delivery that waits or was given up can be retried.",
            "لا يُعاد إلا إرسال متعذر أو منتظر.",
        )


class EmptyRange(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "range_empty",
            "This range holds no entries: give numbers or times, the first before the last.",
            "لا قيود في هذا المدى. حدّد أرقامًا أو أوقاتًا، والأول قبل الأخير.",
        )


class PushForbidden(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "push_forbidden",
            "Only an owner or an administrator decides where the tenant's events go.",
            "لا يحدد وجهة أحداث المنشأة إلا المالك أو مدير النظام.",
        )
