"""The form of a plan, sent as the page that shows it would send it."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client


def shown(client: Client, address: str) -> dict[str, str]:
    """The hidden fields of the form that starts the plan shown at an address."""
    page = client.get(address).content.decode()
    forms = re.findall(r"<form[^>]*/run\".*?</form>", page, re.S)
    assert len(forms) == 1, f"{len(forms)} forms start a run at {address}"
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', forms[0])
    return {name: unescape(value) for name, value in fields}


def confirmed(client: Client, environment_page: str, query: str = "") -> dict[str, str]:
    """The same from the page that asks for what cannot be undone, with what production wants typed."""
    name = environment_page.rpartition("/")[2]
    return shown(client, f"{environment_page}/confirm{query}") | {"typed": name, "reason": "agreed with the team"}
