"""`python -m benchmarks NAME [--data DIR] [--json FILE]`: measures, prints a table, writes JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path

import benchmarks
from benchmarks.report import Result, table

NOT_BENCHMARKS = {"__main__", "report", "instance", "traffic"}


def main() -> int:
    """Run one benchmark, or all; 1 when a target was missed."""
    names = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in NOT_BENCHMARKS)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures, prints a table, writes JSON.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(names)}; none: all of them")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public data sets")
    parser.add_argument(
        "--set", action="append", default=[], metavar="OPTION=NUMBER", help="shorter, or larger: see its OPTIONS"
    )
    parser.add_argument("--json", type=Path, help="file for the figures (default: benchmarks/results/NAME.json)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(names)}")
    if options.json and len(options.names) != 1:
        parser.error("--json needs exactly one NAME")
    if options.set and len(options.names) != 1:
        parser.error("--set needs exactly one NAME")
    chosen = dict(each.split("=", 1) for each in options.set)
    met = [_measure(name, options.data, options.json, chosen) for name in options.names or names]
    return 0 if all(met) else 1


def _measure(name: str, data: Path, target: Path | None, chosen: dict[str, str]) -> bool:
    module = importlib.import_module(f"benchmarks.{name}")
    known: dict[str, float] = getattr(module, "OPTIONS", {})
    if unknown := set(chosen) - set(known):
        sys.exit(f"{name} has no option {', '.join(unknown)}; it has: {', '.join(known) or 'none'}")
    options = known | {option: float(value) for option, value in chosen.items()}
    result: Result = module.run(data, **options)
    print(table(name, result))
    target = target or Path(__file__).parent / "results" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    print(f"written: {target}\n")
    return all(goal["met"] for goal in result["targets"])


if __name__ == "__main__":
    sys.exit(main())
