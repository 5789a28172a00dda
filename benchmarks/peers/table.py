"""Rows of a comparison, and how they are shown: a table on the terminal, the same in Markdown, bars in SVG."""

import html
import statistics


def row(work, wajah, peers, target, unit="ms"):
    """One comparison. `wajah` and the values of `peers` are lists, one figure a round; rounds are paired, the fastest
    peer is the one with the least median, and the ratio is the median of the ratios round by round."""
    name = min(peers, key=lambda peer: statistics.median(peers[peer]))
    ratio = statistics.median(a / b for a, b in zip(wajah, peers[name]))
    return {"work": work, "wajah": statistics.median(wajah), "peer": statistics.median(peers[name]), "peer_name": name,
            "ratio": ratio, "target": target, "passed": target is None or ratio <= target, "unit": unit,
            "others": {peer: statistics.median(values) for peer, values in peers.items() if peer != name}}


def cells(rows):
    for r in rows:
        others = ", ".join(f"{name} {value:.4g}" for name, value in r.get("others", {}).items())
        target = "" if r["target"] is None else f"{r['target']:.3g}"
        verdict = "" if r["target"] is None else ("pass" if r["passed"] else "MISSED")
        yield [r["work"], f"{r['wajah']:.4g}", f"{r['peer']:.4g} {r['peer_name']}", others, f"{r['ratio']:.3g}", target, verdict]


def head(unit="ms"):
    return ["work", f"wajah ({unit})", "fastest peer", "other peers", "ratio", "at most", ""]


def text(rows):
    lines = [head(), *cells(rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def markdown(rows):
    lines = [head(), ["---"] * len(head()), *cells(rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def svg(rows):
    """A bar a row: the ratio to the fastest peer, one line where both are equal, a tick at the target."""
    height, left, scale, longest = 22, 380, 300, 1.6
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + scale * longest + 80:.0f}" height="{height * len(rows) + 40}" '
           'font-family="sans-serif" font-size="12">', "<title>Time of wajah divided by that of the fastest peer</title>"]
    for i, r in enumerate(rows):
        y, length = 24 + i * height, scale * min(r["ratio"], longest)
        colour = "#2a7" if r["passed"] else "#c63"
        out.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{html.escape(r["work"])}</text>'
                   f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{height - 6}" fill="{colour}"/>'
                   f'<text x="{left + length + 4:.1f}" y="{y + 13}">{r["ratio"]:.2f}</text>')
        if r["target"] is not None:
            x = left + scale * min(r["target"], longest)
            out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 1}" y2="{y + height - 5}" stroke="#000"/>')
    out.append(f'<line x1="{left + scale}" x2="{left + scale}" y1="14" y2="{height * len(rows) + 26}" stroke="#888" stroke-dasharray="4"/>'
               f'<text x="{left + scale}" y="12" text-anchor="middle">as fast as the fastest peer</text></svg>')
    return "\n".join(out)
