"""Line charts as SVG text: small, the same bytes for the same numbers, readable on any background."""

import math
from html import escape

WIDTH, HEIGHT = 850, 400
LEFT, RIGHT, TOP, BOTTOM = 74, 260, 44, 52
COLOURS = {
    # By hand: the darker, the more it does.
    "limit": "#555555", "limit-same": "#000000", "limit-bare": "#bdbdbd",
    "map": "#8c6bb1", "map-same": "#54278f", "map-bare": "#bcbddc",
    "swarmgate": "#d7301f", "swarmgate-once": "#fc8d59", "nginx": "#1a9850",
    "caddy": "#2b8cbe", "acl": "#e08214",
}
OTHER_COLOURS = ("#d7301f", "#2b8cbe", "#1a9850", "#e08214", "#8c6bb1", "#555555")


def ticks(low, high, logarithmic):
    """Round numbers that span the range, with the ends inside of it or at its border."""
    if logarithmic:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]
    if high <= low:
        high = low + 1
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.floor(low / step)
    last = math.ceil(high / step)
    return [step * number for number in range(first, last + 1)]


def number_text(value):
    """Short, and with thousands set apart."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


class _Scale:
    def __init__(self, values, start, end, logarithmic, from_zero):
        self.logarithmic = logarithmic
        low = 0 if from_zero and not logarithmic else min(values)
        self.ticks = ticks(low, max(values), logarithmic)
        self._low, self._high = self._of(self.ticks[0]), self._of(self.ticks[-1])
        self._start, self._end = start, end

    def _of(self, value):
        return math.log10(value) if self.logarithmic else value

    def __call__(self, value):
        share = (self._of(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)


def line_chart(title, x_label, y_label, series, log_y=False):
    """`series`: (key, label, [(x, y), …]) each; x is logarithmic. A zero on a logarithmic axis is
    drawn at the axis' least value.
    """
    if log_y:
        least = min((y for _, _, points in series for _, y in points if y > 0), default=1)
        series = [(key, label, [(x, max(y, least)) for x, y in points])
                  for key, label, points in series]
    points = [point for _, _, its in series for point in its]
    if not points:
        raise ValueError("nothing to draw")
    x_of = _Scale([x for x, _ in points], LEFT, WIDTH - RIGHT, True, False)
    y_of = _Scale([y for _, y in points], HEIGHT - BOTTOM, TOP, log_y, True)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" fill="#222222">{escape(title)}</text>',
    ]
    parts += _axes(x_of, y_of, x_label, y_label)
    for index, (key, label, its) in enumerate(series):
        colour = COLOURS.get(key, OTHER_COLOURS[index % len(OTHER_COLOURS)])
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in its)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3" fill="{colour}"/>'
                  for x, y in its]
        y = TOP + 10 + 22 * index
        parts.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 9}" width="10" height="10" '
                     f'fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 32}" y="{y}" fill="#222222">{escape(label)}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def _axes(x_of, y_of, x_label, y_label):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for tick in y_of.ticks:
        y = y_of(tick)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#444444">'
                     f'{number_text(tick)}</text>')
    for tick in x_of.ticks:
        x = x_of(tick)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}" '
                     'stroke="#444444"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle" fill="#444444">'
                     f'{number_text(tick)}</text>')
    parts.append(f'<line x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="#444444"/>')
    parts.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle" '
                 f'fill="#222222">{escape(x_label)}</text>')
    middle = (TOP + bottom) / 2
    parts.append(f'<text x="16" y="{middle:.0f}" text-anchor="middle" fill="#222222" '
                 f'transform="rotate(-90 16 {middle:.0f})">{escape(y_label)}</text>')
    return parts
