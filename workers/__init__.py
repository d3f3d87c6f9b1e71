"""Everything that loads TensorFlow."""

import os

# Read when the first GPU is opened: several processes, and the display, can share one.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
