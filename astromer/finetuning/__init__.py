"""Fine-tuning: classifiers on top of a pushed encoder, beside honest baselines."""
