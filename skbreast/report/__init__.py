"""A report of one evaluation: a single page that can be read anywhere, also without a network."""

from skbreast.report._write import write_report

__all__ = ["write_report"]
