"""What is refused about models, and why a question got no answer."""

from __future__ import annotations

from libs.contracts.errors import Forbidden, Invalid, NotFound
from libs.contracts.message import Reason
from services.execution.errors import VendorUnavailable


class ModelsForbidden(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "models_forbidden",
            "Only an owner or an administrator chooses models and their budget.",
            "لا يختار النماذج وميزانيتها إلا المالك أو مدير النظام.",
        )


class UnknownProvider(NotFound):
    def __init__(self, provider: str) -> None:
        super().__init__(
            "unknown_provider",
            f"There is no provider of models named {provider}. `GET /model-routing` lists them.",
            f"لا يوجد مزوّد نماذج باسم {provider}. تجد القائمة في ‎/model-routing.",
        )


class NothingLeaves(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "local_has_no_models",
            "The built-in texts and rules have no models and no price.",
            "النصوص والقواعد المدمجة بلا نماذج وبلا سعر.",
        )


class ModelSilent(VendorUnavailable):
    """A provider that gave no answer in time, after the tries that there was time for. Asking again has no effect there, so the end of
    the request that was lost does not matter; the action is not taken up again, because whoever asked has gone on."""

    retryable = False


UNKNOWN_AGENT = Reason(code="unknown_agent", en="There is no such agent.", ar="لا يوجد وكيل بهذا الاسم.")
NO_PROVIDER = Reason(
    code="no_provider",
    en="No model that may see this is connected.",
    ar="لا يوجد نموذج موصول يجوز له الاطلاع على هذا.",
)
SECRET = Reason(
    code="secret_in_question",
    en="The question holds a secret or hidden characters, so no model is asked.",
    ar="السؤال يحوي سرًا أو محارف خفية، فلا يُسأل أي نموذج.",
)
BUSY = Reason(
    code="models_busy",
    en="Too many questions to models are open for this tenant.",
    ar="عدد الأسئلة المفتوحة للنماذج في هذه المنشأة بلغ حده.",
)
BUDGET = Reason(
    code="model_budget_spent",
    en="Today's budget for models does not cover this question.",
    ar="ميزانية النماذج لهذا اليوم لا تكفي هذا السؤال.",
)
SILENT = Reason(
    code="models_silent", en="No model that may see this answered.", ar="لم يُجب أي نموذج يجوز له الاطلاع على هذا."
)
