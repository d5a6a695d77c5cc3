"""Harvest of conversations: finished ones become suggested entries, unanswered questions a suggested FAQ."""

from knowledge.curation.harvest.faq import FaqFinder
from knowledge.curation.harvest.harvester import Harvested, Harvester, Run

__all__ = ["FaqFinder", "Harvested", "Harvester", "Run"]
