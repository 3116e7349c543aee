"""How tables and figures become the report's page: one file a section, the headline's sentences,
and the page that opens without a network. Imports run, tables, claims and figures."""
