"""How often intervals hold the truth, and how often equal models are told apart, by simulation.

``python -m benchmarks.simulations`` writes simulations.json, from which the tables of
docs/statistics.rst are made. It takes some minutes.
"""

import json
from pathlib import Path

import numpy as np
from scipy.stats import norm

from skbreast.metrics import compare_models, patient_bootstrap

RESULTS = Path(__file__).resolve().with_suffix(".json")
N_SIMULATIONS = 500
N_RESAMPLES = 400
# Distance of the classes in standard deviations of a patient, one in how many patients is positive.
MODELS = ((1.2, 2), (3.5, 4))
N_PATIENTS = (20, 40, 80)


def draw_patients(rng, n_patients, distance, positive_every):
    """Return labels, scores and ids; patients of 10 to 30 patches deviate as much as patches."""
    groups = np.repeat(np.arange(n_patients), rng.integers(10, 31, size=n_patients))
    y_true = (np.arange(n_patients) % positive_every == 0)[groups].astype(int)
    of_patient, of_patch = rng.normal(size=n_patients)[groups], rng.normal(size=len(groups))
    return y_true, distance * (y_true - 0.5) + of_patient + of_patch, groups


def coverage(n_patients, distance, positive_every):
    """Return the share of 95 % intervals of the AUC that hold the truth, by kind of interval."""
    truth, held = norm.cdf(distance / 2), {"by patch": 0, "percentile": 0, "logit": 0}
    for seed in range(N_SIMULATIONS):
        rng = np.random.default_rng(seed)
        y_true, score, patients = draw_patients(rng, n_patients, distance, positive_every)
        for name in held:
            found = patient_bootstrap(
                "roc_auc",
                y_true,
                score,
                groups=np.arange(len(score)) if name == "by patch" else patients,
                stratify=y_true,
                interval="logit" if name == "logit" else "percentile",
                n_resamples=N_RESAMPLES,
                random_state=seed,
            )
            held[name] += found.low <= truth <= found.high
    return {name: count / N_SIMULATIONS for name, count in held.items()}


def false_alarms(n_patients):
    """Return how often two models that err alike differ at the level .05, by kind of test."""
    told = {"by patch": 0, "bootstrap": 0, "permutation": 0}
    for seed in range(N_SIMULATIONS):
        y_true, first, second, patients = draw_equal_models(seed, n_patients)
        for name in told:
            found = compare_models(
                "roc_auc",
                y_true,
                first,
                second,
                groups=np.arange(len(y_true)) if name == "by patch" else patients,
                method="permutation" if name == "permutation" else "bootstrap",
                n_resamples=N_RESAMPLES,
                random_state=seed,
            )
            told[name] += found.p_value <= 0.05
    return {name: count / N_SIMULATIONS for name, count in told.items()}


def draw_equal_models(seed, n_patients):
    """Return labels, the scores of two models that find the same patients hard, and ids."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_patients), rng.integers(5, 16, size=n_patients))
    y_true, n_patches = (np.arange(n_patients) % 2)[groups], len(groups)
    shared = rng.normal(size=n_patients)[groups] + 0.7 * rng.normal(size=n_patches)
    first, second = (
        y_true + shared + 0.7 * (rng.normal(size=n_patients)[groups] + rng.normal(size=n_patches))
        for _ in range(2)
    )
    return y_true, first, second, groups


def main():
    intervals = [
        {"auc": norm.cdf(distance / 2), "patients": n, "positive": n // every}
        | coverage(n, distance, every)
        for distance, every in MODELS
        for n in N_PATIENTS
    ]
    tests = [{"patients": n} | false_alarms(n) for n in N_PATIENTS]
    content = {"simulations": N_SIMULATIONS, "intervals": intervals, "tests": tests}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
