"""The benchmarks behind `make bench`: a report with ratios, never an assertion about time."""
