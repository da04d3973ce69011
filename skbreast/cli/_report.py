"""`--report`: what a command found, as a page."""

import shlex
import sys
from pathlib import Path

from skbreast.cli._terminal import console, errors, escape

__all__ = ["check_report", "report_benchmark", "report_run"]


def check_report(path):
    """Refuse a report that could not be written, before hours go into it."""
    if path is None:
        return
    from skbreast._files import check_writable
    from skbreast._validation import import_optional

    for module in ("jinja2", "matplotlib"):
        import_optional(module, extra="report", purpose="--report")
    if path.is_dir():
        raise ValueError(f"--report {path} is a folder; the name of a file is expected.")
    check_writable(path.parent)


def report_run(path, found, bunch, *, seed, n_resamples):
    """Write the report of a training or an evaluation, where one is asked for."""
    if path is None:
        return
    judged = found.predictions[found.chosen]
    rows, is_training = judged.rows, not found.counts
    audited = {
        "X": found.X[rows],
        "y": judged.y_true,
        "groups": None if found.groups is None else found.groups[rows],
        "split": _split_of(judged.folds) if is_training else None,
        "target_names": found.target_names,
    }
    _write(
        path,
        found.predictions,
        found.X,
        audited,
        figures=found.figures,
        chosen=found.chosen,
        model=found.model,
        fitted_to_all=is_training,
        protocol=found.protocol,
        bunch=bunch,
        random_state=seed,
        n_resamples=n_resamples,
    )


def report_benchmark(path, found, bunch, *, seed, n_resamples):
    """Write the report of a benchmark, where one is asked for, about the best of its models."""
    judged = {name: each for name, each in found.models.items() if each.error is None}
    if path is None or not judged:
        return
    audited = {
        "X": bunch.data,
        "y": bunch.target,
        "groups": bunch.groups,
        "split": bunch.folds,
        "target_names": bunch.target_names,
    }
    chosen = max(judged, key=lambda name: _area(judged[name]))
    choice = (
        f"This page is about {chosen}, whose AUC is the highest of {len(judged)}: chosen after the "
        "fact, which flatters it a little."
    )
    _write(
        path,
        {name: each.predictions for name, each in judged.items()},
        bunch.data,
        audited,
        figures={name: each.figures for name, each in judged.items()},
        chosen=chosen,
        protocol=" ".join([found.protocol, *found.notes, *([choice] if len(judged) > 1 else [])]),
        bunch=bunch,
        random_state=seed,
        n_resamples=n_resamples,
    )


def _area(result):
    return result.figures["auc"].estimate if "auc" in result.figures else -1.0


def _split_of(folds):
    """Return training and test rows of each fold, where every patch is tested once."""
    import numpy as np

    return [
        (np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)
    ]


def _write(path, predictions, X, audited, *, bunch, **content):
    from skbreast.model_selection import audit_patches
    from skbreast.report import write_report

    with errors.status("Auditing the patches"):
        audit = audit_patches(audited.pop("X"), **audited)
    with errors.status("Writing the report"):
        write_report(
            path,
            predictions,
            X,
            audit=audit,
            target_names=audited["target_names"],
            source=str(bunch.kind),
            about=_first_paragraph(bunch.get("DESCR", "")),
            command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            **content,
        )
    console.print(f"Report: {escape(path)}", highlight=False, soft_wrap=True)


def _first_paragraph(text):
    """Return what a description says first, below its title."""
    lines = text.strip().splitlines()
    if len(lines) > 1 and lines[1] and set(lines[1]) <= set("=-~"):
        lines = lines[2:]
    paragraph = "\n".join(lines).strip().split("\n\n")[0]
    return " ".join(paragraph.replace("``", "").split())
