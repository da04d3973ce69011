"""A model card: what a model is, what it was judged on, and what it is not for.

Facts are gathered once, as plain data (`model_facts`), and written twice: as JSON for programs, and
as Markdown for people, whose front matter hubs of models read.
"""

from skbreast.model_card._facts import model_facts
from skbreast.model_card._write import write_model_card

__all__ = ["model_facts", "write_model_card"]
