"""Averages the weights of exported readers that went on from the same one, and writes the mean.

"Model soups" (Wortsman and others 2022): better than either, at the cost of one. `python -m research.average_readers A B`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file

from knowledge.embeddings.embedder import ModelFiles
from knowledge.relevance.reader import SHIPPED
from research.reader_network import CrossEncoder, read_exported
from research.train_reader import export


def main() -> None:
    """Read, average, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", type=Path, nargs="+", help="reader.onnx of each run")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    every = [read_exported(path) for path in options.readers]
    network = CrossEncoder(load_file(ModelFiles.packaged().tokenizer.parent / "model.safetensors"))
    network.load_state_dict({name: torch.stack([own[name] for own in every]).mean(0) for name in every[0]})
    export(network, options.out)


if __name__ == "__main__":
    main()
