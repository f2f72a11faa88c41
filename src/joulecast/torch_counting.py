"""Any module of torch: its parameters and FLOP, counted while it runs without numbers."""

from __future__ import annotations

import copy
import importlib
import math
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, get_args

from joulecast.answers.count import ModelCount, Unit
from joulecast.errors import InputError
from joulecast.notices import Notice

#: What lies in the module itself and in none of its children.
ITSELF = "(itself)"

#: What a count can be given per: layout's units without those of an encoder-decoder.
UNITS: tuple[Unit, ...] = tuple(unit for unit in get_args(Unit) if unit != "decoder_token")

#: Wrappers around the module that is meant, and where they keep it.
_WRAPPERS = {
    "OptimizedModule": "_orig_mod",
    "DataParallel": "module",
    "DistributedDataParallel": "module",
}

#: Operations outside these come from extensions; torch's counter knows none of them.
_OWN_OPS = ("aten", "prim", "prims")


def model_from_torch(
    module: Any,
    *inputs: Any,
    unit: Unit = "sample",
    units: int | None = None,
    **keyword_inputs: Any,
) -> ModelCount:
    """Count the parameters and FLOP of a torch module by running it without numbers.

    A copy of the module runs once forward on torch's meta device, where tensors have shapes and
    no contents, so that no memory is needed and the module itself stays as it is.  Matrix products
    and convolutions count two FLOP per multiply-add, attention the whole square; a training step
    counts three forward passes.  Elementwise work is not counted.

    Parameters
    ----------
    module
        A ``torch.nn.Module`` on any device.
    *inputs, **keyword_inputs
        What its ``forward`` takes: tensors on any device, of which only shape and type matter, or
        a tuple of integers for a tensor of floats of that shape.  Anything else is passed on.
    unit
        What the FLOP are given per: "sample", "token" or "image_token".
    units
        How many of these the inputs hold.  By default the first axis of the first input for
        samples, its first two axes for tokens.

    Returns
    -------
    ModelCount
        Split into the module's children.  All parameters count as active: experts that lie idle
        cannot be told from the others, though only the FLOP that are done are counted.

    Raises
    ------
    InputError
        Where torch is not installed, the module cannot run without numbers (its way depends on
        values), or nothing was seen in a module that has matrices.

    Examples
    --------
    >>> import pytest
    >>> torch = pytest.importorskip("torch", reason="torch is not installed")
    >>> import joulecast.torch_counting
    >>> net = torch.nn.Sequential(torch.nn.Linear(784, 100), torch.nn.Linear(100, 10))
    >>> count = joulecast.torch_counting.model_from_torch(net, (32, 784))
    >>> int(count.params_total), int(count.forward_flop_per_token)
    (79510, 158800)
    """
    torch = _torch()
    if unit not in UNITS:
        raise InputError("unit", unit, "is not a known choice", UNITS)
    if not isinstance(module, torch.nn.Module):
        raise _refusal(module, "is not a torch.nn.Module")
    while type(module).__name__ in _WRAPPERS:
        module = getattr(module, _WRAPPERS[type(module).__name__])
    _check_parameters(torch, module)
    fed, fed_by_name = _on_meta(torch, module, inputs, keyword_inputs)
    first = _first_shape(torch, (*fed, *fed_by_name.values()))
    held = _units(first, unit) if units is None else units
    if isinstance(held, bool) or not isinstance(held, int) or held < 1:
        raise InputError("units", held, "must be a whole number of at least 1")

    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    twin = _copy(torch, module)
    total, flop = _run(torch, twin, fed, fed_by_name)
    if not total and any(parameter.dim() > 1 for parameter in module.parameters()):
        why = "has matrices, but no matrix product or convolution was seen in its forward pass"
        raise _refusal(module, why)
    params = _params(module)
    every = sum(params.values())
    partly = 0 < trained < every
    steps = _step(torch, module, fed, fed_by_name) if partly else None
    flop[ITSELF] = total - sum(flop.values())
    return ModelCount(
        params_total=float(every),
        params_active=float(every),
        forward_flop_per_token=total / held,
        flop_unit=unit,
        breakdown={
            name: (float(params[name]), flop.get(name, 0) / held)
            for name in params
            if name != ITSELF or params[name] or flop[name]
        },
        seq_len=(first[1] if unit != "sample" and len(first) > 1 else 1,),
        attention="full",
        warnings=(_frozen(trained, every),) if partly else (),
        params_trained=float(trained) if partly else None,
        train_flop=None if steps is None else steps / held,
    )


def _frozen(trained: int, every: int) -> Notice:
    message = f"{every - trained:,} of {every:,} weights are frozen: a training step counts what "
    return Notice("frozen_weights", f"{message}the gradients of the others take")


def _step(torch: Any, module: Any, fed: list[Any], fed_by_name: dict[str, Any]) -> int:
    """FLOP of a forward and a backward pass in which frozen weights get no gradients."""
    twin = _copy(torch, module, as_trained=True)
    return _run(torch, twin, fed, fed_by_name, backward=True)[0]


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise InputError("torch", None, "is not installed", ["pip install torch"]) from None


def _check_parameters(torch: Any, module: Any) -> None:
    parameters = list(module.parameters())
    if any(torch.nn.parameter.is_lazy(tensor) for tensor in (*parameters, *module.buffers())):
        raise _refusal(module, "has lazy parameters; run it once to give them shapes")
    if not any(parameter.numel() for parameter in parameters):
        raise _refusal(module, "has no parameters")


def _on_meta(
    torch: Any, module: Any, inputs: tuple[Any, ...], keyword_inputs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Move what goes in to the meta device; shapes become tensors."""
    tree_map = importlib.import_module("torch.utils._pytree").tree_map
    floats = (p.dtype for p in module.parameters() if p.is_floating_point() or p.is_complex())
    dtype = next(floats, torch.get_default_dtype())

    def moved(value: Any) -> Any:
        return value.detach().to("meta") if isinstance(value, torch.Tensor) else value

    def one(name: str, value: Any) -> Any:
        if not (isinstance(value, tuple) and value and all(type(size) is int for size in value)):
            return tree_map(moved, value)
        if min(value) < 1:
            raise InputError(name, value, "a shape must hold whole numbers of at least 1")
        return torch.empty(tuple(value), dtype=dtype, device="meta")

    return (
        [one(f"input {place}", value) for place, value in enumerate(inputs, 1)],
        {name: one(name, value) for name, value in keyword_inputs.items()},
    )


def _leaves(tree: Any) -> list[Any]:
    """Everything that lists, tuples and mappings hold, however deep."""
    leaves: list[Any] = importlib.import_module("torch.utils._pytree").tree_leaves(tree)
    return leaves


def _first_shape(torch: Any, fed: tuple[Any, ...]) -> tuple[int, ...]:
    shapes = (tuple(leaf.shape) for leaf in _leaves(fed) if isinstance(leaf, torch.Tensor))
    return next(shapes, ())


def _units(shape: tuple[int, ...], unit: Unit) -> int:
    """Count the units that an input of this shape holds."""
    axes = 1 if unit == "sample" else 2
    if len(shape) < axes or (unit == "image_token" and len(shape) > 3):
        raise InputError("units", None, f"cannot be told from the first input; give units={unit}s")
    return math.prod(shape[:axes])


def _copy(torch: Any, module: Any, as_trained: bool = False) -> Any:
    """Copy the module to the meta device without copying a number; `as_trained` with gradients."""
    memo: dict[int, Any] = {}
    for part in module.modules():
        # Parameters, buffers and plain attributes alike: none is copied with its numbers.
        for leaf in _leaves(list(vars(part).values())):
            if not isinstance(leaf, torch.Tensor) or id(leaf) in memo:
                continue
            there = leaf.detach().to("meta")
            if isinstance(leaf, torch.nn.Parameter):
                grads = as_trained and leaf.requires_grad
                there = torch.nn.Parameter(there, requires_grad=grads)
            memo[id(leaf)] = there
    try:
        return copy.deepcopy(module, memo).eval()
    except Exception as problem:
        raise _failed(module, "cannot be copied", problem) from problem


def _failed(module: Any, how: str, problem: Exception) -> InputError:
    lines = str(problem).strip().splitlines()
    said = f"{type(problem).__name__}: {lines[0]}" if lines else type(problem).__name__
    return _refusal(module, f"{how} ({said})")


def _refusal(module: Any, why: str) -> InputError:
    return InputError("module", type(module).__name__, why)


def _run(
    torch: Any, twin: Any, fed: list[Any], fed_by_name: dict[str, Any], backward: bool = False
) -> tuple[int, dict[str, int]]:
    """Run forward once, and backward; FLOP in all, and in each of the module's children."""
    attention = importlib.import_module("torch.nn.attention")
    counter_mode = importlib.import_module("torch.utils.flop_counter").FlopCounterMode
    formulas = _formulas(torch)
    counter = counter_mode(display=False, custom_mapping=formulas)
    flop = _watch(twin, counter)
    try:
        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stack.enter_context(torch.enable_grad() if backward else torch.no_grad())
            stack.enter_context(torch.device("meta"))
            # Fused attention is not counted on every device; as two matrix products it is.
            stack.enter_context(attention.sdpa_kernel(attention.SDPBackend.MATH))
            stack.enter_context(_beneath(torch, twin, counter.flop_registry))
            stack.enter_context(counter)
            given = twin(*fed, **fed_by_name)
            if backward:
                _pull_back(torch, given)
    except InputError:
        raise
    except Exception as problem:
        how = "cannot run with these inputs on the meta device, without numbers"
        raise _failed(twin, how, problem) from problem
    return counter.get_total_flops(), flop


def _pull_back(torch: Any, given: Any) -> None:
    """Follow the gradients of what the module gives, as a loss would."""
    leaves = _leaves(vars(given) if hasattr(given, "loss") else given)
    out = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and leaf.requires_grad]
    torch.autograd.backward(out[:1], [torch.empty_like(out[0])])


def _watch(twin: Any, counter: Any) -> dict[str, int]:
    """Have every part add what it does to the child it belongs to, unless within another part."""
    flop: dict[str, int] = {}
    running: list[tuple[Any, int]] = []
    owners: dict[int, str] = {}
    for name, child in twin.named_children():
        for part in child.modules():
            owners.setdefault(id(part), name)

    def before(part: Any, _: Any) -> None:
        if not running:
            running.append((part, counter.get_total_flops()))
        elif running[0][0] is part:
            running.append(running[0])

    def after(part: Any, *_: Any) -> None:
        if running and running[0][0] is part:
            _, start = running.pop()
            if not running:
                name = owners[id(part)]
                flop[name] = flop.get(name, 0) + counter.get_total_flops() - start

    for part in twin.modules():
        if part is not twin:
            part.register_forward_pre_hook(before, prepend=True)
            part.register_forward_hook(after)
    return flop


def _params(module: Any) -> dict[str, int]:
    """Count each parameter once, in the child that comes first."""
    seen: set[int] = set()
    params: dict[str, int] = {}

    def add(name: str, parameters: Any) -> None:
        new = {id(p): p.numel() for p in parameters if id(p) not in seen}
        seen.update(new)
        params[name] = params.get(name, 0) + sum(new.values())

    for name, child in module.named_children():
        add(name, child.parameters())
    add(ITSELF, module.parameters())
    return params


def _formulas(torch: Any) -> dict[Any, Callable[..., int]]:
    """What torch's counter leaves out: grouped, vector and three-way products, fused attention."""
    named: dict[str, Callable[..., int]] = {
        "mv": _product,
        "dot": _product,
        "vdot": _product,
        "addmv": lambda _, *shapes, **rest: _product(*shapes, **rest),
        "addbmm": lambda _, a, b, *__, **rest: 2 * math.prod(a) * b[-1],
        "_int_mm": _product,
        "_grouped_mm": _product,
        "_scaled_grouped_mm": _product,
        "_trilinear": lambda one, weight, *_, **rest: 2 * one[0] * math.prod(weight),
        "_scaled_dot_product_flash_attention_for_cpu": _attention,
        "_scaled_dot_product_fused_attention_overrideable": _attention,
    }
    formulas = {
        getattr(torch.ops.aten, name): formula
        for name, formula in named.items()
        if hasattr(torch.ops.aten, name)
    }
    if hasattr(torch.ops.transformers, "grouped_mm_fallback"):
        formulas[torch.ops.transformers.grouped_mm_fallback] = _product
    return formulas


def _product(a: Any, b: Any, *_: Any, **__: Any) -> int:
    """FLOP of a product whose groups, if any, share the rows (or columns) between them."""
    groups = a[0] if len(a) == 3 and len(b) == 3 else 1
    return int(2 * math.prod(a[-2:]) * (b[-1] if len(b) > 1 else 1) * groups)


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    *batch, length, width = query
    return int(2 * math.prod(batch) * length * key[-2] * (width + value[-1]))


def _beneath(torch: Any, twin: Any, known: Mapping[Any, Any]) -> Any:
    """Stand in for what the meta device lacks, and refuse what would count as nothing."""
    base: Any = importlib.import_module("torch.utils._python_dispatch").TorchDispatchMode
    weights = {id(p) for p in twin.parameters() if p.dim() > 1}

    def dispatch(_: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        packet = getattr(func, "overloadpacket", func)
        if packet is getattr(torch.ops.aten, "_grouped_mm", None):
            return _grouped(torch, *args, **kwargs)
        if (
            getattr(func, "namespace", "aten") not in _OWN_OPS
            and packet not in known
            and any(id(leaf) in weights for leaf in _leaves((args, kwargs)))
        ):
            raise _refusal(twin, f"uses {func}, whose FLOP cannot be counted")
        return func(*args, **kwargs)

    return type("_Beneath", (base,), {"__torch_dispatch__": dispatch})()


def _grouped(
    torch: Any, a: Any, b: Any, offs: Any = None, bias: Any = None, out_dtype: Any = None
) -> Any:
    """Shape what a grouped product gives; torch's own wants one type of number only."""
    apart = a.dim() == b.dim()  # else the groups lie one after the other along an axis
    groups = ((a.shape[0],) if a.dim() == 3 else (offs.shape[0],)) if apart else ()
    shape = (*groups, a.shape[-2], b.shape[-1])
    return torch.empty(shape, dtype=out_dtype or a.dtype, device="meta")
