"""What the dense shape does in PyTorch: a Llama-style model with torch.compile, bf16 autocast over fp32
weights, cuDNN attention, fused AdamW and clipping. Prints one JSON line that `duoka bench train --peer`
reads. Needs PyTorch with CUDA.

    python3 bench/peers/dense.py --batch 8            # DeepSeek-Coder-1.3B's shape, sequences of 4096
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

parser = argparse.ArgumentParser()
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--seq", type=int, default=4096)
parser.add_argument("--layers", type=int, default=24)
parser.add_argument("--hidden", type=int, default=2048)
parser.add_argument("--heads", type=int, default=16)
parser.add_argument("--kv-heads", type=int, default=16)
parser.add_argument("--intermediate", type=int, default=5504)
parser.add_argument("--vocabulary", type=int, default=32256)
parser.add_argument("--warm-up", type=int, default=3)
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--eager", action="store_true", help="without torch.compile")
args = parser.parse_args()
WIDTH = args.hidden // args.heads


def linear(inputs, outputs):
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=0.006)
    return layer


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = linear(args.hidden, args.hidden)
        self.key = linear(args.hidden, args.kv_heads * WIDTH)
        self.value = linear(args.hidden, args.kv_heads * WIDTH)
        self.output = linear(args.hidden, args.hidden)

    def forward(self, x, cos, sin):
        batch, length, _ = x.shape

        def heads(tensor):
            return tensor.view(batch, length, -1, WIDTH).transpose(1, 2)

        def rotated(tensor):
            first, second = tensor.chunk(2, dim=-1)
            turned = torch.cat((-second, first), dim=-1)
            return (tensor * cos + turned * sin).to(tensor.dtype)

        attended = functional.scaled_dot_product_attention(
            rotated(heads(self.query(x))),
            rotated(heads(self.key(x))),
            heads(self.value(x)),
            is_causal=True,
            enable_gqa=args.kv_heads != args.heads,
        )
        return self.output(attended.transpose(1, 2).reshape(batch, length, args.hidden))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.RMSNorm(args.hidden, eps=1e-6)
        self.attention = Attention()
        self.norm = nn.RMSNorm(args.hidden, eps=1e-6)
        self.gate = linear(args.hidden, args.intermediate)
        self.up = linear(args.hidden, args.intermediate)
        self.down = linear(args.intermediate, args.hidden)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.attention_norm(x), cos, sin)
        normed = self.norm(x)
        return x + self.down(functional.silu(self.gate(normed)) * self.up(normed))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(args.vocabulary, args.hidden)
        nn.init.normal_(self.embedding.weight, std=0.006)
        self.layers = nn.ModuleList(Layer() for _ in range(args.layers))
        self.norm = nn.RMSNorm(args.hidden, eps=1e-6)
        self.head = linear(args.hidden, args.vocabulary)

    def forward(self, tokens, targets):
        positions = torch.arange(tokens.shape[1], device=tokens.device, dtype=torch.float32)
        exponents = torch.arange(0, WIDTH, 2, device=tokens.device, dtype=torch.float32) / WIDTH
        angles = torch.outer(positions, 10000.0**-exponents)
        angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos(), angles.sin()
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, cos, sin)
        logits = self.head(self.norm(x)).float()
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = True
for slower in ("flash", "mem_efficient", "math"):
    getattr(torch.backends.cuda, f"enable_{slower}_sdp")(False)
start = time.time()
model = Model().cuda()
optimizer = torch.optim.AdamW(
    model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True
)
forward = model if args.eager else torch.compile(model)
tokens = torch.randint(0, args.vocabulary, (args.batch, args.seq + 1), device="cuda")


def step():
    with torch.autocast("cuda", torch.bfloat16):
        loss = forward(tokens[:, :-1], tokens[:, 1:])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss


step()
torch.cuda.synchronize()
first = time.time() - start
for _ in range(args.warm_up - 1):
    step()
times = []
for _ in range(args.steps):
    torch.cuda.synchronize()
    begun = time.time()
    loss = step()
    torch.cuda.synchronize()
    times.append(time.time() - begun)
seconds = statistics.median(times)
print(
    json.dumps(
        {
            "peer": f"torch {torch.__version__}" + (" eager" if args.eager else " compile"),
            "step_ms": round(seconds * 1e3, 2),
            "tok_s": round(args.batch * args.seq / seconds),
            "peak_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2),
            "first_step_s": round(first, 1),
            "loss": round(loss.item(), 4),
        }
    )
)
