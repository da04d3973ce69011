"""
A frozen network in a pipeline
==============================

:class:`~skbreast.TransferFeatureExtractor` turns patches into numbers with a pretrained network
that does not learn. As it is an ordinary transformer, which layers are taken is a parameter like
any other, and :class:`~sklearn.model_selection.GridSearchCV` can choose it, with patients kept
whole.
"""

# %%
# Patients for the search, patients for the last word
# ---------------------------------------------------
# The score of a search is too good to report: it is the best of several. A third of the patients
# is therefore set aside before the search begins.
from skbreast.datasets import make_patches
from skbreast.model_selection import patient_train_test_split

patches = make_patches(24, 6, patch_size=48, difficulty=0.6, random_state=0)
X, X_test, y, y_test, patients, patients_test = patient_train_test_split(
    patches.data,
    patches.target,
    patches.groups,
    groups=patches.groups,
    test_size=8,
    stratify=patches.target,
    random_state=0,
)
print(X.shape, "to search on,", X_test.shape, "set aside")

# %%
# The pipeline
# ------------
# The weights of the default backbone, EfficientNet-Lite0, come with an installed package, so
# nothing is downloaded. Pixels go in as they are, 0…255: the pre-processing is inside.
#
# ``memory=`` keeps what the frozen network has computed. Candidates that differ only in ``C`` then
# share one pass over their training patches.
from tempfile import TemporaryDirectory

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skbreast import TransferFeatureExtractor

steps = [
    ("features", TransferFeatureExtractor()),
    ("scale", StandardScaler()),
    ("regression", LogisticRegression(max_iter=1000)),
]
grid = {
    "features__layers": ["last", "middle"],
    "regression__C": [1e-4, 1e-3, 1e-2, 1e-1],
}

# %%
# The search
# ----------
# ``groups`` goes to the splitter, which keeps patients whole.
with TemporaryDirectory() as folder:
    search = GridSearchCV(
        Pipeline(steps, memory=folder),
        grid,
        cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
        scoring="roc_auc",
    )
    search.fit(X, y, groups=patients)

print("chosen:", search.best_params_)
print(f"AUC in the search: {search.best_score_:.3f}")

# %%
# What the search saw
# -------------------
import matplotlib.pyplot as plt
import numpy as np

results = search.cv_results_
layers = np.array(results["param_features__layers"], dtype=str)
penalty = np.array(results["param_regression__C"], dtype=float)

figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
for number, name in enumerate(grid["features__layers"]):
    rows = layers == name
    axes.errorbar(
        penalty[rows] * (1.06 if number else 0.94),
        results["mean_test_score"][rows],
        yerr=results["std_test_score"][rows],
        marker="o",
        capsize=3,
        label=f'layers="{name}"',
    )
axes.set(xscale="log", xlabel="C of the logistic regression", ylabel="AUC, 3 folds of patients")
axes.set_title("Mean and standard deviation over folds", fontsize="medium")
axes.set_ylim(0.5, 1)
axes.legend(frameon=False, loc="upper left")
plt.show()

# %%
# The spread over folds is as wide as the differences between candidates: sixteen patients cannot
# tell them apart, and neither should we. On real tissue the middle layers have the advantage (see
# :doc:`/networks`); on invented patches, which are simpler, this need not be so.

# %%
# The last word
# -------------
# On patients that took no part, with an interval that draws patients, not patches.
from sklearn.metrics import roc_auc_score

from skbreast.metrics import patient_bootstrap

interval = patient_bootstrap(
    roc_auc_score,
    y_test,
    search.predict_proba(X_test)[:, 1],
    groups=patients_test,
    stratify=y_test,
    random_state=0,
)
print("AUC on patients set aside:", interval)
