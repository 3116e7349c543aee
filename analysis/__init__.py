"""Tables, figures and pages of what a ledger tells."""

import os

# Figures go to files alone. A notebook names a backend here that another Python may lack, and
# matplotlib refuses to be imported then: it has to stand before that.
os.environ["MPLBACKEND"] = "agg"
