"""The eight gates as shipped, looked at on the installation that runs here: `manage.py gates self`.

A gate is a file, named like its key, and each of its checks a function in it that takes the installation and says
what it saw. A look reads files, asks addresses and starts processes of its own; it changes nothing.
"""
