"""
A network of one's own, counted by patient
==========================================

:class:`~skbreast.PatchCNNClassifier` learns its features from the patches. This example trains the
small network with early stopping on whole patients, sums its probabilities up by patient, and puts
an interval on the result that draws patients rather than patches.
"""

# %%
# Three disjoint sets of patients
# -------------------------------
# A test part is split off here; the validation part that early stopping watches is split off by
# ``fit``, which keeps patients whole because it is given ``groups``.
from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast.model_selection import patient_train_test_split

patches = make_patches(36, 12, patch_size=48, difficulty=0.4, random_state=0)
X, X_test, y, y_test, patients, patients_test = patient_train_test_split(
    patches.data,
    patches.target,
    patches.groups,
    groups=patches.groups,
    test_size=12,
    stratify=patches.target,
    random_state=0,
)

model = PatchCNNClassifier(
    max_epochs=14,
    batch_size=32,
    early_stopping=True,
    validation_fraction=0.25,
    patience=5,
    random_state=0,
)
model.fit(X, y, groups=patients)
print(f"{model.n_iter_} epochs, weights of epoch {model.best_epoch_}, {model.precision_}")

# %%
# The history
# -----------
# Training values are taken on augmented patches while the weights still change, validation values
# on untouched patches after each epoch; so the two need not meet.
import matplotlib.pyplot as plt

from skbreast.plotting import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(model)
plt.show()

# %%
# From patches to patients
# ------------------------
# The mean probability of a patient's patches is the simplest score of a patient, and hard to beat
# where all patches carry the patient's label.
from skbreast.plotting import PatientScoreDisplay

PatientScoreDisplay.from_estimator(
    model, X_test, y_test, patients_test, target_names=patches.target_names
)
plt.show()

# %%
# All patches of a patient tend to be wrong together. That is what an interval over patches, which
# takes them as independent, does not know.

# %%
# With an interval
# ----------------
# The same predictions, twice: as if each patch were a patient of its own, and with patients drawn
# whole. The estimate is the same; only the second interval knows that there are twelve patients.
import numpy as np
from sklearn.metrics import roc_auc_score

from skbreast.metrics import patient_bootstrap

probabilities = model.predict_proba(X_test)[:, 1]
for name, units in (("patches", np.arange(len(y_test))), ("patients", patients_test)):
    interval = patient_bootstrap(
        roc_auc_score, y_test, probabilities, groups=units, stratify=y_test, random_state=0
    )
    print(f"AUC, drawing {interval.n_patients} {name}: {interval}")
