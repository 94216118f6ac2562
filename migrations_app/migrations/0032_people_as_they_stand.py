"""A role that was taken away signs and approves nothing any more, in the database either, and nobody vouches for what
they ran however it ended. A cutover knows whether somebody had it go on after its window."""

from importlib import import_module

from django.db import migrations, models

FUNCTIONS = ("cutover_check_may", "cutover_check_ran", "cutover_check_evidence", "cutover_check_gate")
_spelled = import_module("migrations_app.migrations.0026_guards_spelled_out").SPELL_OUT
SPELL_OUT = _spelled.replace("|auth_user|", "|auth_user_groups|auth_group|auth_user|") % ",".join(FUNCTIONS)

# Whether somebody's account is alive and in one of these roles; the roles are those of permissions.py.
MAY = """
CREATE FUNCTION cutover_check_may(person integer, roles text[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $body$
    SELECT EXISTS (SELECT FROM auth_user u JOIN auth_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id
                    WHERE u.id = person AND u.is_active AND g.name = ANY(roles))
$body$;

CREATE FUNCTION cutover_check_ran(person integer, release bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $body$
    SELECT EXISTS (SELECT FROM migrations_app_run r JOIN migrations_app_environment e ON e.id = r.environment_id
                     JOIN migrations_app_release l ON l.service_id = e.service_id
                    WHERE l.id = release AND r.requested_by_id = person AND r.direction = 'up'
                      AND r.started_at IS NOT NULL AND r.created_at >= l.created_at)
$body$;
"""

NO_MAY = "DROP FUNCTION cutover_check_may(integer, text[]); DROP FUNCTION cutover_check_ran(integer, bigint);"

_before = import_module("migrations_app.migrations.0021_gate_guards").CUTOVER


def _functions(text: str) -> str:
    """The two that judge a gate, out of all that 0021 makes, to take the place of those that are there."""
    begins, ends = text.index("CREATE FUNCTION cutover_check_evidence"), text.index("CREATE FUNCTION cutover_guard")
    return text[begins:ends].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def _changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


NOW = _changed(
    _functions(_before),
    # The newest cutover of the release is the one that is being judged.
    (
        "d.verb = 'approve'\n",
        """d.verb = 'approve' AND cutover_check_may(d.by_id, '{release-manager}')
               AND NOT cutover_check_ran(d.by_id, release)
               AND d.by_id IS DISTINCT FROM (SELECT c.requested_by_id FROM migrations_app_cutover c
                                              WHERE c.release_id = release ORDER BY c.id DESC LIMIT 1)
""",
    ),
    (
        "           AND EXISTS (SELECT FROM auth_user u WHERE u.id = s.by_id AND u.is_active)\n",
        """           AND cutover_check_may(s.by_id, CASE WHEN role = '' THEN '{operator,on-call,release-manager}'
                                               ELSE ARRAY[role] END)
           AND NOT cutover_check_ran(s.by_id, cutover.release_id)
""",
    ),
)

KEEP_CUTOVER = import_module("migrations_app.migrations.0028_cutover_targets").KEEP_CUTOVER


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0031_boot_failures")]

    operations = [
        migrations.AddField(
            model_name="cutover", name="past_window", field=models.BooleanField(default=False, db_default=False)
        ),
        migrations.RunSQL(
            KEEP_CUTOVER.format(more=",targets_hash,past_window"), KEEP_CUTOVER.format(more=",targets_hash")
        ),
        migrations.RunSQL(MAY, NO_MAY),
        migrations.RunSQL(NOW + SPELL_OUT, _functions(_before) + SPELL_OUT),
    ]
