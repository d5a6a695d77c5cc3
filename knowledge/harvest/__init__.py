"""New knowledge from what was said: finished conversations become suggested entries, unanswered questions a suggested FAQ."""

from knowledge.harvest.faq import FaqFinder
from knowledge.harvest.harvester import Harvested, Harvester, Run

__all__ = ["FaqFinder", "Harvested", "Harvester", "Run"]
