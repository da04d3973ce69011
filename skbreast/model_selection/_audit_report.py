"""The result of an audit: a verdict, a summary, and the findings as rows."""

from dataclasses import asdict, dataclass

from skbreast._validation import import_optional, name_some
from skbreast.model_selection._audit_findings import KINDS, SEVERITIES
from skbreast.model_selection._audit_html import audit_html
from skbreast.model_selection._color_shortcut import ColorShortcut

__all__ = ["LEAK_EXIT_CODE", "AuditReport"]

LEAK_EXIT_CODE = 3
_N_EXAMPLES = 2
_MAX_LINE = 240
_N_FOLDS_SHOWN = 3
_N_CLASSES_SHOWN = 6


@dataclass(frozen=True)
class AuditReport:
    """What :func:`audit_patches` found.

    Attributes
    ----------
    findings : tuple of Finding
        The gravest first. Each has `kind`, `severity`, `rows`, `patches`, `patients`, `labels` and
        `detail`.
    n_patches : int
        Patches audited.
    n_patients : int or None
        Patients; None without `groups`.
    patch_size : tuple of (int, int) or None
        Height and width that patches should have; None where none could be read.
    patches_per_class, patients_per_class : dict of str to int
        By the class's name; empty without labels (and patient ids).
    patches_per_patient : tuple of (int, float, int) or None
        Least, median and largest number.
    colour : ColorShortcut
        How well colour alone predicts the label.
    sides : dict of str to LeakageReport
        For each two parts of the split, such as "train/test" or "fold 1, train/test".
    test_copies : dict of str to (int, int)
        For each two parts: patches of the second with a copy in the first, and all of the second.
    n_folds : int
        Splits audited; 0 without `split`.
    near_duplicates : bool
        Whether near copies were looked for.
    """

    findings: tuple
    n_patches: int
    n_patients: int | None
    patch_size: tuple | None
    patches_per_class: dict
    patients_per_class: dict
    patches_per_patient: tuple | None
    colour: ColorShortcut
    sides: dict
    test_copies: dict
    n_folds: int
    near_duplicates: bool

    @property
    def leaks(self):
        """Whether anything was found that inflates figures: a finding of severity "error"."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def exit_code(self):
        """3 if there are leaks, else 0: what a command should end with."""
        return LEAK_EXIT_CODE if self.leaks else 0

    @property
    def verdict(self):
        """One line: whether there are leaks, and in how many patches they were looked for."""
        counts = {each: self._count(each) for each in SEVERITIES}
        where = f"{self.n_patches:,} patches"
        if self.n_patients is not None:
            where += f" of {self.n_patients:,} patients"
        head = f"LEAKS in {where}" if self.leaks else f"No leak found in {where}"
        return f"{head}: {', '.join(f'{n:,} {_plural(each, n)}' for each, n in counts.items())}."

    def _count(self, severity):
        return sum(finding.severity == severity for finding in self.findings)

    def by_kind(self):
        """Map the kinds that were found, the gravest first, to their findings."""
        groups = {kind: [] for kind in KINDS}
        for finding in self.findings:
            groups[finding.kind].append(finding)
        return {kind: findings for kind, findings in groups.items() if findings}

    def numbers(self):
        """Return what was counted as pairs of a title and a text, as the summary shows them."""
        return [*self._class_numbers(), *self._patient_numbers(), *self._side_numbers(),
                ("colour", str(self.colour))]  # fmt: skip

    def _class_numbers(self):
        total = sum(self.patches_per_class.values())
        names = sorted(self.patches_per_class, key=self.patches_per_class.get, reverse=True)
        texts = [self._class_text(name, total) for name in names[:_N_CLASSES_SHOWN]]
        if len(names) > len(texts):
            least = names[-1]
            texts.append(f"{len(names) - len(texts)} more; least {self._class_text(least, total)}")
        return [("classes", "; ".join(texts))] if texts else []

    def _class_text(self, name, total):
        n = self.patches_per_class[name]
        text = f"{name!r} {n:,} patches ({n / total:.1%})"
        known = self.patients_per_class
        return f"{text}, {known[name]:,} patients" if known else text

    def _patient_numbers(self):
        if self.patches_per_patient is None:
            return [("patients", "unknown: no groups were given")]
        least, median, most = self.patches_per_patient
        return [("patches a patient", f"least {least:,}, median {median:,g}, most {most:,}")]

    def _side_numbers(self):
        if not self.test_copies:
            return [("split", "none was given")]
        worst = sorted(self.test_copies, key=self._harm, reverse=True)[:_N_FOLDS_SHOWN]
        worst = [title for title in self.test_copies if title in worst]
        numbers = [(title, self._side(title)) for title in worst]
        n_more = len(self.test_copies) - len(worst)
        return numbers + ([("and", f"{n_more} more pairs of parts, none worse")] if n_more else [])

    def _harm(self, title):
        n_copies, n = self.test_copies[title]
        shared = self.sides[title].n_patches_test_shared if title in self.sides else 0
        return max(n_copies, shared) / n

    def _side(self, title):
        n_copies, n = self.test_copies[title]
        first, _, second = title.rpartition(", ")[2].partition("/")
        text = f"{n_copies:,} of {n:,} patches of {second} ({n_copies / n:.1%}) are also in {first}"
        if title not in self.sides:
            return text
        side = self.sides[title]
        patients = f"{side.n_patients_train:,} / {side.n_patients_test:,} patients"
        return f"{patients}, {len(side.shared_patients):,} shared; {text}"

    def __str__(self):
        lines = [self.verdict]
        for findings in self.by_kind().values():
            severity = findings[0].severity
            lines.append(f"  {severity:<7}  {count_line(findings)}")
            if severity == "error" or findings[0].kind == "unreadable":
                lines.append(f"           {example_line(findings[0])}")
        width = max(len(title) for title, _ in self.numbers())
        return "\n".join(lines + [f"  {title:<{width}}  {text}" for title, text in self.numbers()])

    def to_frame(self):
        """Return the findings as a data frame, a row a finding.

        Returns
        -------
        pandas.DataFrame
            Columns kind, severity, n_patches, rows, patches, patients, labels (tuples), detail.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_optional("pandas", extra="plot", purpose="AuditReport.to_frame")
        columns = (
            "kind",
            "severity",
            "n_patches",
            "rows",
            "patches",
            "patients",
            "labels",
            "detail",
        )
        rows = [
            {
                name: len(each.rows) if name == "n_patches" else getattr(each, name)
                for name in columns
            }
            for each in self.findings
        ]
        return pandas.DataFrame(rows, columns=list(columns))

    def to_dict(self):
        """Return everything as numbers, strings, lists and dicts, ready for :func:`json.dumps`."""
        return {
            "leaks": self.leaks,
            "verdict": self.verdict,
            "n_patches": self.n_patches,
            "n_patients": self.n_patients,
            "patch_size": None if self.patch_size is None else list(self.patch_size),
            "patches_per_class": self.patches_per_class,
            "patients_per_class": self.patients_per_class,
            "patches_per_patient": list(self.patches_per_patient or ()) or None,
            "colour": asdict(self.colour),
            "shared_patients": {
                title: [str(each) for each in side.shared_patients]
                for title, side in self.sides.items()
            },
            "test_copies": {title: list(counts) for title, counts in self.test_copies.items()},
            "n_folds": self.n_folds,
            "near_duplicates": self.near_duplicates,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def to_html(self, *, heading_level=2):
        """Return an HTML section: no script, nothing from outside, every name escaped.

        Parameters
        ----------
        heading_level : int, default=2
            1…5, of the section's heading, for use within a larger page.

        Returns
        -------
        str
        """
        return audit_html(self, heading_level=heading_level)

    def _repr_html_(self):
        return self.to_html()


def _plural(word, n):
    return word if n == 1 else f"{word}s"


def count_line(findings):
    """Say how many findings of one kind there are, and in how many patches."""
    n_patches = len({row for finding in findings for row in finding.rows})
    text = f"{KINDS[findings[0].kind][1]}: {len(findings):,}"
    several = n_patches and n_patches != len(findings)
    return f"{text}, in {n_patches:,} patches" if several else text


def example_line(finding):
    """Write one finding in a line, names of files without most of their folders."""
    about_patients = finding.kind.startswith("patient") or not finding.patches
    which = (
        name_some(finding.patients, limit=_N_EXAMPLES)
        if about_patients
        else name_some(finding.patches, limit=_N_EXAMPLES, write=_short)
    )
    line = f"e.g. {which}: {finding.detail}"
    return line if len(line) <= _MAX_LINE else f"{line[: _MAX_LINE - 1]}…"


def _short(patch):
    parts = patch.replace("\\", "/").split("/")
    return repr(patch if len(parts) < 3 else "/".join(["…", *parts[-2:]]))
