"""The verb `model`: a config in, parameters and FLOP out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from joulecast.data.reading import depth_of_prediction, document_length, sequence_length

if TYPE_CHECKING:
    from joulecast.answers.count import Convention, ModelCount


def model_from_torch(
    module: Any,
    *inputs: Any,
    unit: Literal["token", "decoder_token", "image_token", "sample"] = "sample",
    units: int | None = None,
    **keyword_inputs: Any,
) -> ModelCount:
    """Count the parameters and FLOP of a torch module on inputs of a given shape.

    The way for convolutional nets, U-Nets and nets of one's own; see
    joulecast.torch_counting.model_from_torch, which this calls.  Needs torch.
    """
    from joulecast.torch_counting import model_from_torch as count

    return count(module, *inputs, unit=unit, units=units, **keyword_inputs)


def model(
    config: str | Path | Mapping[str, Any],
    seq_len: int | str | None = None,
    attention: str = "causal",
    document_len: int | str | None = None,
    mtp_depth: int | str | None = None,
) -> ModelCount:
    """Count the parameters and FLOP of an architecture.

    Parameters
    ----------
    config
        A config.json, the folder it lies in, ``hf:org/name``, or the config as a mapping.
    seq_len
        Tokens in a sequence, or ``"ENC:DEC"``; the model's own up to 4,096 where none is given.
    attention
        "causal" counts the keys that mask and window allow, "full" the whole square.
    document_len
        Tokens in a document, where several are packed into a sequence and masked from each other.
    mtp_depth
        Depth of multi-token prediction: modules that predict tokens beyond the next.

    Raises
    ------
    JoulecastError
        Where the config cannot be read or holds what we do not know how to count.
    """
    from joulecast.architectures import read_architecture

    lengths: int | tuple[int, int] | None = None
    if seq_len is not None:
        length = sequence_length("--seq-len", seq_len)
        if isinstance(length, str):
            encoder, _, decoder = length.partition(":")
            lengths = int(encoder), int(decoder)
        else:
            lengths = length
    document = None if document_len is None else document_length("--document-len", document_len)
    depth = 0 if mtp_depth is None else depth_of_prediction("--mtp-depth", mtp_depth)
    return read_architecture(config).count(lengths, cast("Convention", attention), depth, document)
