"""The adapter to libpg_query, PostgreSQL's own grammar as a C library; called only in the child process."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import platform
from functools import cache
from pathlib import Path

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.refusal import NOT_DONE
from migrations_app.engine.sql.syntax import explain
from migrations_app.engine.sql.tree import Node

LIBRARY = {"Darwin": "libpg_query.dylib"}.get(platform.system(), "libpg_query.so")


class _Error(ctypes.Structure):
    _fields_ = [
        ("message", ctypes.c_char_p),
        ("funcname", ctypes.c_char_p),
        ("filename", ctypes.c_char_p),
        ("lineno", ctypes.c_int),
        ("cursorpos", ctypes.c_int),
        ("context", ctypes.c_char_p),
    ]


class _Result(ctypes.Structure):
    _fields_ = [
        ("parse_tree", ctypes.c_char_p),
        ("stderr_buffer", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    ]


@cache
def library() -> ctypes.CDLL:
    """Found beside the postgast package without importing it: its own protobuf layer is not needed."""
    spec = importlib.util.find_spec("postgast")
    if spec is None or spec.origin is None:
        raise ImportError("The package postgast, which brings libpg_query, is not installed.")
    lib = ctypes.CDLL(str(Path(spec.origin).with_name(LIBRARY)))
    lib.pg_query_parse.argtypes = [ctypes.c_char_p]
    lib.pg_query_parse.restype = _Result
    lib.pg_query_free_parse_result.argtypes = [_Result]
    lib.pg_query_free_parse_result.restype = None
    return lib


def parse(sql: str) -> Node:
    """The parse tree, or Refused with PostgreSQL's message and the line it points at."""
    result = library().pg_query_parse(sql.encode())
    try:
        if result.error:
            error = result.error.contents
            explain(sql, error.message.decode(errors="replace"), error.cursorpos)
        tree = json.loads(result.parse_tree)
    except (RecursionError, MemoryError) as error:
        raise Refused(
            "unparseable",
            "The SQL nests too deeply or is too large to be understood.",
            not_done=NOT_DONE,
            next_step="Break the statement into smaller ones.",
        ) from error
    finally:
        library().pg_query_free_parse_result(result)
    return tree if isinstance(tree, dict) else {}
