"""The form that prepares a drill: five steps with a time and the commands of each, filled in from the scenario."""

from __future__ import annotations

from django import forms

from migrations_app.rehearsals.drills.actions import Plan
from migrations_app.rehearsals.drills.refusals import LONGEST_TEXT, LONGEST_TIME_S, USUAL_LIMIT_S
from migrations_app.rehearsals.drills.scenarios import STEP_NAMES, Scenario

_PLAIN = {"autocomplete": "off"}
_CODE = {"autocomplete": "off", "spellcheck": "false", "rows": 4}


class DrillForm(forms.Form):
    trigger_reason = forms.CharField(
        label="Why it is held",
        max_length=500,
        help_text="What would set off this rollback for real, or what is practised before.",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    limit_s = forms.IntegerField(
        label="Recovery limit (seconds)",
        initial=USUAL_LIMIT_S,
        min_value=1,
        max_value=LONGEST_TIME_S,
        help_text="From the end of step 1 to the end of step 3; 900 s are 15 min.",
    )
    from_release = forms.CharField(label="Release that fails", max_length=200, required=False)
    to_release = forms.CharField(label="Release that is put back", max_length=200, required=False)
    runbook_rev = forms.CharField(
        label="Revision of the runbook", max_length=200, required=False, help_text="Such as a commit or a date."
    )

    def __init__(self, data: object, scenario: Scenario) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.scenario = scenario
        for number, step in enumerate(scenario.steps, start=1):
            self.fields[f"planned_{number}"] = forms.IntegerField(
                label="Planned (seconds)", initial=step.planned_s, min_value=1, max_value=LONGEST_TIME_S
            )
            self.fields[f"commands_{number}"] = forms.CharField(
                label="Commands",
                initial=step.commands,
                max_length=LONGEST_TEXT,
                required=False,
                strip=False,
                widget=forms.Textarea(attrs=_CODE),
            )

    def steps(self) -> list[tuple[int, str, forms.BoundField, forms.BoundField]]:
        """For the template: number, name, and the two fields of each."""
        return [
            (number, name, self[f"planned_{number}"], self[f"commands_{number}"])
            for number, name in enumerate(STEP_NAMES, start=1)
        ]

    def plan(self) -> Plan:
        given = self.cleaned_data
        numbers = range(1, len(STEP_NAMES) + 1)
        return Plan(
            scenario=self.scenario.key,
            trigger_reason=given["trigger_reason"],
            limit_s=given["limit_s"],
            planned_s=[given[f"planned_{number}"] for number in numbers],
            commands=[given[f"commands_{number}"] for number in numbers],
            from_release=given["from_release"],
            to_release=given["to_release"],
            runbook_rev=given["runbook_rev"],
        )
