"""The forms of the fleet: they check shape; whether it may be done is the verb's business."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django import forms

from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.fleet.edit import (
    LONGEST_LOCK_BUDGET,
    LONGEST_LOCK_WINDOW,
    LONGEST_SECRETS_REV,
    MOST_REHEARSAL_DAYS,
    Edit,
)
from migrations_app.fleet.names import check_name
from migrations_app.fleet.place import ORDER_LIMIT
from migrations_app.moments import in_utc
from migrations_app.statuses import RehearsalPolicy


class ServiceForm(forms.Form):
    name = forms.CharField(
        max_length=63,
        help_text="Small letters, digits and dashes, such as storefront. It cannot be renamed later.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def plain(**attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **attributes})


def _number(most: int, help_text: str, *, label: str, required: bool = True, least: int = 1) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, max_value=most, required=required, help_text=help_text)


def _address(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=2000, required=required, help_text=help_text, widget=plain(spellcheck="false")
    )


def utc_moment(label: str, help_text: str = "", *, required: bool = False) -> forms.DateTimeField:
    """As the browser's own control sends it; what it says is taken for UTC, as everything here is."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return UtcField(label=f"{label}, UTC", required=required, help_text=help_text, widget=widget)


class UtcField(forms.DateTimeField):
    """A hand may send what the control never does: an offset, or the year 9999."""

    def clean(self, value: object) -> datetime | None:
        found = super().clean(value)
        try:
            return in_utc(found) if found else None
        except ValueError as wrong:
            raise forms.ValidationError(f"{str(wrong)[0].upper()}{str(wrong)[1:]}.") from None


def _named(what: str) -> Callable[[str], None]:
    """The domain's own rule for names, told beside the field."""

    def check(value: str) -> None:
        try:
            check_name(what, value)
        except Refused as refusal:
            raise forms.ValidationError(f"{refusal.message} {refusal.next_step}") from None

    return check


class PlaceForm(forms.Form):
    """Where an environment stands and how patient its runs are."""

    stage = forms.CharField(
        max_length=63,
        help_text="Such as dev, staging or prod; the matrix groups by it.",
        widget=plain(),
        validators=[_named("stage")],
    )
    region = forms.CharField(max_length=63, required=False, widget=plain(), validators=[_named("region")])
    order = forms.IntegerField(
        initial=0,
        min_value=-ORDER_LIMIT,
        max_value=ORDER_LIMIT,
        help_text="Lower comes first: dev before prod.",
    )
    lock_window_seconds = _number(
        LONGEST_LOCK_WINDOW,
        "How long a run tries for locks before it gives up. Empty: the installation's default.",
        label="Lock window (seconds)",
        required=False,
    )
    health_url = forms.URLField(
        label="Health address",
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text="Where the service tells about its health.",
    )

    def beside(self, code: str) -> str | None:
        """The field that a refusal is about; None when it is about the whole."""
        if code in FIELD_OF:
            return FIELD_OF[code]
        about_address = code not in ABOUT_THE_WHOLE and self.cleaned_data.get("dsn")
        return "dsn" if about_address else None


# A refusal that is not here is about the address, if one was given.
FIELD_OF = {
    "bad_health_url": "health_url",
    "bad_order": "order",
    "bad_lock_window": "lock_window_seconds",
    "bad_rehearsal_policy": "rehearsal_policy",
    "bad_rehearsal_days": "rehearsal_days",
    "bad_lock_budget": "lock_budget_seconds",
    "bad_secrets_rev": "secrets_rev",
}
ABOUT_THE_WHOLE = frozenset({"run_open", "environment_exists"})
ADDRESS = (
    "env:NAME, file:PATH, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, which is stored "
    "encrypted and never shown again. It must be a direct address, not a pooler's."
)


class EnvironmentForm(PlaceForm):
    name = forms.CharField(
        max_length=63,
        help_text="Unique within the service, such as prod-eu.",
        widget=plain(spellcheck="false"),
        validators=[_named("environment's name")],
    )
    dsn = _address("Target database", ADDRESS)


class EnvironmentEditForm(PlaceForm):
    """The stored address is never in it: an empty field leaves it as it is."""

    rehearsal_policy = forms.ChoiceField(
        label="Fresh rehearsal needed",
        choices=RehearsalPolicy.choices,
        required=False,
        help_text="By stage: to roll back where the stage is called prod or production, else never.",
    )
    rehearsal_days = _number(
        MOST_REHEARSAL_DAYS,
        "Other bytes, another chain or another schema end it sooner.",
        label="A rehearsal counts for (days)",
    )
    lock_budget_seconds = _number(
        LONGEST_LOCK_BUDGET,
        "A run is refused when a lock that keeps writers out is forecast to be held for longer. 0: any lock may pass.",
        label="Lock budget (seconds)",
        least=0,
    )
    secrets_rev = forms.CharField(
        label="Set of secrets",
        max_length=LONGEST_SECRETS_REV,
        required=False,
        help_text="Its name, never a secret. Services that start here have to hold it. Empty: not looked at.",
        widget=plain(spellcheck="false"),
    )
    secrets_rev_next = forms.CharField(
        label="Next set of secrets",
        max_length=LONGEST_SECRETS_REV,
        required=False,
        help_text="While secrets are rotated either of the two will do.",
        widget=plain(spellcheck="false"),
    )
    dsn = _address("New address", f"Empty: the address stays as it is. Otherwise {ADDRESS}", required=False)
    adopt = forms.BooleanField(
        label="The database at the new address was moved, restored or made anew; from now on it is this environment's.",
        required=False,
    )

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("adopt") and not self.cleaned_data.get("dsn") and "dsn" not in self.errors:
            self.add_error("dsn", "Give the address of that database, or take the tick below away.")

    def edit(self) -> Edit:
        fields = (
            "stage", "region", "order", "health_url", "lock_window_seconds", "rehearsal_policy", "rehearsal_days",
            "lock_budget_seconds", "secrets_rev", "secrets_rev_next",
        )  # fmt: skip
        return Edit(**{name: self.cleaned_data[name] for name in fields})


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What it is for, such as ci-storefront.")
    role = forms.ChoiceField(required=False, help_text="A token can be narrower than you, never wider.")
    days = forms.IntegerField(label="Valid for (days)", initial=90, min_value=1, max_value=365)

    def __init__(self, data: object, roles: list[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        choices = [("", "all of my roles"), *((role, role) for role in roles)]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]


def saved(form: forms.Form, verb: Callable[[], object]) -> bool:
    """Run the verb; what it refuses becomes the form's error, beside its field, in the verb's own words."""
    try:
        verb()
    except LockstepError as failure:
        form.add_error(form.beside(failure.code) if isinstance(form, PlaceForm) else None, failure.sentence)
        return False
    return True
