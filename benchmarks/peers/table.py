"""Rows of a comparison, and how they are shown: a table on the terminal, the same in Markdown, bars in SVG."""

import html
import statistics

MISSED, UNMEASURED, PASSED, NO_FIGURE = "MISSED", "not measured", "pass", ""
ORDER = (MISSED, UNMEASURED, PASSED, NO_FIGURE)  # what matters most first


def row(work, wajah, peers, target):
    """One comparison. `wajah` and the values of `peers` are lists, one figure a round; rounds are paired, the fastest
    peer is the one with the least median, and the ratio is the median of the ratios round by round."""
    name = min(peers, key=lambda peer: statistics.median(peers[peer]))
    ratio = statistics.median(a / b for a, b in zip(wajah, peers[name]))
    return {"work": work, "wajah": statistics.median(wajah), "peer": statistics.median(peers[name]), "peer_name": name,
            "ratio": ratio, "target": target, "rounds": len(wajah),
            "others": {peer: statistics.median(values) for peer, values in peers.items() if peer != name}}


def limited(work, value, most, name="what is wanted"):
    """A figure of wajah's that must be at most a number, not a peer's."""
    return {"work": work, "wajah": value, "peer": most, "peer_name": name, "ratio": value / most, "target": 1.0, "rounds": 1}


def unmeasured(work, why):
    """A row that must not count as passed, with the reason in its place."""
    return {"work": work, "why": " ".join(str(why).split())[:200]}


def tried(work, rows):
    """The rows that rows() gives, or in their place why it could not."""
    try:
        yield from rows()
    except Exception as error:  # pylint: disable=broad-except  # whatever stops one comparison, the others go on
        yield unmeasured(work, f"{type(error).__name__}: {error}")


def verdict(r):
    if "why" in r:
        return UNMEASURED
    if r["target"] is None:
        return NO_FIGURE
    return PASSED if r["ratio"] <= r["target"] else MISSED


def ordered(rows):
    return sorted(rows, key=lambda r: ORDER.index(verdict(r)))


def count(rows):
    """How many of each verdict, in words."""
    verdicts = [verdict(r) for r in rows]
    words = {MISSED: "missed", UNMEASURED: "not measured", PASSED: "as wanted", NO_FIGURE: "without a figure to reach"}
    return ", ".join(f"{verdicts.count(v)} {words[v]}" for v in (PASSED, MISSED, UNMEASURED, NO_FIGURE) if v in verdicts)


def cells(r):
    if "why" in r:
        return [r["work"], "", r["why"], "", "", "", "", UNMEASURED]
    others = ", ".join(f"{name} {value:.4g}" for name, value in r.get("others", {}).items())
    target = "" if r["target"] is None else f"{r['target']:.3g}"
    return [r["work"], f"{r['wajah']:.4g}", f"{r['peer']:.4g} {r['peer_name']}", others, f"{r['ratio']:.3g}", target,
            str(r["rounds"]), verdict(r)]


HEAD = ["work (ms where nothing else is said)", "wajah", "fastest peer", "other peers", "ratio", "at most", "rounds", ""]


def line(r):
    """One row as it becomes known."""
    return "  ".join(cell for cell in cells(r) if cell)


def text(rows):
    lines = [HEAD, *map(cells, rows)]
    # A reason is long and stands alone in its line: it must not widen the column for all.
    widths = [max(len(line[i]) for line in lines if line[-1] != UNMEASURED or i == 0) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD), *map(cells, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def bar(r, left, scale, longest, y, height):
    """The SVG of a row: a bar of its ratio, a tick at the target."""
    label = f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{html.escape(r["work"])}</text>'
    if "why" in r:
        return label + f'<text x="{left + 4}" y="{y + 13}" fill="#888">not measured</text>'
    length = scale * min(r["ratio"], longest)
    colour = {MISSED: "#c63", PASSED: "#2a7", NO_FIGURE: "#99a"}[verdict(r)]
    drawn = (label + f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{height - 6}" fill="{colour}"/>'
             f'<text x="{left + length + 4:.1f}" y="{y + 13}">{r["ratio"]:.3g}</text>')
    if r["target"] is not None:
        x = left + scale * min(r["target"], longest)
        drawn += f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 1}" y2="{y + height - 5}" stroke="#000"/>'
    return drawn


def svg(rows, title):
    """A bar a row: the ratio to the fastest peer, one dashed line where both are equal, a tick at the target."""
    height, left, scale, longest, top = 22, 480, 300, 1.6, 46
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + scale * longest + 80:.0f}" '
           f'height="{height * len(rows) + top + 16}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="#fff"/>', f'<text x="8" y="16">{html.escape(title)}</text>']
    out += [bar(r, left, scale, longest, top + i * height, height) for i, r in enumerate(rows)]
    out.append(f'<line x1="{left + scale}" x2="{left + scale}" y1="{top - 10}" y2="{height * len(rows) + top}" stroke="#888" '
               f'stroke-dasharray="4"/><text x="{left + scale}" y="{top - 12}" text-anchor="middle">as fast as the fastest '
               "peer</text></svg>")
    return "\n".join(out)
