"""Tables and numbers of the report."""


def table(header, rows):
    """A Markdown table; every cell is made text."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def number(value, digits=0):
    return f"{value:,.{digits}f}"


def spread(summary, digits=0):
    """The median, and in brackets the least and the greatest."""
    if summary["n"] == 1:
        return number(summary["median"], digits)
    return (f"{number(summary['median'], digits)} "
            f"({number(summary['min'], digits)}–{number(summary['max'], digits)})")


def milliseconds(value):
    return number(value, 0 if value >= 100 else 1)


def amount(size):
    """Bytes, in the unit that suits them."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024 or unit == "MiB":
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")
