"""The HTTP API, /api/v1: thin, over the same look-ups and verbs as the pages. One file per noun."""
