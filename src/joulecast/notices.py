"""The closed table of warning codes, and the warning itself."""

from __future__ import annotations

from typing import NamedTuple

#: Code -> what it means.  docs/warnings.md is made from this table.
CODES: dict[str, str] = {
    "place_unknown": "No place was given: the world's mix, ranging over clean and dirty grids.",
    "device_assumed": "No device was given: an H100 SXM is assumed.",
    "device_announced": "The device is announced and not sold: its figures may change.",
    "device_namesake": "A device of another maker goes by the name given too.",
    "power_unknown": "Nobody published the device's power: no energy follows unless it is given.",
    "device_variant": "The name fits several variants of a device: the most deployed one is used.",
    "instance": "The device named is a cloud instance or a TPU slice: what it holds.",
    "instance_part": "The devices given are not a whole number of the instance named.",
    "instance_elsewhere": "The instance named is another provider's than the place of the run.",
    "provider_assumed": "The instance or device named tells the provider, whose fleet PUE is used.",
    "year_assumed": "No year was given: the latest year in the data is used.",
    "year_projected": "The year lies past the data: the grid is projected, its range widened.",
    "grid_year": "The place has no figure for the year: the nearest one is carried over.",
    "grid_old": "The grid figure is more than three years older than the run.",
    "grid_national": "The place has no grid figure of its own: its country's mean is used.",
    "grid_within_country": "The country's grids differ widely: the range spans its zones.",
    "device_too_new": "The device was released after the year of the run.",
    "sparse_peak": "The peak given is the device's sparse figure, out of reach of a dense model.",
    "high_utilisation": "Utilisation above 0.6: no published whole run has been that good.",
    "mfu_denominator": "A given utilisation is off the hours or speed by the ratio of two peaks.",
    "tokens_per_param": "Tokens per parameter lie outside 1 to 2,000.",
    "memory_too_small": "Weights, gradients and optimiser states do not fit the devices.",
    "skewed": "The nominal value and the median of the range differ by over 5 %.",
    "embodied_unknown": "Device-hours are unknown, so the making of the hardware is left out.",
    "moe_unsaid": "Active parameters are below all parameters: taken as a mixture of experts.",
    "utilisation_by_analogy": "Few or no published runs on this class of device: range widened.",
    "own_runs": "Utilisation was fitted to past runs of your own (calibrate, --specs).",
    "utilisation_of_fine_tunes": "How fast a fine-tune is depends on the software brought to it.",
    "frozen_weights": "Some weights of a torch module are frozen: its training step counts less.",
    "padding_assumed": "Nobody said whether samples are packed: they are taken to be padded.",
    "field_without_runs": "No published run of the model's field: the range is a factor of 3.",
    "small_steps": "So many devices need a batch larger than any that is usual: say the batch.",
    "step_law_off": "The cost of a step is not known for this run: its batch changes nothing.",
    "step_law_by_analogy": "Steps of this kind of model were not measured: as dense decoders.",
    "utilisation_extrapolated": "The model is smaller than any the utilisation was fitted on.",
    "seq_len_assumed": "No sequence length was given: the model's own up to 4,096 is used.",
    "seq_len_fixed": "The config fixes the number of tokens; the length given is not used.",
    "head_assumed": "The config's class is counted with the output it is pretrained with.",
    "classes_assumed": "A config gave no number of classes: those of ImageNet are counted.",
    "multi_token_prediction": "Modules that predict further tokens may add to training FLOP.",
    "sparse_attention": "Attention is counted to the keys that an indexer keeps, not to all.",
    "documents_apart": "Attention was counted inside the documents of a packed sequence.",
    "key_ignored": "A key of the config is not known and was taken to change nothing.",
    "text_part_only": "A config of several modalities: its text model alone is counted.",
    "given_unused": "A quantity was given that nothing in the answer rests on.",
    "country_code": "The two letters are a country and also a state of the United States.",
    "eu_general_purpose": "Training compute may pass 1e23 FLOP: general-purpose AI to the EU.",
    "eu_systemic_risk": "Training compute may pass 1e25 FLOP: systemic risk, the EU presumes.",
    "extrapolated": "The optimum lies outside the runs its scaling law was fitted on.",
    "loss_not_predicted": "The loss lies too near the irreducible one for a figure.",
    "law_without_range": "The scaling law's constants have no published joint uncertainty.",
    "perplexity_tokeniser": "Loss and perplexity are tied to the law's own text and tokeniser.",
    "overtrained": "Over 1,000 tokens per parameter: the gain of more tokens is overstated.",
    "many_epochs": "Over 40 passes over the data: what so many are worth was hardly tested.",
    "use_by_analogy": "The energy of a token was measured on other devices than the one serving.",
    "use_extrapolated": "Size, batch or devices of the use lie outside what was measured.",
    "cross_check": "A given value differs by over a factor 2 from what the other inputs imply.",
}


class Notice(NamedTuple):
    """A warning of the closed table.

    `message` says what its code means here.
    """

    code: str
    message: str
