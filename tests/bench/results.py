"""What a bench found: medians over paired rounds, as JSON lines, a table and the page docs/bench.md. Pure."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: a bound for the ratio, or for our own number where there is nothing to divide by."""

    sign: Literal[">=", "<="]
    value: float
    of: Literal["ratio", "ours"] = "ratio"

    def __str__(self) -> str:
        return f"{self.of} {self.sign} {self.value:g}"

    def met(self, value: float) -> bool:
        return value >= self.value if self.sign == ">=" else value <= self.value


@dataclass(frozen=True, slots=True)
class Detail:
    """A table that explains a number."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | float | int]]


@dataclass(frozen=True, slots=True)
class Result:
    """One line: ours and the baseline's number of each round, in the same order."""

    bench: str
    unit: str
    ours_rounds: Sequence[float]
    baseline_rounds: Sequence[float] = ()
    case: str = ""
    goal: Goal | None = None
    details: Sequence[Detail] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> float:
        return statistics.median(self.ours_rounds)

    @property
    def baseline(self) -> float | None:
        return statistics.median(self.baseline_rounds) if self.baseline_rounds else None

    @property
    def ratios(self) -> list[float]:
        """Of each round; a machine that others use disturbs both sides of a round, not the two medians alike."""
        if not self.baseline_rounds:
            return []
        return [ours / theirs for ours, theirs in zip(self.ours_rounds, self.baseline_rounds, strict=True)]

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.ratios) if self.baseline_rounds else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None when there is none."""
        if self.goal is None:
            return None
        value = self.ratio if self.goal.of == "ratio" else self.ours
        return value is not None and self.goal.met(value)

    def as_dict(self) -> dict[str, Any]:
        spread = {"ours": _span(self.ours_rounds)}
        if self.baseline_rounds:
            spread |= {"baseline": _span(self.baseline_rounds), "ratio": _span(self.ratios)}
        return {
            "bench": self.bench,
            **({"case": self.case} if self.case else {}),
            "ours": rounded(self.ours),
            "baseline": rounded(self.baseline),
            "ratio": rounded(self.ratio),
            "unit": self.unit,
            "goal": None if self.goal is None else str(self.goal),
            "met": self.met,
            "rounds": len(self.ours_rounds),
            "spread": spread,
            **self.facts,
            **({"details": [_detail(each) for each in self.details]} if self.details else {}),
        }

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False)


def rounded(value: float | None) -> float | None:
    """Keep four digits that mean something: the machine's noise is far above the fifth."""
    return None if value is None else float(f"{value:.4g}")


def _span(values: Iterable[float]) -> list[float | None]:
    found = list(values)
    return [rounded(min(found)), rounded(max(found))]


def _detail(detail: Detail) -> dict[str, Any]:
    return {"title": detail.title, "head": list(detail.head), "rows": [list(row) for row in detail.rows]}


HEAD = ("bench", "case", "ours", "baseline", "ratio", "unit", "goal", "met", "rounds")


def table(lines: Iterable[Mapping[str, Any]]) -> str:
    """Lay result lines out in columns for a terminal."""
    rows = [HEAD, *(cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table for a page."""
    lines = [head, ["---"] * len(head), *([number(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def number(value: object) -> str:
    """Write a number for people: thousands apart, no more digits than mean something."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.4g}"


def cells(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Write a result line below HEAD; beside its goal a ratio is not rounded to it: 1.505 misses 1.5."""
    written = {name: number(line[name]) for name in HEAD if name in line}
    if line.get("goal") and line.get("ratio") is not None:
        written["ratio"] = f"{line['ratio']:.4g}"
    return tuple(written.get(name, "") for name in HEAD)
