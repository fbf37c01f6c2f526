"""Addresses of an object store's own, made without asking it."""

import datetime as dt
from pathlib import Path

import pytest

from axis.blobs import Blobs

DIGEST = "ab" * 32


async def test_a_bucket_has_addresses_that_count_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    blobs = Blobs.open("s3://blobs?endpoint=http://127.0.0.1:1&region=vn")
    address = await blobs.signed_url(DIGEST, dt.timedelta(seconds=60))
    assert address is not None
    assert DIGEST in address
    assert "X-Amz-Expires=60" in address
    assert "hidden" not in address


async def test_a_folder_has_none(tmp_path: Path) -> None:
    for url in (tmp_path.as_uri(), "memory://"):
        assert await Blobs.open(url).signed_url(DIGEST, dt.timedelta(seconds=60)) is None
