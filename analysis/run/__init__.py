"""A run as it is read: its folder, its winner's folder, pandas frames of its ledger, its facts,
and how numbers and trials are written for people. Imports terms, record and cli of search."""
