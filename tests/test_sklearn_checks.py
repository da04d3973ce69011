"""Run scikit-learn's own checks of an estimator; ColorFeatures has its own elsewhere."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skbreast import PatchCNNClassifier, TransferFeatureExtractor

# As scikit-learn declares it for its own stochastic estimators: batches drawn from repeated
# samples are others than batches drawn from weighted ones.
EXPECTED_FAILURES = {
    "PatchCNNClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "batches of repeated samples are others"
    },
}


def _expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


@parametrize_with_checks(
    [
        PatchCNNClassifier(max_epochs=8, learning_rate=0.02),
        TransferFeatureExtractor(layers="block1", input_size=32),
    ],
    expected_failed_checks=_expected_failures,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
