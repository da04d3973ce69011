"""The facts of a model card as Markdown, with the front matter that hubs of models read."""

from skbreast.model_card._markdown import front_matter, markdown_table, plain_text
from skbreast.results import FIGURE_TITLES, RARE, RARE_LEGEND, RARELY_UNDEFINED

__all__ = ["card_text"]

UNLICENSED = "Not stated. Whoever trained the model decides; ask before you pass it on."
DATA_UNLICENSED = "Not stated. The terms of the data may bind the model, too."
HUB_LICENCES = {
    each.lower(): each.lower()
    for each in (
        "AFL-3.0", "AGPL-3.0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0",
        "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", "GPL-3.0", "LGPL-3.0",
        "MIT", "MPL-2.0",
    )
}  # fmt: skip
LIBRARY = "skbreast"
TAGS = ["skbreast", "scikit-learn", "histopathology", "breast-cancer", "research-only"]


def card_text(facts):
    """Return a model card.

    Parameters
    ----------
    facts : dict
        From :func:`skbreast.model_card.model_facts`.

    Returns
    -------
    str
        Markdown.
    """
    parts = [
        front_matter(_front(facts)),
        f"# Model: {plain_text(facts['name'])}",
        *(f"**{plain_text(each)}**" for each in facts["intended_use"][:1]),
        "## Model",
        *_model(facts["model"]),
        "## Data",
        *_data(facts["data"]),
        "## Figures",
        *_figures(facts["figures"], facts["split"], facts["data"]),
        "## Intended use",
        _list(facts["intended_use"]),
        "## Limits",
        _list(facts["limits"]),
        "## Licences",
        *_licences(facts["licence"], facts["data"]["licence"]),
        "## Versions",
        markdown_table(["package", "version"], facts["versions"].items()),
    ]
    return "\n\n".join(parts) + "\n"


def _front(facts):
    licence = facts["licence"]["model"]
    known = HUB_LICENCES.get(licence.lower())
    front = {"license": known or ("other" if licence else "unknown")}
    if licence and not known:
        front["license_name"] = licence
    front |= {
        "library_name": LIBRARY,
        "pipeline_tag": "image-classification",
        "tags": TAGS,
    }
    metrics = [
        {"type": name, "name": FIGURE_TITLES.get(name, name), "value": value["estimate"]}
        for name, value in facts["figures"].get(facts["name"], {}).items()
    ]
    if metrics:
        result = {
            "task": {"type": "image-classification"},
            "dataset": {"type": "patches", "name": facts["data"]["source"] or "not named"},
            "metrics": metrics,
        }
        front["model-index"] = [{"name": facts["name"], "results": [result]}]
    return front


def _model(model):
    rows = [["class", model["class"]], *(["part", each] for each in model["parts"])]
    rows += [
        [each["network"], f"{each['engine']}, {each['precision']}"] for each in model["computing"]
    ]
    if file := model["file"]:
        rows += [["file", file["name"]], ["bytes", f"{file['n_bytes']:,}"]]
        rows.append(["SHA-256 of the file", file["sha256"]])
    yield markdown_table(["what", "which"], rows)
    if model["parameters"]:
        yield "Parameters:"
        yield markdown_table(["parameter", "value"], model["parameters"].items())


def _data(data):
    yield f"Source: {plain_text(data['source'] or 'not stated')}."
    if data["n_patches"] is None:
        return
    rows = [
        [each["name"], f"{each['n_patches']:,}", _patients(each["n_patients"])]
        for each in data["classes"]
    ]
    rows.append(["all", f"{data['n_patches']:,}", _patients(data["n_patients"])])
    yield markdown_table(["class", "patches", "patients"], rows)


def _patients(number):
    return "unknown" if number is None else f"{number:,}"


def _figures(figures, split, data):
    if not figures:
        yield "None: the model was not judged."
        return
    if split["protocol"]:
        yield f"How: {plain_text(split['protocol'])}"
    names = [name for name in FIGURE_TITLES if any(name in each for each in figures.values())]
    rows = [
        [model, *(_cell(found.get(name)) for name in names)] for model, found in figures.items()
    ]
    yield markdown_table(["model", *(FIGURE_TITLES[name] for name in names)], rows)
    unit = "patches" if data["n_patients"] is None else "patients"
    levels = {value["confidence_level"] for each in figures.values() for value in each.values()}
    level = f"{100 * levels.pop():g} % " if len(levels) == 1 else ""
    legend = f" {RARE_LEGEND}" if any(RARE in cell for row in rows for cell in row) else ""
    yield f"In brackets: {level}bootstrap intervals over {unit}.{legend}"
    if split["digest"]:
        yield (
            f"Digest of the split (fold, patient, row of each tested patch): `{split['digest']}`; "
            f"folds: {split['n_folds']}."
        )


def _cell(value):
    if value is None:
        return "—"
    numbers = (value[name] for name in ("estimate", "low", "high"))
    estimate, low, high = ("—" if each is None else f"{each:.3f}" for each in numbers)
    rare = value["n_undefined"] > RARELY_UNDEFINED * value["n_resamples"]
    return f"{estimate} [{low}, {high}]{f' {RARE}' if rare else ''}"


def _licences(licence, data_licence):
    yield f"Model: {plain_text(licence['model'] or UNLICENSED)}"
    yield f"Data: {plain_text(data_licence or DATA_UNLICENSED)}"
    rows = [
        [each["network"], each["weights"] or "—", each["use"], each["licence"] or "—"]
        for each in licence["weights"]
    ]
    if rows:
        yield "Networks in it:"
        yield markdown_table(["network", "weights", "use", "licence of the weights"], rows)
    else:
        yield "There is no network in it, and no weights of others."


def _list(sentences):
    return "\n".join(f"- {plain_text(each)}" for each in sentences)
