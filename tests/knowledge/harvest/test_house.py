"""What the house itself says; and that knowing it costs nothing at the start."""

from __future__ import annotations

import subprocess
import sys

from knowledge.curation.harvest import vocabulary


def test_words_of_countries_are_nobodys_own() -> None:
    assert {"ireland", "pakistan", "england", "european"} <= vocabulary._PLACES
    assert not {"jordan", "chad", "georgia"} & vocabulary._PLACES


def test_a_process_starts_without_the_geography_of_all_phone_numbers() -> None:
    """It takes seconds and 190 MB."""
    look = "import sys, knowledge.curation.harvest.vocabulary; sys.exit('phonenumbers.geodata' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
