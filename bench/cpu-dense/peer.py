"""The peer of bench/cpu-dense: a Llama-shaped model trained by plain PyTorch on the CPU.

Prints one JSON object: the median tokens per second over all steps, as duoka counts them (the whole
step from batch to update), the last loss, and the number of parameters. The model is written the
way PyTorch users write it; where PyTorch has a fused operator that fits, it is used.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

FUSED_ATTENTION = hasattr(F, "scaled_dot_product_attention")


class RmsNorm(nn.Module):
    def __init__(self, size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


class Attention(nn.Module):
    def __init__(self, hidden, heads, kv_heads, cos, sin, mask):
        super().__init__()
        self.heads, self.kv_heads, self.width = heads, kv_heads, hidden // heads
        self.q_proj = nn.Linear(hidden, heads * self.width, bias=False)
        self.k_proj = nn.Linear(hidden, kv_heads * self.width, bias=False)
        self.v_proj = nn.Linear(hidden, kv_heads * self.width, bias=False)
        self.o_proj = nn.Linear(heads * self.width, hidden, bias=False)
        self.cos, self.sin, self.mask = cos, sin, mask

    def rotate(self, x):
        first, second = x.chunk(2, -1)
        return x * self.cos + torch.cat((-second, first), -1) * self.sin

    def forward(self, x):
        b, t, _ = x.shape
        q = self.rotate(self.q_proj(x).view(b, t, self.heads, self.width).transpose(1, 2))
        k = self.rotate(self.k_proj(x).view(b, t, self.kv_heads, self.width).transpose(1, 2))
        v = self.v_proj(x).view(b, t, self.kv_heads, self.width).transpose(1, 2)
        if self.kv_heads != self.heads:
            k = k.repeat_interleave(self.heads // self.kv_heads, 1)
            v = v.repeat_interleave(self.heads // self.kv_heads, 1)
        if FUSED_ATTENTION:
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-1, -2) * self.width**-0.5 + self.mask
            out = scores.softmax(-1) @ v
        return self.o_proj(out.transpose(1, 2).reshape(b, t, -1))


class FeedForward(nn.Module):
    def __init__(self, hidden, intermediate):
        super().__init__()
        self.gate_proj = nn.Linear(hidden, intermediate, bias=False)
        self.up_proj = nn.Linear(hidden, intermediate, bias=False)
        self.down_proj = nn.Linear(intermediate, hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, hidden, intermediate, heads, kv_heads, cos, sin, mask):
        super().__init__()
        self.attention_norm = RmsNorm(hidden)
        self.attention = Attention(hidden, heads, kv_heads, cos, sin, mask)
        self.feed_forward_norm = RmsNorm(hidden)
        self.feed_forward = FeedForward(hidden, intermediate)

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


class Model(nn.Module):
    def __init__(self, o):
        super().__init__()
        width = o.hidden // o.heads
        frequencies = 10000.0 ** (-torch.arange(0, width, 2).float() / width)
        angles = torch.arange(o.sequence).float()[:, None] * frequencies
        angles = torch.cat((angles, angles), -1)
        mask = torch.full((o.sequence, o.sequence), float("-inf")).triu(1)
        self.embedding = nn.Embedding(o.vocabulary, o.hidden)
        self.layers = nn.ModuleList(
            Layer(o.hidden, o.intermediate, o.heads, o.kv_heads, angles.cos(), angles.sin(), mask)
            for _ in range(o.layers)
        )
        self.norm = RmsNorm(o.hidden)
        self.head = nn.Linear(o.hidden, o.vocabulary, bias=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))


def main():
    parser = argparse.ArgumentParser()
    for name in ("hidden", "intermediate", "layers", "heads", "kv-heads", "vocabulary"):
        parser.add_argument("--" + name, type=int, required=True)
    for name in ("sequence", "batch", "steps", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(1234)
    model = Model(o)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, foreach=True
    )
    corpus = torch.randint(0, 256, (o.steps, o.batch, o.sequence + 1))
    speeds = []
    for step in range(o.steps):
        start = time.perf_counter()
        tokens, targets = corpus[step, :, :-1], corpus[step, :, 1:]
        optimizer.zero_grad(set_to_none=True)
        logits = model(tokens)
        loss = F.cross_entropy(logits.reshape(-1, o.vocabulary), targets.reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        last_loss = loss.item()
        speeds.append(o.batch * o.sequence / (time.perf_counter() - start))
    print(
        json.dumps(
            {
                "tokens_per_second": statistics.median(speeds),
                "loss": last_loss,
                "parameters": sum(p.numel() for p in model.parameters()),
                "torch": torch.__version__,
                "attention": "fused" if FUSED_ATTENTION else "written out",
            }
        )
    )


if __name__ == "__main__":
    main()
