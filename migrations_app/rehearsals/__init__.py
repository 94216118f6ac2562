"""Rollbacks proven before they are offered: rehearsals on clones, and drills by people."""
