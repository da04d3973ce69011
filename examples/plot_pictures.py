"""
A tour of the pictures
======================

Every picture of :mod:`skbreast.plotting` on the same invented patients: how a network was trained,
what it is worth by patch and by patient, which patches it gets wrong, and what its features know
about patients. :doc:`/pictures` says what each of them is for.
"""

# %%
# Predictions out of fold
# -----------------------
# Three folds of whole patients, so every patch is judged once, by a network that has not seen its
# patient. The same for a model that knows colour only.
from skbreast import PatchCNNClassifier
from skbreast.datasets import make_patches
from skbreast.evaluation import cross_validate_patients, make_model

patches = make_patches(36, 12, patch_size=40, difficulty=0.25, random_state=0)
X, y, patients = patches.data, patches.target, patches.groups
names = {"target_names": patches.target_names}

network = PatchCNNClassifier(max_epochs=12, batch_size=16, early_stopping=True, random_state=0)
predictions = cross_validate_patients(network, X, y, patients, cv=3)
colour = cross_validate_patients(make_model("colour"), X, y, patients, cv=3)

# %%
# What the loader returned, and the predictions, show themselves in a notebook.
patches

# %%
predictions

# %%
# How it was trained
# ------------------
# Validation patients are split off within the training part of each fold. The learning rate falls
# along the same curve in all of them; where a fold stops is decided by its validation patients.
import matplotlib.pyplot as plt

from skbreast.plotting import TrainingHistoryDisplay

histories = {f"fold {fold + 1}": each for fold, each in predictions.histories.items()}
TrainingHistoryDisplay.from_histories(histories, panels=["loss", "accuracy"])
plt.show()

# %%
# By patch and by patient
# -----------------------
# Bands draw patients. Colour comes first: it is what the network has to beat.
from skbreast.plotting import PatientRocDisplay

first = PatientRocDisplay.from_predictions(colour, name="colour", **names)
PatientRocDisplay.from_predictions(predictions, name="network", ax=first.axes_, **names)
plt.show()

# %%
# Decisions at the threshold of one half.
from skbreast.plotting import PatientConfusionDisplay

PatientConfusionDisplay.from_predictions(predictions, **names)
plt.show()

# %%
# Patient by patient
# ------------------
# Whether mistakes are spread over patients, or some patients are wrong as a whole.
from skbreast.plotting import PatientScoreDisplay

PatientScoreDisplay.from_predictions(predictions, **names)
plt.show()

# %%
# Whether a probability means what it says.
from skbreast.plotting import PatientCalibrationDisplay

PatientCalibrationDisplay.from_predictions(predictions, n_bins=6, **names)
plt.show()

# %%
# The patches themselves
# ----------------------
# Wrong ones, drawn at random; then those nearest to the threshold, from both of its sides.
from skbreast.plotting import PatchGalleryDisplay

for show in ("wrong", "threshold"):
    PatchGalleryDisplay.from_predictions(
        X, predictions, show=show, n_patches=10, n_columns=5, **names
    )
    plt.show()

# %%
# What the features know
# ----------------------
# Patches as the colour model sees them. Whose patch it is explains more of the variance than the
# label does, since patients differ in their stain: that is why they have to be kept whole.
from skbreast.plotting import FeatureMapDisplay
from skbreast.texture import ColorFeatures

FeatureMapDisplay.from_estimator(ColorFeatures().fit(X), X, y, patients, **names)
plt.show()

# %%
# What the network looks at is the subject of :doc:`plot_activation_maps`.
# :func:`skbreast.report.write_report` puts all of these on one page.
