"""Analysis of a run from its ledger: tables, figures, the report's page, and a recommendation."""

import os

# Figures go to files alone. A notebook names a backend here that another Python may lack, and
# matplotlib refuses to be imported then: it has to stand before that.
os.environ["MPLBACKEND"] = "agg"
