"""Structured logs: JSON lines in production, readable lines on a terminal, always with what is bound to the context."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def logging_config() -> None:
    """Route structlog and the standard library through one formatter to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer()],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(os.environ.get("LOCKSTEP_LOG_LEVEL", "INFO"))
    logging.getLogger("rq").setLevel(logging.WARNING)
    # Whoever asks by a wrong name is told in the answer; a traceback for each of them would bury the rest.
    logging.getLogger("django.security.DisallowedHost").addFilter(_without_traceback)
    logging.getLogger("django.request").addFilter(_crashes_alone_with_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True


def _crashes_alone_with_traceback(record: logging.LogRecord) -> bool:
    """A refusal and an outage are answered with a page of their own: nothing is broken, and their cause is a line."""
    if getattr(record, "status_code", 500) != 500 and record.exc_info and record.exc_info[1]:
        cause = "".join(c if c.isprintable() else " " for c in str(record.exc_info[1]))
        record.msg, record.args, record.exc_info = f"{record.getMessage()}: {' '.join(cause.split())}", (), None
    return True


def _renderer() -> structlog.typing.Processor:
    if os.environ.get("LOCKSTEP_LOG_FORMAT", "json") == "json":
        return structlog.processors.JSONRenderer(sort_keys=True)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
