"""
Shining figures
===============

There are many notebooks that classify the images of BreakHis, and most of them end with figures
above 98 %. This example writes one of them down again, habit by habit: a random split of the
images, the best of twenty epochs on the part held out, and a "ROC-AUC" of predicted labels. Then
it asks the same network the question that matters, patient by patient, and looks at what is left.
"""

# %%
# The data
# --------
# Images of BreakHis at 200X, if the environment variable ``SKBREAST_TEST_DATA`` names a folder
# with the data set; otherwise invented patches, made so that the classes differ little and
# patients differ in their stain.
import os
from pathlib import Path

import skbreast
from skbreast.datasets import load_breakhis, make_patches

nearby = Path(skbreast.__file__).resolve().parents[2] / "shared" / "data"
root = Path(os.environ.get("SKBREAST_TEST_DATA", nearby)) / "BreaKHis_v1"
if root.is_dir():
    source, patches = "BreakHis, 200X", load_breakhis(root, magnification=200)
else:
    source = "invented patches"
    patches = make_patches(
        20, 24, patch_size=48, difficulty=0.7, positive_share=0.6, random_state=0
    )
y, patients = patches.target, patches.groups
print(f"{source}: {len(y)} patches of {len(set(patients))} patients, {y.mean():.1%} malignant")

# %%
# One network, trained epoch by epoch
# -----------------------------------
# The pretrained network is frozen, so each patch goes through it once. What is trained is a small
# network on its features, the same in all that follows. After every epoch the part held out is
# asked, as a notebook does to draw its curve.
import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from skbreast import TransferFeatureExtractor

N_EPOCHS = 20
features = TransferFeatureExtractor().fit_transform(patches.data)


def train(training, held_out):
    """Return the probabilities of "malignant" after each epoch, (n_epochs, n_held_out)."""
    scaler = StandardScaler().fit(features[training])
    X, X_held_out = scaler.transform(features[training]), scaler.transform(features[held_out])
    network = MLPClassifier((32,), batch_size=32, random_state=0)
    return np.array(
        [
            network.partial_fit(X, y[training], classes=[0, 1]).predict_proba(X_held_out)[:, 1]
            for _ in range(N_EPOCHS)
        ]
    )


def learning_curve(folds):
    """Return the scores of each fold, and its accuracies, (n_folds, n_epochs)."""
    scores = [train(*fold) for fold in folds]
    hits = [(each > 0.5) == y[test] for each, (_, test) in zip(scores, folds, strict=True)]
    return scores, np.array([each.mean(axis=1) for each in hits])


# %%
# The notebook
# ------------
# A fifth of the images, drawn at random, is the "validation set", and its best epoch is what the
# notebook reports. Which fifth was drawn is luck, so all five are shown.
from skbreast.evaluation import make_folds
from skbreast.model_selection import leakage_report

image_folds = make_folds(features, y, n_splits=5, random_state=0)
image_scores, image_curves = learning_curve(image_folds)
best = image_curves.max(axis=1)
print(f"accuracy, best of {N_EPOCHS} epochs:", ", ".join(f"{each:.1%}" for each in best))

train_rows, test_rows = image_folds[0]
print(leakage_report(patients[train_rows], patients[test_rows]))

# %%
# The last line says what those accuracies rest on: the patients had been seen.
#
# The same cell of the notebook computes a "ROC-AUC" from predicted labels. A ROC curve ranks
# scores; of labels it has a single corner, and the area below that is the balanced accuracy under
# another name.
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

scores = image_scores[0][image_curves[0].argmax()]
labels = (scores > 0.5).astype(int)
print(f'"ROC-AUC" of labels: {roc_auc_score(y[test_rows], labels):.4f}')
print(f"balanced accuracy:   {balanced_accuracy_score(y[test_rows], labels):.4f}")
print(f"AUC of scores:       {roc_auc_score(y[test_rows], scores):.4f}")

# %%
# Patient by patient
# ------------------
# The same network, the same number of folds, but patients stay whole.
patient_folds = make_folds(features, y, patients, n_splits=5, random_state=0)
patient_scores, patient_curves = learning_curve(patient_folds)
for split, curves in (("random", image_curves), ("by patient", patient_curves)):
    picked, last = curves.max(axis=1).mean(), curves[:, -1].mean()
    print(f"{split:>10}: best epoch picked {picked:.1%}, all {N_EPOCHS} epochs {last:.1%}")

# %%
# The best epoch is never below the last, whatever the network knows, because it is chosen by the
# very patches that it is then praised for. Without patients of its own for that choice, a study
# has to fix the number of epochs beforehand.

# %%
# What is left
# ------------
# All epochs, every patient held out once: the AUC of scores (mean over folds), and the patient
# recognition rate, the share of correct patches of each patient, averaged over patients. Intervals
# draw patients. Beside it two models that know no morphology: a dummy, which answers with the more
# frequent class, and a logistic regression on the mean and the deviation of the colours.
from skbreast.evaluation import Predictions, cross_validate_models, make_baselines, summarise

rows = np.concatenate([test for _, test in patient_folds])
fold_of_row = np.repeat(np.arange(5), [len(test) for _, test in patient_folds])
malignant = np.concatenate([each[-1] for each in patient_scores])
predictions = cross_validate_models(
    make_baselines(), patches.data, y, patients, folds=patient_folds
)
predictions["network"] = Predictions(
    y_true=y[rows],
    y_proba=np.column_stack([1 - malignant, malignant]),
    y_pred=(malignant > 0.5).astype(int),
    groups=patients[rows],
    folds=fold_of_row,
)
figures = {name: summarise(each, random_state=0) for name, each in predictions.items()}
for name, figure in figures.items():
    rate = figure["patient_recognition_rate"]
    print(f"{name:>7}: AUC {figure['auc']}\n{'':>7}  patient recognition rate {rate}")

# %%
# Side by side
# ------------
import matplotlib.pyplot as plt

ORANGE, BLUE, GREY = "#D55E00", "#0072B2", "0.45"  # told apart by colour-blind eyes, and in print
epochs = np.arange(1, N_EPOCHS + 1)
share = max(y.mean(), 1 - y.mean())

figure, (left, right) = plt.subplots(
    1, 2, figsize=(9.5, 4.4), width_ratios=[1, 1.15], layout="constrained"
)
for curves, colour, style, label in (
    (image_curves, ORANGE, "-", "images split at random"),
    (patient_curves, BLUE, "--", "patients kept whole"),
):
    left.plot(epochs, curves.T, style, color=colour, linewidth=0.7, alpha=0.45)
    left.plot(epochs, curves.mean(axis=0), style, color=colour, linewidth=2.4, label=label)
left.plot(epochs[image_curves.argmax(axis=1)], best, "k*", label="what the notebook reports")
left.axhline(share, color=GREY, linestyle=":", label="always the larger class")
left.set(xlabel="epoch", ylabel="accuracy on the part held out", xticks=[1, 5, 10, 15, 20])
left.set_title("Five folds (thin) and their mean", fontsize="medium")
left.legend(
    frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2
)

lines = [
    ("notebook: accuracy,\nrandom split, best epoch", best.mean(), (best.min(), best.max()), "k"),
    ("accuracy,\nrandom split, all epochs", image_curves[:, -1].mean(), None, ORANGE),
    ("accuracy,\nby patient, all epochs", patient_curves[:, -1].mean(), None, BLUE),
]
for name, colour in (("network", BLUE), ("colour", GREY), ("dummy", GREY)):
    rate = figures[name]["patient_recognition_rate"]
    lines.append(
        (f"patient recognition rate,\n{name}", rate.estimate, (rate.low, rate.high), colour)
    )
for place, (_, value, interval, colour) in enumerate(lines):
    marker = "*" if place == 0 else "o" if place < 3 else "s"
    if interval is not None:
        right.plot(interval, [place, place], color=colour, linewidth=2)
    right.plot(value, place, marker, color=colour, markersize=12 if marker == "*" else 7)
    right.annotate(f"{value:.2f}", (value, place), (0, 7), textcoords="offset points", ha="center")
right.set(yticks=range(len(lines)), yticklabels=[line[0] for line in lines])
right.margins(x=0.1, y=0.13)
right.invert_yaxis()
right.set_title("What is reported, and what is left", fontsize="medium")
right.set_xlabel(
    "bars: range of five draws (star),\n95 % intervals over patients (squares)", fontsize="small"
)
figure.suptitle(f"The same network on the same patches ({source})")
plt.show()

# %%
# Nothing about the network changed between the star and its square, only the question. The star
# answers how well patients are recognised who were there before; the square, how well a patient is
# judged who is new. Its interval is wide because patients are few; more images of the same patients
# would hardly make it narrower. Whether the network is worth more than colour cannot be read from
# two intervals: that takes a paired comparison on the same patients.
from skbreast.metrics import compare_models

print(
    "network less colour:",
    compare_models(
        "patient_recognition_rate",
        predictions["network"].y_true,
        predictions["network"].y_pred,
        predictions["colour"].y_pred,
        groups=predictions["network"].groups,
        random_state=0,
    ),
)

# %%
# To have all this done for you: :func:`skbreast.datasets.load_protocol` gives any data set with its
# published or grouped folds, and ``skbreast train`` reports figures of this kind only.
