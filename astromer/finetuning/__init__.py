"""Fine-tuning: classifiers on top of a pushed encoder, compared with baselines."""
