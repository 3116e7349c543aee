"""How results are drawn with matplotlib: one file a figure, in one style that is read without
colour. Imports run and tables; terms of search."""
