"""The record of a search: the append-only ledger, the state folded from it, the recorder that
writes both, and what is derived from them: CSV tables, Optuna's study log, TensorBoard events,
the checkpoints that are kept. Imports terms, space and storage."""
