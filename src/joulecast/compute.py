"""How much arithmetic the run needs.  Formulas only; FLOP and tokens are counts."""

from __future__ import annotations

from joulecast.arrays import Numbers


def active_params(params: Numbers) -> Numbers:
    r"""Parameters a token passes through, where every token passes through all.

    .. math:: N_\mathrm{active} = N

    Parameters
    ----------
    params : N, all weights [count].

    Returns
    -------
    Weights used per token [count].  Not valid for mixtures of experts.

    Source: Definition: docs/glossary.md.

    >>> active_params(7e9)
    7000000000.0
    """
    return params * 1.0


def training_flop(
    flop_per_param_token: Numbers, active_params: Numbers, tokens: Numbers
) -> Numbers:
    r"""Training FLOP from counts alone.

    .. math:: C = k \, N_\mathrm{active} \, D

    Parameters
    ----------
    flop_per_param_token : k [FLOP per parameter and token]: 6 for decoders (2 forward, 4 backward),
        about 3.3 for encoder-decoders, whose tokens cross half the weights, 6.2 for vision
        transformers per image token.
    active_params : Weights a token passes through [count].
    tokens : Tokens processed, repeats counted [count].

    Returns
    -------
    Model FLOP, forward and backward, without recomputation [FLOP].

    Valid for dense decoders of 1B parameters and more at sequences up to 8k
    within 0.95 to 1.10; attention, a mixture of experts counted with all its
    experts, shared blocks and long contexts break it.

    Source: Kaplan et al. 2020, arXiv:2001.08361, section 2.1; Hoffmann et al. 2022,
    arXiv:2203.15556, appendix F.

    >>> training_flop(6, 175e9, 300e9)
    3.15e+23
    """
    return flop_per_param_token * active_params * tokens


def training_flop_counted(forward_flop_per_token: Numbers, tokens: Numbers) -> Numbers:
    r"""Training FLOP of a counted architecture.

    .. math:: C = 3 \, f \, D

    Parameters
    ----------
    forward_flop_per_token : f, FLOP of the forward pass [FLOP per token]: every matrix product,
        2 FLOP per multiply-add.
    tokens : D, tokens processed [count].

    Returns
    -------
    Model FLOP [FLOP]: the backward pass takes two products for each one of the forward pass.

    Source: Counts of 43 models with PyTorch's FlopCounterMode: docs/method/architectures.md.

    >>> training_flop_counted(16e9, 1e12)
    4.8e+22
    """
    return 3 * forward_flop_per_token * tokens


def training_flop_counted_partly_frozen(
    forward_flop_per_token: Numbers,
    active_params: Numbers,
    trainable_params: Numbers,
    tokens: Numbers,
) -> Numbers:
    r"""Training FLOP of a counted architecture of which only some weights are trained.

    .. math:: C = f \, D \, (2 + N_\mathrm{train} / N_\mathrm{active})

    Parameters
    ----------
    forward_flop_per_token : f, FLOP of the forward pass [FLOP per token].
    active_params, trainable_params : Weights a token passes through, and those of them
        that are trained [count].
    tokens : D, tokens processed [count].

    Returns
    -------
    Model FLOP [FLOP]; valid where trained weights are spread over the model like all others.

    Source: As training_flop_partly_frozen.

    >>> training_flop_counted_partly_frozen(16e9, 7e9, 7e9, 1e12)
    4.8e+22
    """
    return forward_flop_per_token * tokens * (2 + trainable_params / active_params)


def training_flop_partly_frozen(
    flop_per_param_token: Numbers,
    active_params: Numbers,
    trainable_params: Numbers,
    tokens: Numbers,
) -> Numbers:
    r"""Training FLOP where only some weights are trained (adapters, a new head).

    .. math:: C = k \, D \, \frac{2 N_\mathrm{active} + N_\mathrm{train}}{3}

    The forward pass and the gradient of the activations cross all weights, the gradient of the
    weights only those that are trained: 2 + 2 and 2 of the 6.

    Parameters
    ----------
    flop_per_param_token : k [FLOP per parameter and token], for training all weights.
    active_params : Weights a token passes through, frozen ones included [count].
    trainable_params : Weights that are trained [count], at most `active_params`.
    tokens : Tokens processed [count].

    Returns
    -------
    Model FLOP [FLOP].  An upper figure where the first layers hold nothing to train, since the
    backward pass then stops early.

    Source: Hu et al. 2021 (LoRA), arXiv:2106.09685, section 4; the count follows from that of
    training_flop.

    >>> training_flop_partly_frozen(6, 7e9, 0.0, 1e9) / training_flop(6, 7e9, 1e9)
    0.6666666666666666
    """
    return flop_per_param_token * tokens * (2 * active_params + trainable_params) / 3


def training_flop_of_passes(
    flop_per_param_token: Numbers,
    active_params: Numbers,
    model_passes: Numbers,
    adapter_params: Numbers,
    tokens: Numbers,
) -> Numbers:
    r"""Training FLOP of a fine-tune: passes through a model, and adapters trained beside it.

    .. math:: C = k \, D \left(\frac{m}{3} N_\mathrm{base} + N_\mathrm{adapter}\right)

    Parameters
    ----------
    flop_per_param_token : k [FLOP per parameter and token], for training all weights: 6.
    active_params : Weights of the base that a token passes through [count].
    model_passes : m, passes through them [count]: the forward pass, the gradient of activations and
        that of weights are one each, so 3 train them, 2 cross them frozen under adapters, 1 stops
        at a new head; a reference, reward or value model adds what it does.
    adapter_params : Weights added and trained, which all three cross [count]; 0 for none.
    tokens : Tokens of the trained sequences, prompts and padding among them [count].

    Returns
    -------
    Model FLOP [FLOP]: 4 N + 6 N_adapter a token for LoRA, 8 N for DPO of all weights.  Unpacking
    4-bit weights and the generation of answers are not in it.

    Source: Hu et al. 2021 (LoRA), arXiv:2106.09685, section 4; the count follows from that of
    training_flop.

    >>> round(training_flop_of_passes(6, 7e9, 2, 0.0, 1e9) / training_flop(6, 7e9, 1e9), 4)
    0.6667
    """
    return flop_per_param_token * tokens * (model_passes / 3 * active_params + adapter_params)


def training_flop_of_passes_counted(
    forward_flop_per_token: Numbers,
    attention_flop_per_token: Numbers,
    model_passes: Numbers,
    adapter_params: Numbers,
    tokens: Numbers,
) -> Numbers:
    r"""Training FLOP of a fine-tune whose base was counted from its architecture.

    .. math:: C = D \left(m \, f + f_a + 6 N_\mathrm{adapter}\right)

    Parameters
    ----------
    forward_flop_per_token : f, FLOP of the forward pass of the base [FLOP per token].
    attention_flop_per_token : f_a, those of products without weights, such as attention scores,
        where a base is frozen under adapters, else 0 [FLOP per token]: their backward pass takes
        two products for each, though m counts one.
    model_passes, adapter_params, tokens : As in training_flop_of_passes.

    Returns
    -------
    Model FLOP [FLOP].

    Source: As training_flop_of_passes.

    >>> training_flop_of_passes_counted(16e9, 0.0, 3, 0.0, 1e12)
    4.8e+22
    """
    frozen = model_passes * forward_flop_per_token + attention_flop_per_token
    return tokens * (frozen + 6 * adapter_params)


def tokens_with_padding(real_tokens: Numbers, padding_factor: Numbers) -> Numbers:
    r"""Tokens that are computed: those of the samples and what fills their batches.

    .. math:: D = p \, D_\mathrm{real}

    Parameters
    ----------
    real_tokens : D_real, tokens of the samples, repeats counted [count].
    padding_factor : p, at least 1 [ratio]: length of the longest sample of a batch, or the length
        to which all are filled, over the mean.

    Returns
    -------
    Tokens processed [count].

    Source: Definition: docs/glossary.md. Measured factors: docs/method/fine-tuning.md.

    >>> tokens_with_padding(1e6, 2.5)
    2500000.0
    """
    return real_tokens * padding_factor


def tokens_of_rollouts(
    prompts: Numbers,
    answers_per_prompt: Numbers,
    prompt_tokens: Numbers,
    answer_tokens: Numbers,
    iterations: Numbers,
) -> Numbers:
    r"""Tokens trained on where the model itself generates the samples.

    .. math:: D = P \, A \, (t_p + t_a) \, \mu

    Parameters
    ----------
    prompts : P [count].
    answers_per_prompt : A, answers generated to each [count].
    prompt_tokens, answer_tokens : t_p and t_a of one prompt and one answer [count]; each answer is
        trained on with its prompt.
    iterations : mu, times that each answer is trained on [count].

    Returns
    -------
    Tokens processed in training, without those of generation [count].

    Source: Shao et al. 2024 (GRPO), arXiv:2402.03300, algorithm 1.

    >>> tokens_of_rollouts(1000, 8, 200, 800, 1)
    8000000
    """
    return prompts * answers_per_prompt * (prompt_tokens + answer_tokens) * iterations


def training_flop_of_executed(executed_flop: Numbers, recompute_factor: Numbers) -> Numbers:
    r"""Model FLOP of a count that includes recomputation.

    .. math:: C = C_\mathrm{executed} / r

    Parameters
    ----------
    executed_flop : FLOP the devices execute [FLOP].
    recompute_factor : r [ratio], see executed_flop.

    Returns
    -------
    Model FLOP [FLOP].

    Source: Korthikanti et al. 2022, arXiv:2205.05198, section 5 and appendix A.

    >>> round(training_flop_of_executed(4e23, 4 / 3) / 1e23, 6)
    3.0
    """
    return executed_flop / recompute_factor


def executed_flop(training_flop: Numbers, recompute_factor: Numbers) -> Numbers:
    r"""FLOP the devices really execute.

    .. math:: C_\mathrm{executed} = r \, C

    Parameters
    ----------
    training_flop : Model FLOP [FLOP].
    recompute_factor : r [ratio]: 1 without activation recomputation, 4/3 with full (one more
        forward pass beside one forward and a backward of two).

    Returns
    -------
    Executed FLOP [FLOP].  Drives nothing but itself: hours follow from the model FLOP, whose
    utilisation already pays for recomputation.

    Source: Korthikanti et al. 2022, arXiv:2205.05198, section 5 and appendix A.

    >>> executed_flop(3e23, 4 / 3)
    4e+23
    """
    return training_flop * recompute_factor


def attention_share(active_params: Numbers, seq_len: Numbers, share_per_token: Numbers) -> Numbers:
    r"""FLOP of attention scores and values that 6 N leaves out, as a share of 6 N.

    .. math:: a = c \, s \, (N / 7 \cdot 10^9)^{-1/3}

    In a decoder of L layers of width d the causal mask leaves 6 L d s FLOP per token; with
    L and d both growing as the cube root of N, their ratio to 6 N falls as its cube root.

    Parameters
    ----------
    active_params : N, parameters used per token [count].
    seq_len : s, tokens in a sequence, all attended under a causal mask [count].
    share_per_token : c, share per token of sequence length at 7 billion parameters [ratio].

    Returns
    -------
    Share [ratio]; twice as much where every position attends to all.

    Source: Kaplan et al. 2020, arXiv:2001.08361, table 1; c fitted to published architectures of 70
    million to 540 billion parameters, which lie about 16 % around it.

    >>> float(round(attention_share(7e9, 4096, 1.95e-5), 3))
    0.08
    """
    return share_per_token * seq_len * (active_params / 7e9) ** (-1.0 / 3.0)


def eu_training_compute(training_flop: Numbers) -> Numbers:
    r"""Training compute of one run in the sense of the EU's guidelines.

    .. math:: C_\mathrm{EU} = C

    Parameters
    ----------
    training_flop : C, model FLOP of the run: forward and backward pass, fine-tuning alike [FLOP].

    Returns
    -------
    Training compute of the run [FLOP]: activation recomputation is left out, whatever the
    precision.  A model's cumulative compute adds what this run does not hold: other training
    stages, non-public synthetic data, the compute behind weights it starts from.

    Source: European Commission, guidelines on the scope of obligations for providers of
    general-purpose AI models, 18 July 2025, annex, A.1 and A.2.

    >>> eu_training_compute(7.5e22)
    7.5e+22
    """
    return training_flop * 1.0


def eu_training_compute_of_hardware(
    device_time: Numbers, peak_flops: Numbers, utilisation: Numbers, precision_speedup: Numbers
) -> Numbers:
    r"""Training compute of one run from its hardware, the other way the guidelines name.

    .. math:: C_\mathrm{EU} = N \, L \, H \, U

    Parameters
    ----------
    device_time : N L, devices x time reserved [s].
    peak_flops : H, dense peak of one device [FLOP/s].
    utilisation : U, model FLOP per second over the peak, over the whole run [ratio].
    precision_speedup : Throughput of the precision over 16-bit [ratio].

    Returns
    -------
    Training compute of the run [FLOP], recomputation left out as long as U leaves it out.

    Source: As eu_training_compute; example there: 370,000 h of H100 at 989 TFLOP/s and 50 %.

    >>> eu_training_compute_of_hardware(370_000 * 3600.0, 989e12, 0.5, 1.0)
    6.58674e+23
    """
    return device_time * peak_flops * utilisation * precision_speedup
