"""What the frame around every page shows: who, when, theme, version and the navigation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dashboard import keys
from dashboard.banners import Banner, OpenRuns, banners_for, key_of, open_runs
from dashboard.chip import Chip, chip_of
from dashboard.glance import doubted, recent_glance
from migrations_app import __version__
from migrations_app.permissions import may, roles_of

THEME_COOKIE = "lockstep_theme"
THEMES = ("auto", "light", "dark")

# label, then (url name, word, verb that opens it); a page that does not exist has no entry.
NAVIGATION: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Fleet",
        (
            ("home", "Home", "view"),
            ("matrix", "Matrix", "view"),
            ("history", "History", "view"),
            ("runs", "Runs", "view"),
        ),
    ),
    ("Release", (("releases", "Releases", "view"), ("rehearsals", "Rehearsals", "view"))),
    ("Services", (("services", "Services", "view"), ("revisions", "Revisions", "view"))),
    ("System", (("workers", "Workers", "view"),)),
    ("Account", (("audit", "Audit", "view_audit"), ("tokens", "API tokens", "own_tokens"))),
)


@dataclass(frozen=True)
class Link:
    url: str
    word: str
    current: bool
    name: str
    count: int = 0
    hot: bool = False

    @property
    def key(self) -> str:
        """The letter that goes there after `g`."""
        return keys.GO.get(self.name, ("", ""))[0]


@dataclass(frozen=True)
class Group:
    label: str
    links: tuple[Link, ...]


class Frame:
    """Lazy, so that a fragment or an error page that draws no frame asks the database nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    version = __version__
    themes = THEMES

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @property
    def theme(self) -> str:
        return theme_of(self._request)

    @property
    def request_id(self) -> str:
        return getattr(self._request, "request_id", "")

    @property
    def path(self) -> str:
        return self._request.get_full_path()

    @property
    def signed_in(self) -> bool:
        user = getattr(self._request, "user", None)
        return bool(user and user.is_authenticated)

    @cached_property
    def roles(self) -> str:
        return ", ".join(sorted(roles_of(self._request.user))) or "no role"

    @cached_property
    def role(self) -> str:
        """As short as the header needs it."""
        count = len(roles_of(self._request.user))
        return self.roles if count < 2 else f"{count} roles"

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        if not self.signed_in:
            return ()
        groups = (Group(label, tuple(self._links(links))) for label, links in NAVIGATION)
        return tuple(group for group in groups if group.links)

    @cached_property
    def banners(self) -> tuple[Banner, ...]:
        return banners_for(self._request) if self.signed_in else ()

    @property
    def banners_key(self) -> str:
        return key_of(self._request, self.banners)

    @cached_property
    def open_runs(self) -> OpenRuns:
        return open_runs(self._request) if self.signed_in else OpenRuns()

    @cached_property
    def chip(self) -> Chip | None:
        """How the fleet stands, for those who may look at it."""
        if not self.signed_in or not may(self._request.user, "view"):
            return None
        return chip_of(recent_glance(self._request), doubted=doubted(self._request))

    @property
    def keys_on(self) -> bool:
        return self._request.COOKIES.get(keys.KEYS_COOKIE) != "off"

    @cached_property
    def key_groups(self) -> tuple[keys.Group, ...]:
        return keys.groups(frozenset(link.name for group in self.groups for link in group.links))

    @property
    def may_style(self) -> bool:
        return self.signed_in and may_style(self._request.user)

    def _links(self, links: tuple[tuple[str, str, str], ...]) -> list[Link]:
        here = _family(self._request)
        return [
            Link(
                url=_url(name),
                word=word,
                current=here == name,
                name=name,
                count=self.open_runs.count if name == "runs" else 0,
                hot=name == "runs" and self.open_runs.hot,
            )
            for name, word, verb in links
            if may(self._request.user, verb)
        ]


@cache
def _url(name: str) -> str:
    return reverse(name)


def _family(request: HttpRequest) -> str:
    """The navigation entry a page belongs to: what its URL name starts with, `run_log` belongs to `runs`."""
    match = request.resolver_match
    name = match.url_name if match and match.url_name else ""
    first = name.partition("_")[0]
    return {
        "run": "runs",
        "service": "services",
        "environment": "services",
        "release": "releases",
        "gates": "releases",
        "exemption": "releases",
        "cutover": "releases",
        "glass": "releases",
        "freezes": "releases",
        "revision": "revisions",
        "token": "tokens",
        "rehearsal": "rehearsals",
        "drill": "rehearsals",
    }.get(first, first)


def may_style(user: AbstractBaseUser | AnonymousUser) -> bool:
    """The style page is for those who build and those who run the installation."""
    return bool(getattr(user, "is_staff", False)) or may(user, "view_style")


def theme_of(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "auto"


def frame(request: HttpRequest) -> dict[str, Frame]:
    """The context processor."""
    return {"frame": Frame(request)}
