"""Which patches a command works on: the options that say it, and loading by them."""

import functools
import inspect
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skbreast.cli._terminal import errors, escape

__all__ = [
    "KINDS",
    "DataArgument",
    "OverwriteOption",
    "ReportOption",
    "ResamplesOption",
    "load",
    "load_as_published",
    "load_folds",
    "with_data_options",
]

# Options by the layout of the data; written down here, since loaders import scikit-learn, for which
# --help should not wait.
KINDS = {
    "idc": {"split", "splits_dir"},
    "breakhis": {"magnification", "classes"},
    "pcam": {"split"},
    "folder": {"split", "groups_pattern"},
}
Kind = StrEnum("Kind", {name: name for name in ("auto", *KINDS)})
Classes = StrEnum("Classes", {name: name for name in ("binary", "subtype")})

DataArgument = Annotated[Path, typer.Argument(help="Folder of a data set.", show_default=False)]
KindOption = Annotated[Kind, typer.Option(help="Layout of the folder; recognised by default.")]
SplitOption = Annotated[str | None, typer.Option(help="Part of the data: train, val, test, …")]
SplitsDirOption = Annotated[Path | None, typer.Option(help="IDC: folder of the case lists.")]
MagnificationOption = Annotated[int | None, typer.Option(help="BreakHis: 40, 100, 200 or 400.")]
ClassesOption = Annotated[Classes | None, typer.Option(help="BreakHis: two classes or eight.")]
GroupsOption = Annotated[
    str | None,
    typer.Option(help="Folder: regular expression on the path whose first group is the patient."),
]
MaxPatchesOption = Annotated[int | None, typer.Option(help="Thin the data to so many patches.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a model.")]
ReportOption = Annotated[
    Path | None, typer.Option(help="Write a report: one web page, which needs no network.")
]
SeedOption = Annotated[int, typer.Option(help="Seed of folds, networks and resampling.")]
ResamplesOption = Annotated[int, typer.Option(help="Bootstrap resamples of patients.", min=10)]

DATA_OPTIONS = {
    "kind": (KindOption, Kind.auto),
    "split": (SplitOption, None),
    "splits_dir": (SplitsDirOption, None),
    "magnification": (MagnificationOption, None),
    "classes": (ClassesOption, None),
    "groups_pattern": (GroupsOption, None),
    "max_patches": (MaxPatchesOption, None),
    "seed": (SeedOption, 0),
}


def with_data_options(command):
    """Add the options that choose patches to a command, which gets them as the dict `chosen`."""
    signature = inspect.signature(command)
    own = [each for each in signature.parameters.values() if each.name != "chosen"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in DATA_OPTIONS.items()
    ]

    @functools.wraps(command)
    def run(**given):
        chosen = {name: given.pop(name) for name in DATA_OPTIONS}
        return command(**given, chosen=chosen)

    run.__signature__ = signature.replace(parameters=[*own, *added])
    run.__annotations__ = {each.name: each.annotation for each in (*own, *added)}
    return run


def load(data, chosen):
    """Load the chosen patches and describe them in a line."""
    from skbreast.datasets import load_patches

    kind, given = _given(data, chosen)
    with errors.status(f"Listing {escape(data)}"):
        bunch = load_patches(data, kind=kind, **given)
    describe(bunch)
    parts = sorted(set(() if bunch.get("part") is None else bunch.part) - {""})
    if len(parts) > 1 and chosen["split"] is None:
        names = escape(", ".join(parts))
        errors.print(f"[yellow]The parts {names} are taken together; --split takes one.[/]")
    if kind == "pcam" and chosen["split"] is None:
        errors.print("This is the part train; --split takes valid or test.")
    return bunch


def load_folds(data, chosen, *, protocol, **options):
    """Load the chosen patches with the folds of a protocol, and describe them in a line."""
    from skbreast.datasets import load_protocol

    kind, given = _given(data, chosen)
    given |= {name: value for name, value in options.items() if value is not None}
    with errors.status(f"Listing {escape(data)}"):
        bunch = load_protocol(data, protocol, kind=kind, **given)
    describe(bunch)
    return bunch


def load_as_published(data, chosen, *, folds_dir):
    """Load the chosen patches with the split that was published with them, to be looked at.

    Returns the Bunch, and its parts, its folds, or None where there is neither.
    """
    from skbreast.datasets import load_patches
    from skbreast.datasets._protocols import find_published_parts

    kind, given = _given(data, chosen)
    if kind == "breakhis" and folds_dir is not None:
        given |= {"folds_dir": folds_dir, "repair_aliases": False}
    elif folds_dir is not None:
        raise ValueError(f"--folds-dir is not for data of the kind {kind!r}.")
    elif "split" not in given:
        parts = find_published_parts(data, kind, splits_dir=given.get("splits_dir"))
        given |= {"split": parts} if parts else {}
    with errors.status(f"Listing {escape(data)}"):
        bunch = load_patches(data, kind=kind, **given)
    describe(bunch)
    if kind == "breakhis":
        return bunch, bunch.folds
    several = len(set(bunch.get("part", ()))) > 1
    return bunch, bunch.part if several else None


def _given(data, chosen):
    """Return the kind of the data and the options that were given, for a loader."""
    from skbreast.datasets import recognise

    kind = recognise(data) if chosen["kind"] == Kind.auto else str(chosen["kind"])
    given = {name: value for name, value in chosen.items() if value is not None}
    given = {name: value for name, value in given.items() if name not in ("kind", "seed")}
    for name in given.keys() - KINDS[kind] - {"max_patches"}:
        raise ValueError(f"--{name.replace('_', '-')} is not for data of the kind {kind!r}.")
    if "classes" in given:
        given["classes"] = str(given["classes"])
    return kind, given | {"random_state": chosen["seed"]}


def describe(bunch):
    """Say what was loaded, and what to beware of."""
    import numpy as np

    counts = np.bincount(bunch.target, minlength=len(bunch.target_names))
    classes = ", ".join(
        f"{count} {name}" for name, count in zip(bunch.target_names, counts, strict=True)
    )
    who = "no patient ids" if bunch.groups is None else f"{len(set(bunch.groups))} patients"
    errors.print(f"{bunch.kind}: {len(bunch.target)} patches ({escape(classes)}), {who}")
    frame = bunch.get("frame")
    mixed = frame is not None and "magnification" in frame
    magnifications = sorted(set(frame["magnification"])) if mixed else ()
    if len(magnifications) > 1:
        errors.print(
            f"[yellow]Magnifications {', '.join(map(str, magnifications))} are mixed; choose one "
            "with --magnification.[/]"
        )
    if bunch.groups is None:
        errors.print(
            "[yellow]Without patient ids, patches of one patient can stand on both sides of a "
            "split: figures may be inflated and intervals too narrow.[/]"
            + (
                " Say where the patient stands in the path with --groups-pattern."
                if bunch.kind == "folder"
                else ""
            )
        )
