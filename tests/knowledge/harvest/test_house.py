"""What the house itself says; and that knowing it costs nothing at the start."""

from __future__ import annotations

import subprocess
import sys

from knowledge.harvest import house


def test_words_of_countries_are_nobodys_own() -> None:
    assert {"ireland", "pakistan", "england", "european"} <= house._PLACES
    assert not {"jordan", "chad", "georgia"} & house._PLACES


def test_a_process_starts_without_the_geography_of_all_phone_numbers() -> None:
    """It takes seconds and 190 MB."""
    look = "import sys, knowledge.harvest.house; sys.exit('phonenumbers.geodata' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
