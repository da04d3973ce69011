"""An audit as a section of HTML; names come from files and are escaped."""

from skbreast._html import escape_text
from skbreast.model_selection._audit_findings import KINDS

__all__ = ["audit_html"]

_N_ROWS = 10  # of one kind
_N_NAMES = 4
_COLORS = {"error": "#b00020", "warning": "#8a5300", "note": "#335577"}
_STYLE = """
.skbreast-audit{font:15px/1.45 system-ui,sans-serif;color:#1c1c1c;background:#fff;max-width:70em;
padding:0 .6em;overflow-wrap:break-word}
.skbreast-audit .verdict{font-weight:600;padding:.5em .8em;border-left:.4em solid;margin:.6em 0}
.skbreast-audit table{border-collapse:collapse;width:100%;margin:.4em 0 1em;background:#fff}
.skbreast-audit th,.skbreast-audit td{text-align:left;vertical-align:top;padding:.25em .6em;
border-bottom:1px solid #d8d8d8;color:#1c1c1c;background:#fff}
.skbreast-audit th[scope=row]{white-space:nowrap;font-weight:600}
.skbreast-audit td:first-child{overflow-wrap:anywhere;min-width:12em}
.skbreast-audit summary{cursor:pointer;padding:.25em 0}
.skbreast-audit .tag{display:inline-block;min-width:5em;text-align:center;color:#fff;
border-radius:.3em;padding:0 .4em;margin-right:.5em;font-size:.85em}
.skbreast-audit code{font:13px/1.4 ui-monospace,monospace;color:inherit;background:none}
@media print{.skbreast-audit .tag{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""


def audit_html(report, *, heading_level=2):
    """Write an audit as a section of HTML.

    Parameters
    ----------
    report : AuditReport
        The audit.
    heading_level : int, default=2
        1…5, of the section's heading.

    Returns
    -------
    str
        One ``<section>`` with its own style, for a page or within one.
    """
    if heading_level not in range(1, 6):
        raise ValueError(f"heading_level must be an integer from 1 to 5; got {heading_level!r}.")
    color = _COLORS["error"] if report.leaks else "#1b6e3c"
    verdict = escape_text(report.verdict)
    numbers = "".join(
        f'<tr><th scope="row">{escape_text(title)}</th><td>{escape_text(text)}</td></tr>'
        for title, text in report.numbers()
    )
    kinds = "".join(_kind(kind, findings) for kind, findings in report.by_kind().items())
    section = (
        f'<section class="skbreast-audit"><style>{_STYLE}</style>'
        f"<h{heading_level}>Audit of the data</h{heading_level}>"
        f'<p class="verdict" style="border-color:{color};color:{color}">{verdict}</p>'
        f"{kinds}<h{heading_level + 1}>Numbers</h{heading_level + 1}>"
        f"<table><tbody>{numbers}</tbody></table></section>"
    )
    # in ASCII it reads alike whatever a page or a browser takes its encoding to be
    return section.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _kind(kind, findings):
    severity = findings[0].severity
    rows = "".join(map(_row, findings[:_N_ROWS]))
    n_more = len(findings) - _N_ROWS
    more = f'<tr><td colspan="4">… and {n_more:,} more</td></tr>' if n_more > 0 else ""
    shown = " open" if severity == "error" else ""
    return (
        f"<details{shown}><summary>"
        f'<span class="tag" style="background:{_COLORS[severity]}">{severity}</span>'
        f"{escape_text(KINDS[kind][1])}: <strong>{len(findings):,}</strong></summary>"
        "<table><thead><tr><th>Patches</th><th>Patients</th><th>Labels</th><th>What was found</th>"
        f"</tr></thead><tbody>{rows}{more}</tbody></table></details>"
    )


def _row(finding):
    cells = (_names(finding.patches), _names(finding.patients), _names(finding.labels))
    cells = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr>{cells}<td>{escape_text(finding.detail)}</td></tr>"


def _names(names):
    shown = "<br>".join(f"<code>{escape_text(name)}</code>" for name in names[:_N_NAMES])
    n_more = len(names) - _N_NAMES
    return f"{shown}<br>… and {n_more:,} more" if n_more > 0 else shown
