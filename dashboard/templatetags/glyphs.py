"""The shapes, as constant SVG: one shape has one meaning and no user text ever passes through here."""

from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe

_LINE = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'

PATHS: dict[str, str] = {
    "ok": f'<path d="M3 8.5l3.2 3L13 4.8" {_LINE} stroke-width="2.2"/>',
    "running": '<circle cx="8" cy="8" r="4.6" fill="currentColor"/>',
    "verifying": f'<circle cx="8" cy="8" r="5.6" {_LINE} stroke-width="1.6"/>'
    '<circle cx="8" cy="8" r="2.3" fill="currentColor"/>',
    "clock": f'<circle cx="8" cy="8" r="5.4" {_LINE} stroke-width="1.8"/>'
    f'<path d="M8 5.2V8l2 1.4" {_LINE} stroke-width="1.6"/>',
    "lock": f'<rect x="3.5" y="7" width="9" height="6.2" rx="1.2" {_LINE} stroke-width="1.7"/>'
    f'<path d="M5.5 7V5.3a2.5 2.5 0 015 0V7" {_LINE} stroke-width="1.7"/>',
    "pending": f'<circle cx="8" cy="8" r="5.4" {_LINE} stroke-width="1.6"/>'
    '<path d="M8 8V4.3A3.7 3.7 0 0111.7 8z" fill="currentColor"/>',
    "none": f'<circle cx="8" cy="8" r="5" {_LINE} stroke-width="1.6" stroke-dasharray="2.4 2.2"/>',
    "pause": f'<path d="M5.7 4v8M10.3 4v8" {_LINE} stroke-width="2.4"/>',
    "warning": f'<path d="M8 2.2L14.3 13.4H1.7z" {_LINE} stroke-width="1.8"/>'
    f'<path d="M8 6.6v2.8M8 11.4v.1" {_LINE} stroke-width="1.8"/>',
    "failed": f'<path d="M4 4l8 8M12 4l-8 8" {_LINE} stroke-width="2.2"/>',
    "unknown": f'<path d="M5.6 6a2.4 2.4 0 114 1.8c-.9.7-1.6 1.1-1.6 2.2M8 12.6v.1" {_LINE} stroke-width="1.8"/>',
    "skipped": f'<circle cx="8" cy="8" r="5.4" {_LINE} stroke-width="1.7"/>'
    f'<path d="M4.3 11.7l7.4-7.4" {_LINE} stroke-width="1.7"/>',
    "drift": f'<path d="M3 6h8.5M9 3.4L11.8 6 9 8.6M13 10.4H4.6M7 7.9l-2.8 2.5L7 13" {_LINE} stroke-width="1.7"/>',
    "disorder": f'<path d="M5.5 13V3.5M3 6l2.5-2.5L8 6M10.5 3v9.5M8 10l2.5 2.5L13 10" {_LINE} stroke-width="1.7"/>',
    "person": f'<circle cx="8" cy="5" r="2.5" {_LINE} stroke-width="1.8"/>'
    f'<path d="M3.2 13.4c.5-2.7 2.3-4 4.8-4s4.3 1.3 4.8 4" {_LINE} stroke-width="1.8"/>',
    "interrupted": f'<path d="M9.2 2.3L4.2 9h3.3l-.7 4.7L11.8 7H8.5z" {_LINE} stroke-width="1.6"/>',
    "undo": f'<path d="M3.2 6.2h6a3.5 3.5 0 010 7H6M6 3.2l-3 3 3 3" {_LINE} stroke-width="1.8"/>',
    "unplugged": f'<path d="M6.6 11.8l-1 1a2.6 2.6 0 01-3.7-3.7l1-1M9.4 4.2l1-1a2.6 2.6 0 013.7 3.7l-1 1'
    f'M5.4 3V1.6M3 5.4H1.6M10.6 13v1.4M13 10.6h1.4" {_LINE} stroke-width="1.7"/>',
    "info": f'<circle cx="8" cy="8" r="5.8" {_LINE} stroke-width="1.5"/>'
    f'<path d="M8 7.4v3.4M8 5.1v.1" {_LINE} stroke-width="1.7"/>',
    "bell": f'<path d="M4.2 11.2V7.3a3.8 3.8 0 017.6 0v3.9l1 1.3H3.2zM6.9 14.2h2.2" {_LINE} stroke-width="1.5"/>',
    "empty": "",
    # Not states: signs for controls.
    "mark": f'<path d="M2 3h5v4H2zM9 9h5v4H9zM7 5h4v4M9 11H5V7" {_LINE} stroke-width="1.7"/>',
    "sun": f'<circle cx="8" cy="8" r="2.8" {_LINE} stroke-width="1.5"/><path d="M8 1.8v1.4M8 12.8v1.4'
    f'M1.8 8h1.4M12.8 8h1.4M3.6 3.6l1 1M11.4 11.4l1 1M12.4 3.6l-1 1M4.6 11.4l-1 1" {_LINE} '
    'stroke-width="1.5"/>',
    "moon": f'<path d="M12.8 9.6A5.3 5.3 0 116.4 3.2a4.3 4.3 0 006.4 6.4z" {_LINE} stroke-width="1.5"/>',
    "auto": f'<circle cx="8" cy="8" r="5.4" {_LINE} stroke-width="1.5"/>'
    '<path d="M8 2.6a5.4 5.4 0 010 10.8z" fill="currentColor"/>',
    "close": f'<path d="M4.4 4.4l7.2 7.2M11.6 4.4l-7.2 7.2" {_LINE} stroke-width="1.6"/>',
    "up": f'<path d="M4.2 9.8L8 6l3.8 3.8" {_LINE} stroke-width="1.7"/>',
    "down": f'<path d="M4.2 6.2L8 10l3.8-3.8" {_LINE} stroke-width="1.7"/>',
    "sortable": f'<path d="M5.2 6.4L8 3.6l2.8 2.8M5.2 9.6L8 12.4l2.8-2.8" {_LINE} stroke-width="1.4"/>',
    "copy": f'<rect x="5.5" y="5.5" width="7.5" height="7.5" rx="1.2" {_LINE} stroke-width="1.5"/>'
    f'<path d="M3.2 10.3V4.2c0-.6.4-1 1-1h6.1" {_LINE} stroke-width="1.5"/>',
}

GLYPHS: dict[str, SafeString] = {
    name: mark_safe(f'<svg viewBox="0 0 16 16" aria-hidden="true">{path}</svg>')  # noqa: S308  constants only
    for name, path in PATHS.items()
}
ICONS: dict[str, SafeString] = {
    name: mark_safe(f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{path}</svg>')  # noqa: S308
    for name, path in PATHS.items()
}
