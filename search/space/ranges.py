"""The ranges and choices of all hyperparameters: learning rates, momentum, kernels, dropout rates,
dense widths, batch sizes, schedules, augmentation and others.

A tuple is a range (lowest, highest), both included, or, for categories, kernel sizes and batch
sizes, the list of choices.
"""

BLOCKS = (0, 4)
CONVOLUTIONS = (1, 2)
FIRST_KERNELS = (8, 64)
KERNELS = (8, 256)
DROPOUT_RATES = (0.0, 0.5)
DROPOUT_STEP = 0.1
DENSE_LAYERS = (0, 3)
DENSE_WIDTH = (16, 256)
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop")
SGD_RATE = (1e-3, 0.3)
ADAPTIVE_RATE = (1e-4, 1e-2)
MOMENTUM = (0.8, 0.99)
BATCH_SIZES = (32, 64, 128, 256)

KERNEL_SIZES = (3, 5)
POOLINGS = ("max", "average")
ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu")
NORMALISATIONS = ("scale", "standardise")
WEIGHT_DECAY = (1e-6, 1e-2)
SCHEDULES = ("constant", "one_cycle", "cosine", "cycles", "triangular")
LEAST_EPOCHS = 2
SMOOTHING = (0.0, 0.2)
SMOOTHING_STEP = 0.05
AUGMENTATIONS = ("none", "flip", "flip_crop", "flip_crop_cutout")
PERSISTENCE = {"none": 0.3, "flip": 0.5, "flip_crop": 1.0, "flip_crop_cutout": 1.1}
"""By augmentation, how much of the law of learning curves (search/surrogate/power_law.py) remains
beyond the third epoch: without it a network has learned its images by heart sooner. Measured on
CIFAR-10: from the third epoch to the 15th, 28th and 18th, with none, flip, and flip and crop."""
INITIALISATIONS = ("glorot", "dirac", "whitened")
GRADIENT_CLIP = (0.1, 10.0)
