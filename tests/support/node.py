"""Runs the programs in tests/clients/node with the project's own Node and npm packages."""

from pathlib import Path

from support.tools import run, tool

PROGRAMS = Path(__file__).parent.parent / "clients" / "node"


def node(program: str, *arguments: str, folder: Path) -> str:
    """What the program prints; the test fails where it does."""
    return run(tool("node"), str(PROGRAMS / program), *arguments, cwd=folder, home=folder, timeout=120)
