"""Who a session belongs to: the user and the roles in one query instead of two."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User

from migrations_app.permissions import user_with_roles


class Backend(ModelBackend):
    def get_user(self, user_id: Any) -> User | None:  # noqa: ANN401  as ModelBackend has it
        user = user_with_roles(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
