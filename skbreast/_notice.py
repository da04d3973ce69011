"""The sentence that every page, file and command says of its figures."""

__all__ = ["RESEARCH_ONLY"]

RESEARCH_ONLY = "For research only; not a medical device, not for diagnosis."
