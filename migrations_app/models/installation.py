"""This installation's own identity, written into every target it looks after."""

from __future__ import annotations

import uuid

from django.db import models


class Installation(models.Model):
    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one")]

    @classmethod
    def current(cls) -> Installation:
        return cls.objects.get_or_create(id=1)[0]
