"""Modules of torch, against figures worked out by hand and against published ones."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from arch_tests.tables import config, rows

from joulecast import Plan, estimate
from joulecast.compute import training_flop_of_passes_counted
from joulecast.errors import InputError
from joulecast.torch_counting import model_from_torch


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"^torch: is not installed; try pip install torch$"):
        model_from_torch(None)


class TestCounts:
    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        self.torch: Any = pytest.importorskip("torch", reason="torch is not installed")
        self.nn: Any = self.torch.nn

    def flop(self, module: Any, *inputs: Any, **further: Any) -> float:
        return model_from_torch(module, *inputs, **further).forward_flop_per_token

    def made(self, forward: Any, **parts: Any) -> Any:
        """A module of these parts with this forward."""
        module = type("Made", (self.nn.Module,), {"forward": forward})()
        for name, part in parts.items():
            setattr(module, name, part)
        return module

    def test_linear_stack(self) -> None:
        nn = self.nn
        count = model_from_torch(
            nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), (5, 8)
        )
        assert count.params_total == count.params_active == 8 * 16 + 16 + 16 * 4 + 4
        assert count.forward_flop_per_token == 2 * (8 * 16 + 16 * 4)
        assert count.train_flop_per_token == 6 * (8 * 16 + 16 * 4)
        assert count.breakdown == {"0": (144, 256), "1": (0, 0), "2": (68, 128)}
        assert (count.flop_unit, count.attention, count.warnings) == ("sample", "full", ())
        assert json.loads(json.dumps(count.to_dict()))["params_total"] == 212

    def test_convolutions(self) -> None:
        nn, image = self.nn, (2, 32, 14, 14)
        points = 14 * 14
        assert self.flop(nn.Conv2d(32, 64, 3, padding=1), image) == 2 * points * 64 * 32 * 9
        assert (
            self.flop(nn.Conv2d(32, 64, 3, padding=1, groups=4), image) == 2 * points * 64 * 8 * 9
        )
        depthwise = model_from_torch(nn.Conv2d(32, 32, 3, padding=1, groups=32), image)
        assert depthwise.forward_flop_per_token == 2 * points * 32 * 9
        assert depthwise.train_flop_per_token == 6 * points * 32 * 9
        up = nn.ConvTranspose2d(32, 16, 2, stride=2, groups=2)
        assert self.flop(up, image) == 2 * points * 32 * 8 * 4

    def resnet50(self) -> Any:
        nn = self.nn

        def conv(ins: int, outs: int, size: int, stride: int = 1) -> list[Any]:
            layer = nn.Conv2d(ins, outs, size, stride, size // 2, bias=False)
            return [layer, nn.BatchNorm2d(outs)]

        def block(ins: int, width: int, stride: int) -> Any:
            main = [*conv(ins, width, 1), nn.ReLU(), *conv(width, width, 3, stride), nn.ReLU()]
            main += conv(width, 4 * width, 1)
            same = ins == 4 * width and stride == 1
            skip = [] if same else conv(ins, 4 * width, 1, stride)
            return self.made(
                lambda own, x: (own.main(x) + own.skip(x)).relu(),
                main=nn.Sequential(*main),
                skip=nn.Sequential(*skip),
            )

        layers = [*conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        ins = 64
        for stage, depth in enumerate((3, 4, 6, 3)):
            for place in range(depth):
                layers.append(block(ins, 64 << stage, 2 if stage and not place else 1))
                ins = 4 * (64 << stage)
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(ins, 1000))

    def test_resnet_50(self) -> None:
        with self.torch.device("meta"):
            net = self.resnet50()
        count = model_from_torch(net, (4, 3, 224, 224))
        assert count.params_total == 25_557_032
        assert count.forward_flop_per_token == 8_178_368_512

    def test_resnet_50_of_transformers(self) -> None:
        transformers: Any = pytest.importorskip(
            "transformers", reason="transformers is not installed"
        )
        with self.torch.device("meta"):
            net = transformers.ResNetForImageClassification(
                transformers.ResNetConfig(num_labels=1000)
            )
        count = model_from_torch(net, pixel_values=(1, 3, 224, 224))
        assert count.params_total == 25_557_032
        assert count.forward_flop_per_token == 8_178_368_512

    def test_unet_of_stable_diffusion(self) -> None:
        """The row of the reference table, to the last FLOP; the text encoder is not part of it."""
        diffusers: Any = pytest.importorskip("diffusers", reason="diffusers is not installed")
        (row,) = (row for row in rows("reference.csv") if row["family"] == "unet")
        shape = config(row)
        width, edge = shape["cross_attention_dim"], shape["sample_size"]
        with self.torch.device("meta"):
            net = diffusers.UNet2DConditionModel(
                sample_size=edge,
                cross_attention_dim=width,
                attention_head_dim=shape["attention_head_dim"],
            )
        for batch in (1, 2):
            count = model_from_torch(
                net,
                (batch, 4, edge, edge),
                self.torch.zeros(batch),
                encoder_hidden_states=(batch, shape["ctx"], width),
            )
            assert count.params_total == int(row["params"]) == 859_520_964
            assert count.forward_flop_per_token == int(row["forward_full"]) == 803_273_441_280
            assert count.train_flop_per_token == pytest.approx(int(row["train_full"]), rel=0.005)

    def test_experts_are_counted(self) -> None:
        transformers: Any = pytest.importorskip(
            "transformers", reason="transformers is not installed"
        )
        width, ffn, length, vocab = 64, 96, 16, 100
        config = transformers.MixtralConfig(
            hidden_size=width, intermediate_size=ffn, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=4, vocab_size=vocab, num_local_experts=8, num_experts_per_tok=2,
        )  # fmt: skip
        net = transformers.MixtralForCausalLM(config)
        tokens = self.torch.zeros((1, length), dtype=self.torch.long)
        count = model_from_torch(net, tokens, unit="token")
        layer = 4 * width * width + 8 * width + 2 * 3 * width * ffn + 2 * length * width
        assert count.forward_flop_per_token == 2 * (2 * layer + width * vocab)
        assert count.seq_len == (length,)

    def test_grouped_product(self) -> None:
        torch, nn = self.torch, self.nn
        if not hasattr(torch, "_grouped_mm"):
            pytest.skip("this torch has no grouped product")

        def forward(own: Any, x: Any) -> Any:
            ends = torch.zeros(4, dtype=torch.int32)
            return torch._grouped_mm(x, own.experts, offs=ends)

        net = self.made(forward, experts=nn.Parameter(torch.zeros(4, 24, 40)))
        count = model_from_torch(net, (10, 24))
        assert count.forward_flop_per_token == 2 * 24 * 40
        assert count.breakdown == {"(itself)": (4 * 24 * 40, 2 * 24 * 40)}

    def test_lstm(self) -> None:
        net = self.nn.LSTM(24, 32, num_layers=2, batch_first=True)
        one = 2 * 4 * (24 * 32 + 32 * 32 + 32 * 32 + 32 * 32)
        assert self.flop(net, (3, 7, 24), unit="token") == one
        assert self.flop(net, (3, 7, 24)) == 7 * one
        states = (self.torch.zeros(2, 3, 32), self.torch.zeros(2, 3, 32))
        assert self.flop(net, (3, 7, 24), states) == 7 * one

    def test_attention(self) -> None:
        nn, width, length = self.nn, 32, 10
        attention = nn.MultiheadAttention(width, 4, batch_first=True)
        of_token = 2 * (4 * width * width + 2 * length * width)
        x = (2, length, width)
        assert self.flop(attention, x, x, x, need_weights=False, unit="token") == of_token
        assert self.flop(attention, x, x, x, unit="token") == of_token
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True)
        encoder = nn.TransformerEncoder(layer, 3)
        count = model_from_torch(encoder, x, unit="token")
        assert count.forward_flop_per_token == 3 * (of_token + 16 * width * width)
        assert set(count.breakdown) == {"layers"}

        def causal(own: Any, x: Any) -> Any:
            q, k, v = own.proj(x).view(2, length, 3, 4, -1).permute(2, 0, 3, 1, 4)
            return nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)

        own = self.made(causal, proj=nn.Linear(width, 3 * width))
        count = model_from_torch(own, x, unit="token")
        assert count.forward_flop_per_token == 6 * width * width + 4 * length * width
        assert count.breakdown["(itself)"] == (0, 4 * length * width)

    def test_products_torch_leaves_out(self) -> None:
        torch, nn = self.torch, self.nn
        assert self.flop(nn.Bilinear(3, 4, 5), (2, 3), (2, 4)) == 2 * 3 * 4 * 5
        weight = nn.Parameter(torch.zeros(6, 5))
        vector = self.made(lambda own, x: own.w @ x, w=weight)
        assert self.flop(vector, (5,), units=1) == 2 * 6 * 5
        dot = self.made(lambda own, x: torch.addmv(x[0], own.w, x).sum() + x.dot(x), w=weight)
        assert self.flop(dot, (5,), units=1) == 2 * 6 * 5 + 2 * 5
        batched = self.made(lambda own, x: torch.addbmm(x[0, 0], x, x.mT) + own.w.sum(), w=weight)
        assert self.flop(batched, (2, 3, 3), units=1) == 2 * 2 * 27

    def test_shared_parts_are_held_once(self) -> None:
        nn = self.nn
        embedding, head = nn.Embedding(50, 8), nn.Linear(8, 50, bias=False)
        head.weight = embedding.weight
        tied = nn.Sequential(embedding, head)
        tokens = self.torch.zeros((2, 6), dtype=self.torch.int64)
        count = model_from_torch(tied, tokens, unit="token")
        assert (count.params_total, count.forward_flop_per_token) == (400, 800)
        again = nn.Linear(8, 8, bias=False)
        count = model_from_torch(nn.Sequential(again, nn.ReLU(), again), (1, 8))
        assert (count.params_total, count.forward_flop_per_token) == (64, 256)
        assert sum(flop for _, flop in count.breakdown.values()) == 256

    def test_module_is_left_alone(self) -> None:
        torch, nn = self.torch, self.nn
        net = nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(6, 3))
        net.further = torch.ones(3)
        net[3].eval()
        x = torch.ones(2, 2, 8, requires_grad=True)
        net(x).sum().backward()
        before = {name: value.clone() for name, value in net.state_dict().items()}
        grads = [p.grad for p in net.parameters()]
        model_from_torch(net, x)
        assert net.training and not net[3].training
        assert all(p.device.type == "cpu" and p.requires_grad for p in net.parameters())
        assert [p.grad for p in net.parameters()] == grads or all(
            a is b for a, b in zip((p.grad for p in net.parameters()), grads, strict=True)
        )
        after = net.state_dict()
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
        assert net.further.device.type == "cpu" and torch.is_grad_enabled()

    def test_tensors_that_are_no_buffers(self) -> None:
        torch = self.torch

        def forward(own: Any, x: Any) -> Any:
            return own.lin(x * own.scale + own.table["a"] + torch.arange(8))

        net = self.made(forward, lin=self.nn.Linear(8, 8), scale=torch.ones(8))
        net.table = {"a": torch.ones(8)}
        assert self.flop(net, (3, 8)) == 128
        normed = torch.nn.utils.parametrizations.weight_norm(self.nn.Linear(8, 8))
        assert self.flop(normed, (3, 8)) == 128

    def test_units(self) -> None:
        linear = self.nn.Linear(8, 8)
        assert self.flop(linear, (3, 5, 8)) == 5 * 128
        assert self.flop(linear, (3, 5, 8), unit="token") == 128
        assert self.flop(linear, (3, 5, 8), unit="image_token") == 128
        assert self.flop(linear, input=self.torch.zeros(3, 5, 8), units=30) == 64
        assert self.flop(linear.bfloat16(), (3, 8)) == 128

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # compiling loads old parts of torch
    def test_wrapped(self) -> None:
        linear = self.nn.Linear(8, 8)
        assert self.flop(self.nn.DataParallel(linear), (3, 8)) == 128
        assert self.flop(self.torch.compile(linear), (3, 8)) == 128

    def test_errors(self) -> None:
        torch, nn = self.torch, self.nn
        linear = nn.Linear(8, 8)
        refusals: tuple[tuple[Callable[[], object], str], ...] = (
            (lambda: model_from_torch("net"), "is not a torch.nn.Module"),
            (lambda: model_from_torch(nn.ReLU(), (2, 3)), "has no parameters"),
            (lambda: model_from_torch(nn.LazyLinear(3), (2, 3)), "lazy"),
            (lambda: model_from_torch(linear, (2, 0)), "shape"),
            (lambda: model_from_torch(linear, (2, 8), units=0), "at least 1"),
            (lambda: model_from_torch(linear, (2, 8), units=True), "at least 1"),
            (lambda: model_from_torch(linear, (8,), unit="token"), "give units"),
            (lambda: model_from_torch(linear, (2, 3, 8, 8), unit="image_token"), "give units"),
            (lambda: model_from_torch(linear), "give units"),
            (lambda: model_from_torch(linear, (2, 9)), "RuntimeError"),
        )
        for refused, said in refusals:
            with pytest.raises(InputError, match=said):
                refused()
        wrong: Any = "decoder_token"
        with pytest.raises(InputError, match="unit: decoder_token: is not a known choice"):
            model_from_torch(linear, (2, 8), unit=wrong)
        tokens = torch.zeros((1, 4), dtype=torch.long)
        with pytest.raises(InputError, match="no matrix product or convolution was seen"):
            model_from_torch(nn.Embedding(9, 4), tokens)
        branching = self.made(lambda own, x: own.a(x) if x.sum() > 0 else x, a=linear)
        with pytest.raises(InputError, match=r"without numbers \(\w+Error: ") as caught:
            model_from_torch(branching, (2, 8))
        assert "\n" not in str(caught.value)
        locked = nn.Linear(8, 8)
        locked.steps = (step for step in "abc")  # generators cannot be copied
        with pytest.raises(InputError, match="cannot be copied"):
            model_from_torch(locked, (2, 8))

    def test_operations_of_extensions_are_refused(self) -> None:
        torch = self.torch
        library = torch.library.Library("joulecast_tests", "FRAGMENT")
        library.define("odd(Tensor x, Tensor w) -> Tensor")
        library.impl("odd", lambda x, w: x.new_empty(x.shape[0], w.shape[1]), "Meta")

        def forward(own: Any, x: Any) -> Any:
            return own.lin(torch.ops.joulecast_tests.odd(x, own.w))

        net = self.made(forward, w=self.nn.Parameter(torch.ones(4, 8)), lin=self.nn.Linear(8, 8))
        with pytest.raises(InputError, match=r"odd.* cannot be counted"):
            model_from_torch(net, (2, 4))

    def test_frozen_weights_get_no_gradients(self) -> None:
        """Two layers of 64 x 64, the first frozen: 16,384 forward, 24,576 in training."""
        nn = self.nn
        net = nn.Sequential(nn.Linear(64, 64, bias=False), nn.Linear(64, 64, bias=False))
        whole = model_from_torch(net, (1, 64))
        assert whole.train_flop_per_token == 3 * 16_384
        net[0].requires_grad_(False)
        partly = model_from_torch(net, (1, 64))
        assert partly.forward_flop_per_token == 16_384
        assert partly.train_flop_per_token == 24_576
        assert partly.params_trained == 64 * 64
        assert [one.code for one in partly.warnings] == ["frozen_weights"]
        said: Any = {"samples": 1e9, "epochs": 2, "device": "rtx4090", "region": "fr"}
        footprint = estimate(partly, **said)
        assert footprint.training_flop is not None
        assert footprint.training_flop.value == pytest.approx(2e9 * 24_576)
        assert footprint.plan["trainable_params"] == 64 * 64
        assert estimate(Plan(model=partly, **said)).to_dict() == footprint.to_dict()
        net[0].requires_grad_(True)
        net[1].requires_grad_(False)
        assert model_from_torch(net, (1, 64)).train_flop_per_token == 2 * 16_384

    def test_lora_takes_the_flop_of_its_rule(self) -> None:
        """Every matrix of twelve layers with adapters: within 2 % of torch.

        The first layer's inputs have no gradients, which the rule counts: 1 % here.
        """
        torch, nn, width, length, rank = self.torch, self.nn, 256, 256, 8

        def adapted(n_in: int, n_out: int) -> Any:
            def forward(own: Any, x: Any) -> Any:
                return own.base(x) + own.up(own.down(x))

            parts = {
                "base": nn.Linear(n_in, n_out, bias=False).requires_grad_(False),
                "down": nn.Linear(n_in, rank, bias=False),
                "up": nn.Linear(rank, n_out, bias=False),
            }
            return self.made(forward, **parts)

        def layer() -> Any:
            def forward(own: Any, x: Any) -> Any:
                q, k, v = (one(x).unflatten(-1, (4, -1)).transpose(1, 2) for one in own.qkv)
                seen = nn.functional.scaled_dot_product_attention(q, k, v)
                x = x + own.out(seen.transpose(1, 2).flatten(-2))
                return x + own.down(own.up(x).relu())

            qkv = nn.ModuleList([adapted(width, width) for _ in range(3)])
            return self.made(
                forward,
                qkv=qkv,
                out=adapted(width, width),
                up=adapted(width, 2 * width),
                down=adapted(2 * width, width),
            )

        net = nn.Sequential(*(layer() for _ in range(12)))
        count = model_from_torch(net, torch.zeros(1, length, width), unit="token")
        trained = count.params_trained or 0.0
        weights = count.params_total - trained
        attention = 12 * 4 * width * length
        rule = training_flop_of_passes_counted(2 * weights + attention, attention, 2, trained, 1)
        assert count.train_flop_per_token == pytest.approx(rule, rel=0.02)
