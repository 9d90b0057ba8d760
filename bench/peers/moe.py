"""What the MoE shape does in transformers: its own DeepseekV2 classes at the widths of V2-Lite, bf16
autocast over fp32 weights, fused AdamW and clipping. Prints one JSON line that `duoka bench train
--peer` reads. Needs PyTorch with CUDA, and transformers.

    python3 bench/peers/moe.py --batch 2 --layers 5
"""

import argparse
import json
import statistics
import time

import torch
import transformers
from transformers import DeepseekV2Config, DeepseekV2ForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--batch", type=int, default=2)
parser.add_argument("--seq", type=int, default=4096)
parser.add_argument("--layers", type=int, default=5)
parser.add_argument("--warm-up", type=int, default=2)
parser.add_argument("--steps", type=int, default=6)
args = parser.parse_args()

config = DeepseekV2Config(
    vocab_size=102400,
    hidden_size=2048,
    intermediate_size=10944,
    moe_intermediate_size=1408,
    num_hidden_layers=args.layers,
    num_attention_heads=16,
    num_key_value_heads=16,
    n_routed_experts=64,
    n_shared_experts=2,
    num_experts_per_tok=6,
    first_k_dense_replace=1,
    q_lora_rank=None,
    kv_lora_rank=512,
    qk_nope_head_dim=128,
    qk_rope_head_dim=64,
    v_head_dim=128,
    topk_method="greedy",
    n_group=1,
    topk_group=1,
    norm_topk_prob=False,
    routed_scaling_factor=1.0,
    max_position_embeddings=8192,
    use_cache=False,
    attn_implementation="sdpa",
)
torch.manual_seed(0)
start = time.time()
with torch.device("cuda"):
    model = DeepseekV2ForCausalLM(config)
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
tokens = torch.randint(0, config.vocab_size, (args.batch, args.seq), device="cuda")


def step():
    with torch.autocast("cuda", torch.bfloat16):
        loss = model(input_ids=tokens, labels=tokens).loss
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
            "peer": f"transformers {transformers.__version__}",
            "step_ms": round(seconds * 1e3, 2),
            "tok_s": round(args.batch * args.seq / seconds),
            "peak_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2),
            "first_step_s": round(first, 1),
            "loss": round(loss.item(), 4),
        }
    )
)
