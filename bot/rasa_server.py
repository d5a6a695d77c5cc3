"""Rasa's own command line without the deprecation warnings of its dependencies, which sanic enables for every module.

`python -m bot.rasa_server run ...` corresponds to `rasa run ...`.
"""

import warnings

import sanic  # noqa: F401 - before the filter, which it would override

warnings.filterwarnings("ignore", category=DeprecationWarning)

from rasa.__main__ import main  # noqa: E402 - its imports warn

if __name__ == "__main__":
    main()
