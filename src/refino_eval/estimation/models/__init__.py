"""Effects by models that are not linear in the mean: response models, survival, quantiles."""
