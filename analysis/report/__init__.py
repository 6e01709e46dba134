"""The report: one HTML page, and the paper's claims that it checks."""
