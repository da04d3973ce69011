"""Audit a data set, and a split of it, for what inflates figures."""

import numpy as np

from skbreast._progress import progress_bar
from skbreast._validation import check_flag, check_n_jobs
from skbreast.model_selection._audit_findings import (
    KINDS,
    copy_findings,
    find_shared_tests,
    patch_findings,
    patient_findings,
    set_findings,
    split_findings,
)
from skbreast.model_selection._audit_reading import check_audited, read_all
from skbreast.model_selection._audit_report import AuditReport
from skbreast.model_selection._audit_split import read_split
from skbreast.model_selection._audited_data import describe_data
from skbreast.model_selection._color_shortcut import color_shortcut
from skbreast.model_selection._duplicates import first_of_each, group_copies
from skbreast.model_selection._leakage import leakage_report
from skbreast.model_selection._near_duplicates import find_near
from skbreast.model_selection._patch_quality import check_expected_size, find_odd_sizes

__all__ = ["audit_patches"]


def audit_patches(
    X,
    y=None,
    groups=None,
    *,
    split=None,
    target_names=None,
    expected_size=None,
    near_duplicates=True,
    n_jobs=None,
    show=False,
    random_state=0,
):
    """Look for what inflates figures: shared patients, copies, conflicts, broken patches.

    Every patch is read once; digests and thumbnails of 32 x 32 pixels are kept of it.

    Parameters
    ----------
    X : array-like
        Patch references, or ``(n_patches, height, width, channels)`` uint8 with 1 to 4 channels.
    y : array-like of shape (n_patches,), default=None
        Labels. Without them label conflicts and colour are left out.
    groups : array-like of shape (n_patches,), default=None
        Patient ids. Without them every copy counts as a leak that no split by patient prevents.
    split : default=None
        What is trained and tested on: a pair ``(train, test)`` of row numbers or masks; a list of
        such pairs, or a splitter with a `split` method, as ``cv=`` takes them; a part name a patch
        such as "train", "val", "test" (None or "" for none); or a dict of part names to rows.
    target_names : sequence of str, default=None
        Names of the classes 0, 1, ….
    expected_size : int or (int, int), default=None
        Height and width that patches should have, in pixels; by default what most have.
    near_duplicates : bool, default=True
        Whether copies are looked for that were recompressed, resized, made brighter, or cropped.
    n_jobs : int, default=None
        Threads that read.
    show : bool, default=False
        Whether progress is shown on standard error.
    random_state : int or RandomState, default=0
        Seed of the folds in which colour is judged.

    Returns
    -------
    AuditReport
        ``print(report)`` is the summary, ``report.leaks`` the verdict.

    Raises
    ------
    ValueError
        If X is empty or no collection of patches; lengths differ; a label or patient id is missing;
        or `split` names rows that don't exist. Patches that cannot be read raise nothing: they
        are findings.

    Notes
    -----
    ==========================  ========  ========================================================
    kind                        severity  what is counted
    ==========================  ========  ========================================================
    patient_on_both_sides       error     patients on both sides of the split
    patch_on_both_sides         error     patches on both sides of the split
    copies_across_sides         error     pictures with copies on both sides of the split
    copies_across_patients      error     pictures that stand under several patients
    patients_share_pictures     error     sets of patient ids that share pictures: one patient?
    label_conflict              error     pictures under several labels
    copies_without_patients     error     pictures with copies that no patient id keeps together
    copies_together             warning   pictures with copies of one patient or on one side
    look_alike_ids              warning   pairs of patient ids that look alike
    unreadable                  warning   patches that cannot be read
    black                       warning   black patches
    single_colour               warning   patches of one colour
    odd_size                    warning   patches of another size
    class_on_one_side           warning   classes that one side of the split lacks
    class_of_one_patient        warning   classes that one patient alone has
    colour_shortcut             warning   label predicted by colour alone, AUC 0.9 up
    blank                       note      blank patches (background)
    in_no_part                  note      patches that no part of the split has
    ==========================  ========  ========================================================

    Copies are patches with the same pixels, also turned or mirrored, and near copies. Patches
    without structure (a standard deviation below 3 grey levels) are no one's copies. Near copies
    are proposed by a perceptual hash [1]_ and confirmed by laying thumbnails over each other [2]_;
    a shift of up to 6 % of the side is followed, so that a field photographed twice is found,
    overlapping crops are not. Patches with a side below 24 pixels have no near copies. Hashes may
    differ in 16 bits of 64, and where there are more than 30,000 pictures in 10, which a crop of
    two pixels in 50 often exceeds.

    References
    ----------
    .. [1] Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010;
       ``imagehash.phash``.
    .. [2] Lucas and Kanade, "An iterative image registration technique with an application to
       stereo vision", IJCAI 1981.

    Examples
    --------
    >>> import numpy as np
    >>> from skbreast.datasets import make_patches
    >>> from skbreast.model_selection import audit_patches
    >>> patches = make_patches(6, 4, patch_size=48, random_state=0)
    >>> X = np.concatenate([patches.data, patches.data[:1, ::-1]])
    >>> y, groups = np.append(patches.target, 0), np.append(patches.groups, "new")
    >>> report = audit_patches(X, y, groups)
    >>> report.leaks, report.exit_code
    (True, 3)
    >>> [(each.kind, each.patches) for each in report.findings[:1]]
    [('copies_across_patients', ('row 0', 'row 24'))]
    """
    patches = check_audited(X)
    check_flag(near_duplicates, name="near_duplicates")
    check_flag(show, name="show")
    check_n_jobs(n_jobs)
    expected_size = check_expected_size(expected_size)
    data = describe_data(patches, y, groups, target_names)
    folds = read_split(split, n_patches=len(patches), y=data.labels, groups=data.patients)
    reading = read_all(patches, near=near_duplicates, n_jobs=n_jobs, show=show)
    copies = _find_copies(reading, show)
    shortcut = _judge_color(reading, data, random_state)
    expected_size, odd_rows = find_odd_sizes(reading.sizes, expected_size)
    reports = _patient_reports(data, folds)
    findings = [
        *split_findings(data, folds, reports),
        *copy_findings(data, copies, folds),
        *patient_findings(data, copies),
        *patch_findings(data, reading, expected_size, odd_rows),
        *set_findings(data, shortcut),
    ]
    order = list(KINDS)
    findings.sort(key=lambda finding: order.index(finding.kind))
    return AuditReport(
        findings=tuple(findings),
        n_patches=data.n_patches,
        n_patients=None if data.patients is None else len(data.patient_ids),
        patch_size=expected_size,
        patches_per_class=data.patches_per_class(),
        patients_per_class=data.patients_per_class(),
        patches_per_patient=data.patches_per_patient(),
        colour=shortcut,
        sides=reports,
        test_copies=find_shared_tests(copies, folds),
        n_folds=len(folds),
        near_duplicates=bool(near_duplicates),
    )


def _find_copies(reading, show):
    first = first_of_each(reading.digests)
    # of identical patches one is compared with the rest
    hashes = [each if first[row] == row else [] for row, each in enumerate(reading.hashes)]
    n_compared = sum(map(bool, hashes))
    with progress_bar("Looking for near duplicates", n_compared, show=show) as advance:
        near = find_near(reading.thumbnails, hashes, progress=advance)
    return group_copies(reading.digests, reading.turned, near)


def _judge_color(reading, data, random_state):
    readable = reading.sizes[:, 0] > 0
    labels, patients = (
        None if codes is None else codes[readable] for codes in (data.labels, data.patients)
    )
    return color_shortcut(reading.moments[readable], labels, patients, random_state=random_state)


def _patient_reports(data, folds):
    if data.patients is None:
        return {}
    ids = np.empty(len(data.patient_ids), dtype=object)
    ids[:] = data.patient_ids
    return {
        title: leakage_report(ids[data.patients[one]], ids[data.patients[other]])
        for fold in folds
        for title, one, other in fold.pairs()
    }
