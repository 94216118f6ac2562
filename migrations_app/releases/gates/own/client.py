"""The script that pages load: how it waits and repeats, by what it says and, where a browser is, by what it does."""
