"""Every advisory-lock number Lockstep uses, in one place. Take the next free number; never reuse one."""

from __future__ import annotations

# In the control database (first key 7061).
CONTROL = 7061
AUDIT_APPEND = (CONTROL, 1)
SCHEDULER = (CONTROL, 2)
SCHEMA_CONTENTS = (CONTROL, 3)
# In a target: see engine/contract/lock.py (the engine has no imports from here).
