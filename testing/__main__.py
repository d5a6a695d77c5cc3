"""``python -m testing openai '{"text": "Hello."}'``: prints its address, serves until its standard input closes."""

import json
import sys

from testing import Behaviour, FakeGemini, FakeOpenAI

vendor, arguments = sys.argv[1:]
with {"openai": FakeOpenAI, "gemini": FakeGemini}[vendor]() as fake:
    behaviour = Behaviour(**json.loads(arguments))
    fake.respond = lambda _: behaviour
    sys.stdout.write(fake.url + "\n")
    sys.stdout.flush()
    sys.stdin.read()
