from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.cli import _settings
from app.core.config import Settings
from app.core.errors import InputError


def test_a_wrong_setting_is_named_with_what_was_received(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENTIMENTO_PORT", "99999")
    with pytest.raises(InputError, match=r"PENTIMENTO_PORT: .*65535\. Received: '99999'"):
        _settings()


def test_a_wrong_secret_is_named_but_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENTIMENTO_SECRET", "hunter2")
    with pytest.raises(InputError, match=r"^PENTIMENTO_SECRET: .* 32 ") as caught:
        _settings()
    assert "hunter2" not in caught.value.message
    # A process that reads the settings without the command line fails with pydantic's own words.
    with pytest.raises(ValidationError) as raw:
        Settings()
    assert "hunter2" not in str(raw.value)


def test_secrets_and_addresses_with_passwords_are_confidential() -> None:
    assert {name for name in Settings.model_fields if Settings.is_confidential(name)} == {
        "secret",
        "password",
        "database_url",
        "redis_url",
        "blobs_url",
    }


@pytest.mark.parametrize("given", ["*", "proxy.example", "127.0.0.1,"])
def test_a_proxy_is_an_address_and_never_anybody(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PENTIMENTO_PROXY_ADDRESSES", given)
    with pytest.raises(InputError, match=r"^PENTIMENTO_PROXY_ADDRESSES: .*does not appear to be an IPv4 or IPv6 network"):
        _settings()
