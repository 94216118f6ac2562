"""The forms of the fleet: they check shape; whether it may be done is the verb's business."""

from __future__ import annotations

from collections.abc import Callable

from django import forms

from migrations_app.engine.errors import LockstepError


class ServiceForm(forms.Form):
    name = forms.CharField(
        max_length=63,
        help_text="Small letters, digits and dashes, such as storefront. It cannot be renamed later.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class EnvironmentForm(forms.Form):
    name = forms.CharField(
        max_length=63,
        help_text="Unique within the service, such as prod-eu.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    stage = forms.CharField(
        max_length=63,
        help_text="Such as dev, staging or prod; the matrix groups by it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    region = forms.CharField(max_length=63, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    order = forms.IntegerField(
        initial=0, min_value=-9999, max_value=9999, help_text="Lower comes first: dev before prod."
    )
    dsn = forms.CharField(
        label="Target database",
        max_length=2000,
        help_text="env:NAME, file:PATH, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, which is stored "
        "encrypted and never shown again. It must be a direct address, not a pooler's.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    health_url = forms.URLField(
        label="Health address",
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text="Where the service tells about its health.",
    )


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What it is for, such as ci-storefront.")
    role = forms.ChoiceField(required=False, help_text="A token can be narrower than you, never wider.")
    days = forms.IntegerField(label="Valid for (days)", initial=90, min_value=1, max_value=365)

    def __init__(self, data: object, roles: list[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        choices = [("", "all of my roles"), *((role, role) for role in roles)]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]


def saved(form: forms.Form, verb: Callable[[], object]) -> bool:
    """Run the verb; what it refuses becomes the form's error, in the verb's own words."""
    try:
        verb()
    except LockstepError as failure:
        form.add_error(None, failure.sentence)
        return False
    return True
