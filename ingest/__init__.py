"""Documents into an index."""

import os

# Read when numpy is imported. A search multiplies small matrices: threads that wait for each other cost more than they
# compute. With two of them a search took 18.0 to 19.8 ms on two cores, with one 14.4 to 16.9.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
