"""Pieces of Markdown: tables, and numbers as they stand in them."""

from collections.abc import Iterable, Sequence

NONE = "–"
BELOW = "↓"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns of numbers are aligned on the right."""
    columns = zip(*rows) if rows else [()] * len(headings)
    rules = ["---:" if all(map(_is_number, column)) else "---" for column in columns]
    return joined([_row(headings), _row(rules), *map(_row, rows)])


def _is_number(cell: str) -> bool:
    return (cell.lstrip("*+-")[:1].isdigit() and "×" not in cell) or cell in ("", NONE)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def joined(lines: Iterable[str]) -> str:
    """Return a paragraph of lines."""
    return "\n".join(lines) + "\n"


def folded(title: str, body: str) -> str:
    """Return what is seen when its title is clicked."""
    return f"<details><summary>{title}</summary>\n\n{body}\n</details>\n"


def number_as(value: float | None, form: str, scale: float = 1) -> str:
    """Return a formatted number, or a dash where there is none."""
    return NONE if value is None else form.format(value * scale)


def ratio(value: float | None, aim: float) -> str:
    """Two digits after the point; bold and marked where the aim is missed."""
    text = number_as(value, "{:.2f}")
    return f"**{text}** {BELOW}" if value is not None and value < aim else text


def per_cent(value: float | None, aim: float = 0.0) -> str:
    """Return a fraction; bold and marked where the aim is missed."""
    text = number_as(value, "{:.0f} %", 100)
    return f"**{text}** {BELOW}" if value is not None and value < aim else text


def milliseconds(value: float | None) -> str:
    """Three digits, of seconds."""
    return number_as(value, "{:.3g}", 1000)
