"""The execution plane's own settings: what the operator has of models, for all tenants."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.contracts.catalogue.models import models

PREFIX = "DEALIX_LLM_"


class ModelSettings(BaseSettings):
    """`DEALIX_LLM_…`. A tenant still needs its own approved switch before anything of it leaves."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore")

    base_url: str | None = Field(
        None,
        description="address, up to /v1, of a model on your own servers; its host also in DEALIX_CONNECTOR_PRIVATE_HOSTS",
    )
    api_key: SecretStr | None = Field(None, description="key of the model on your own servers, where it asks for one")
    groq_key: SecretStr | None = Field(None, description="the operator's key for Groq")
    openai_key: SecretStr | None = Field(None, description="the operator's key for OpenAI")
    anthropic_key: SecretStr | None = Field(None, description="the operator's key for Anthropic")
    gemini_key: SecretStr | None = Field(None, description="the operator's key for Gemini")
    deepseek_key: SecretStr | None = Field(None, description="the operator's key for DeepSeek")
    glm_key: SecretStr | None = Field(None, description="the operator's key for GLM")

    def credentials(self) -> Mapping[str, Mapping[str, str]]:
        """What the operator gives for all tenants, by provider, in the form of a tenant's own credential."""
        out: dict[str, dict[str, str]] = {}
        for provider in models().providers.values():
            given = getattr(self, provider.setting.removeprefix(PREFIX).lower()) if provider.setting else None
            if isinstance(given, SecretStr):
                out[provider.key] = {"api_key": given.get_secret_value()}
            elif given:
                key = {"api_key": self.api_key.get_secret_value()} if self.api_key is not None else {}
                out[provider.key] = {"base_url": given, **key}
        return out
