"""Where the log lines of a server go: standard error, JSON unless it is a terminal."""

import json
import logging
import sys

import orjson
import structlog


def configure_logging(form: str | None, level: str) -> None:
    """Set up structlog, and bring the few lines of the HTTP server into it. `form`: json, console or None (choose)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if (form or ("console" if sys.stderr.isatty() else "json")) == "json":
        shared.append(structlog.processors.JSONRenderer(serializer=_json))
    else:
        shared.append(structlog.dev.ConsoleRenderer())
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Bridge()], level=logging.INFO, force=True)


class _Bridge(logging.Handler):
    """Log what libraries say at debug level: whatever matters in it, the server logs itself with its context."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(part=record.name)
        if record.exc_info:
            log.error(record.getMessage(), exc_info=record.exc_info)
        else:
            log.debug(record.getMessage())


def _json(event: object, **_: object) -> str:
    try:
        return orjson.dumps(event, default=str).decode()
    except TypeError:  # a text no UTF-8 can carry, say: the line still has to come out
        return json.dumps(event, default=str, ensure_ascii=False).encode(errors="replace").decode()
