"""`python -m gexterm`."""

from gexterm.cli.main import run

run()
