"""Make an API token: standard output holds the token and nothing else, so that it can be captured."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard import tokens
from migrations_app.engine.errors import Refused
from migrations_app.permissions import ROLES


class Command(BaseCommand):
    help = "Print a new API token for a user. It is kept as a hash and cannot be shown again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--role", default="", choices=("", *ROLES), help="act with this one of the user's roles")
        parser.add_argument("--days", type=int, default=tokens.DEFAULT_DAYS, help="valid for so many days")
        parser.add_argument("--name", default="command line", help="what the token is for")

    def handle(self, *args: object, **options: object) -> None:
        username = cast(str, options["user"])
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username!r}. No token was made.")
        try:
            made = tokens.create(
                user=user,
                by=None,
                name=cast(str, options["name"]),
                role=cast(str, options["role"]),
                days=cast(int, options["days"]),
            )
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(made.text)
