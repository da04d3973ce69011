"""Figures and tables on stain, tissue and texture, from what benchmarks/findings.py wrote."""

import json
from functools import partial
from pathlib import Path

from skbreast import color

FINDINGS = Path(__file__).resolve().parents[1] / "benchmarks" / "findings.json"
PENS = ("opaque", "translucent", "half as dense")


def read(part):
    """Return what was found on stain, tissue or texture."""
    return json.loads(FINDINGS.read_text(encoding="utf-8"))[part]


def percent(share):
    """Return a share as a number of percent; what isn't all or none never reads so."""
    for digits in range(4):
        text = f"{100 * share:.{digits}f}"
        if float(text) not in (0, 100) or share in (0, 1):
            break
    return text


def area(value):
    """Return an area under a curve, or a difference of two, without its leading zero."""
    return f"{value:.3f}".replace("0.", ".", 1)


def figures():
    """Return what stands in running text, by name."""
    stain, texture = read("stain"), read("texture")
    macenko, vahadane = (stain["unmeasured"][name] for name in ("Macenko", "Vahadane"))
    return {
        "idc-patches": f"{stain['patches']:,}",
        "unchanged": macenko["unchanged"],
        "typical-macenko": macenko["typical"],
        "typical-vahadane": vahadane["typical"],
        **_angles(stain["eosin_off"]),
        **{f"counted-{rule}": percent(share) for rule, share in stain["counted"].items()},
        **{
            f"residual-{name.replace(' ', '-')}": f"{levels:.1f}"
            for name, levels in stain["without_residual"].items()
        },
        **{
            f"spread-{name}-{target}".replace(" ", "-"): f"{spread:.1f}"
            for name, found in stain["spread"].items()
            for target, spread in found.items()
        },
        "auc-unmatched": area(stain["auc"]["as they are"]),
        "auc-matched": area(stain["auc"]["matched"]),
        "gabor-wavelengths": _listed(texture["gabor_wavelengths"]),
        **{f"gabor-cost-{size}": f"{ratio:.1f}" for size, ratio in texture["gabor_cost"].items()},
        **{
            f"without-eosin-{name}": percent(share)
            for name, share in texture["without_eosin"].items()
        },
        **_gains({row["features"]: row["auc"] for row in texture["auc"]}),
    }


def substitutions():
    """Return :func:`figures` as reStructuredText's substitutions."""
    return "".join(f".. |{name}| replace:: {value}\n" for name, value in figures().items())


def _listed(values):
    *most, last = map(str, values)
    return f"{', '.join(most)} and {last}"


def _angles(off):
    return {
        f"eosin-{stains}-{rule}": f"{degrees:.1f}°"
        for stains, found in off.items()
        for rule, degrees in found.items()
    }


def _gains(areas):
    """Return what each further block adds to colours and texture, in either folds."""
    less, gains = areas["six colours, texture"], {}
    for name in ("PFTAS", "Gabor", "nuclei"):
        more = next(found for row, found in areas.items() if row.startswith(f"… and {name}"))
        added = sorted(area(each - other) for each, other in zip(more, less, strict=True))
        gains[f"{name}-adds"] = " to ".join(dict.fromkeys(added))
    return gains


def texture_adds(list_table):
    """Return a row a set of features: how many there are, and the area for either folds."""
    rows = [
        (row["features"], str(row["columns"]), *map(area, row["auc"]))
        for row in read("texture")["auc"]
    ]
    return list_table(("features", "numbers a patch", "AUC", "other folds"), rows)


def verdicts(list_table):
    """Return a row a data set: how many patches are what; the slides' borders apart."""
    rows = []
    for name, found in read("tissue").items():
        for about, counts in (
            (name, found["verdicts"]),
            (f"{name}, cut off by a slide's border", found["verdicts_at_borders"]),
        ):
            if any(counts.values()):
                rows.append((about, *(f"{count:,}" for count in counts.values())))
    return list_table(("patches", "tissue", "background", "blur", "ink"), rows)


def blur_found(list_table):
    """Return a row a data set: the percentage called blur by how blurred copies are."""
    rows = [
        (name, *(percent(share) for shares in found["blur"].values() for share in shares.values()))
        for name, found in read("tissue").items()
    ]
    header = ("copies of", "1 px", "2 px", "4 px", "1 px and noise", "2 px and noise",
              "4 px and noise")  # fmt: skip
    return list_table(header, rows)


def ink_found(list_table):
    """Return a row a pen: the percentages called ink, from the least data set to the most."""
    sets = [found["ink"] for found in read("tissue").values()]
    rows = [
        (pen, *(_span([found[pen][strength] for found in sets]) for strength in PENS))
        for pen in sets[0]
    ]
    return list_table(("pen", *PENS), rows)


def _span(shares):
    return " to ".join(dict.fromkeys(map(percent, (min(shares), max(shares)))))


def references(list_table):
    """Return the shipped references beside what the data say."""
    found = read("stain")["references"]
    looks = {
        "Vahadane": ("VAHADANE_REFERENCE", color.VAHADANE_REFERENCE),
        "Reinhard": ('REINHARD_REFERENCES["lab"]', color.REINHARD_REFERENCES["lab"]),
    }
    rows = []
    for method, (key, reference) in looks.items():
        for name, shipped in reference._asdict().items():
            rows.append((method, name, _numbers(shipped[0]), _numbers(found[key][name]["found"])))
    return list_table(("method", "", "shipped", "found"), rows)


def _numbers(values):
    if isinstance(values[0], float):
        return ", ".join(f"{value:#.3g}" for value in values)
    return "; ".join(map(_numbers, values))


TABLES = {
    "texture_adds": texture_adds,
    "tissue_verdicts": verdicts,
    "tissue_blur": blur_found,
    "tissue_ink": ink_found,
    "stain_references": references,
}


def findings_tables(list_table):
    """Return functions that draw each table, by name."""
    return {name: partial(make, list_table) for name, make in TABLES.items()}
