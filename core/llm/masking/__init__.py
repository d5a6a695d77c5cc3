"""Personal data is taken out of a request at the router's door, and put back into the reply."""

from core.llm.masking.masker import Masker, make_masker
from core.llm.masking.vault import Restorer, Vault

__all__ = ["Masker", "Restorer", "Vault", "make_masker"]
