"""Signs that turn the direction of text, kept inside the text that holds them.

U+202A to U+202E and U+2066 to U+2069: whoever reads sees another order than the one that runs (CVE-2021-42574).
"""

from __future__ import annotations

import re

TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ISOLATES, _EMBEDDINGS = re.compile("[\u2066-\u2068]"), re.compile("[\u202a\u202b\u202d\u202e]")


def contained(text: str) -> str:
    """The text between the signs that isolate it, so that nothing said before or after it is turned round."""
    if text.isascii() or not TURNING.search(text):
        return text
    # Isolates first: inside an open one the end of an embedding has no effect.
    closed = "\u2069" * (len(_ISOLATES.findall(text)) + 1) + "\u202c" * len(_EMBEDDINGS.findall(text))
    return f"\u2068{text}{closed}"


def turning_in(text: str) -> tuple[str, ...]:
    """Their codes, such as `U+202E`, in order."""
    return tuple(f"U+{ord(sign):04X}" for sign in sorted(set(TURNING.findall(text))))
