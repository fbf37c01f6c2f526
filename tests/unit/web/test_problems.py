"""Errors as answers."""

import json

import pytest

from axis.errors import AxisError, NotFound, Refused, Unavailable
from axis.web.problems import HttpRefused, problem, status_of
from schemas.reasons import HTTP, REASONS, WIRE
from schemas.reasons.http import STATUS


@pytest.mark.parametrize("code", sorted(WIRE))
def test_every_reason_is_an_http_error(code: str) -> None:
    answer = problem(Refused(code, "what exactly"), close=False)
    content = json.loads(bytes(answer.body))
    assert 400 <= answer.status_code < 600
    assert (answer.status_code >= 500) == code.startswith("axis/")
    assert content["code"] == answer.headers["axis-code"] == code
    assert content["title"] == REASONS[code].title
    assert content["remedy"] == REASONS[code].remedy
    assert (content["title_vi"], content["remedy_vi"]) == (REASONS[code].title_vi, REASONS[code].remedy_vi)
    assert content["retry"] is REASONS[code].retry
    assert content["status"] == answer.status_code
    assert "connection" not in answer.headers


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("token/missing"), 401),
        (Refused("certificate/expired"), 401),
        (Refused("signature/invalid"), 401),
        (Refused("blob/digest"), 400),
        (Refused("blob/too-large"), 413),
        (NotFound("x", code="blob/not-found"), 404),
        (Unavailable("x"), 503),
        (AxisError("x"), 500),
        (AxisError("x", code="never/heard-of"), 500),
        (HttpRefused("http/busy"), 503),
        (HttpRefused("http/slow"), 408),
        (HttpRefused("certificate/unknown", "x", status=404), 404),
    ],
)
def test_statuses(error: AxisError, status: int) -> None:
    assert status_of(error) == status
    assert problem(error, close=True).headers["connection"] == "close"


def test_every_code_of_http_has_a_status_but_the_one_that_nobody_hears() -> None:
    assert HTTP.keys() - STATUS.keys() == {"http/disconnected"}
    for code, status in STATUS.items():
        answer = problem(HttpRefused(code), close=False)
        assert (answer.status_code, json.loads(bytes(answer.body))["title_vi"]) == (status, HTTP[code].title_vi)


def test_the_inside_of_the_axis_stays_inside() -> None:
    for error in (Unavailable("postgresql://user:password@10.1.2.3"), AxisError("KeyError: 'x'")):
        body = bytes(problem(error, close=False).body)
        assert error.detail.encode() not in body
