"""Masks personal data in requests to models, and restores it in the replies."""

from core.llm.masking.masker import Masker, make_masker
from core.llm.masking.vault import Restorer, Vault

__all__ = ["Masker", "Restorer", "Vault", "make_masker"]
