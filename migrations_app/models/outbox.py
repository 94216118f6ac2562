"""Wake-ups written in the transaction of the request, so that a crash before the enqueue loses nothing."""

from __future__ import annotations

from django.db import models


class OutboxItem(models.Model):
    run = models.ForeignKey("Run", on_delete=models.CASCADE, related_name="wake_ups")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(sent_at=None), name="outbox_unsent")]
