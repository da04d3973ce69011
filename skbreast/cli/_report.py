"""`--report`: what a command found, as a page."""

import shlex
import sys
from pathlib import Path

from skbreast.cli._terminal import console, errors, escape

__all__ = ["check_report", "report_benchmark", "report_run"]

BASELINES = ("dummy", "colour")  # what every model has to beat
INVENTED = "invented"  # the kind of the demo's patches
NO_MAPS = "No model is fitted to all patches in a benchmark, so there are no maps."


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


def report_run(path, found, bunch, *, seed, n_resamples, data=None):
    """Write the report of a training or an evaluation, where one is asked for.

    Parameters
    ----------
    path : pathlib.Path or None
        The page to be; without it nothing happens.
    found : RunResult
        What was found, kept and shown already.
    bunch : Bunch
        The patches.
    seed, n_resamples : int
        Of the intervals.
    data : pathlib.Path, optional
        The folder of the patches.
    """
    if path is None:
        return
    judged = found.predictions[found.chosen]
    rows, is_training = judged.rows, not found.counts
    what = "training" if is_training else "evaluation"
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
        data=data,
        what="demo" if bunch.kind == INVENTED else what,
        random_state=seed,
        n_resamples=n_resamples,
    )


def report_benchmark(path, found, bunch, *, seed, n_resamples, data=None):
    """Write the report of a benchmark, where one is asked for, about its best model.

    A baseline is what others have to beat: the page is about one only where there is nothing else.

    As :func:`report_run` otherwise.
    """
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
    models = [name for name in judged if name not in BASELINES] or list(judged)
    chosen = max(models, key=lambda name: _area(judged[name]))
    of_what = (
        f"{len(models)}, the baselines left aside" if len(models) < len(judged) else len(judged)
    )
    choice = (
        f"This page is about {chosen}, whose AUC is the highest of {of_what}: chosen after the "
        "fact, which flatters it a little."
    )
    _write(
        path,
        {name: each.predictions for name, each in judged.items()},
        bunch.data,
        audited,
        figures={name: each.figures for name, each in judged.items()},
        chosen=chosen,
        model=NO_MAPS,
        protocol=" ".join([found.protocol, *found.notes, *([choice] if len(models) > 1 else [])]),
        bunch=bunch,
        data=data,
        what="benchmark",
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


def _write(path, predictions, X, audited, *, bunch, data, what, **content):
    from skbreast.report import write_report

    audit = _audit(**audited)
    folder = "" if data is None else Path(data).resolve().name
    name = _name(bunch)
    with errors.status("Writing the report"):
        try:
            write_report(
                path,
                predictions,
                X,
                audit=audit,
                target_names=audited["target_names"],
                title=f"{content['chosen']} on {folder or name}: {what}",
                source=f"{name}, folder {folder}" if folder else name,
                about=_first_paragraph(bunch.get("DESCR", "")),
                command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
                **content,
            )
        except (ValueError, OSError, ImportError, MemoryError) as error:
            raise ValueError(
                f"The report {path} was not written, all else was done: {_sentence(error)}"
            ) from error
    console.print(f"Report: {escape(path)}", highlight=False, soft_wrap=True)


def _audit(X, **options):
    """Return the audit or, if it fails, the sentence that says so: no page is lost over it."""
    from skbreast.model_selection import audit_patches

    with errors.status("Auditing the patches"):
        try:
            return audit_patches(X, **options)
        except Exception as error:
            failed = (
                "The audit of the patches failed, so this report cannot say whether there are "
                f"leaks: {_sentence(error)}"
            )
    errors.print(f"[yellow]{escape(failed)}[/]", highlight=False, soft_wrap=True)
    return failed


def _sentence(error):
    """Say in one line what went wrong, with the kind of the error where it is not the user's."""
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | OSError | ImportError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}."


def _name(bunch):
    """Return what the data set is called."""
    if bunch.kind == INVENTED:
        return "invented patients"
    lines = bunch.get("DESCR", "").strip().splitlines()
    return lines[0] if lines else str(bunch.kind)


def _first_paragraph(text):
    """Return what a description says first, below its title."""
    lines = text.strip().splitlines()
    if len(lines) > 1 and lines[1] and set(lines[1]) <= set("=-~"):
        lines = lines[2:]
    paragraph = "\n".join(lines).strip().split("\n\n")[0]
    return " ".join(paragraph.replace("``", "").split())
