"""What fine-tuning by LoRA does in transformers with PEFT, on one GPU: a frozen base in bf16, fp32 adapters of
rank 16 under bf16 autocast, fused AdamW and clipping, random tokens and random weights. Prints one JSON line
that `duoka bench train --peer` reads. Needs PyTorch with CUDA, transformers and PEFT.

    python3 bench/peers/lora.py --batch 4                                       # DeepSeek-Coder-1.3B's shape
    python3 bench/peers/lora.py --model 7b --batch 2 --checkpointing            # DeepSeek-LLM-7B's
    python3 bench/peers/lora.py --model lite --layers 5 --batch 2               # V2-Lite's widths

Llama's shapes have adapters on all linear layers of the decoder, V2-Lite's on those of attention.
"""

import argparse
import json
import statistics
import time

import peft
import torch
import transformers

ATTENTION = ["q_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]


def llama(**sizes):
    return transformers.LlamaConfig, transformers.LlamaForCausalLM, sizes, "all-linear"


MODELS = {
    "1.3b": llama(
        vocab_size=32256,
        hidden_size=2048,
        intermediate_size=5504,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=16,
    ),
    "7b": llama(
        vocab_size=102400,
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=30,
        num_attention_heads=32,
        num_key_value_heads=32,
    ),
    "lite": (
        transformers.DeepseekV2Config,
        transformers.DeepseekV2ForCausalLM,
        {
            "vocab_size": 102400,
            "hidden_size": 2048,
            "intermediate_size": 10944,
            "moe_intermediate_size": 1408,
            "num_hidden_layers": 27,
            "num_attention_heads": 16,
            "num_key_value_heads": 16,
            "n_routed_experts": 64,
            "n_shared_experts": 2,
            "num_experts_per_tok": 6,
            "first_k_dense_replace": 1,
            "q_lora_rank": None,
            "kv_lora_rank": 512,
            "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64,
            "v_head_dim": 128,
            "topk_method": "greedy",
            "n_group": 1,
            "topk_group": 1,
            "norm_topk_prob": False,
            "routed_scaling_factor": 1.0,
        },
        ATTENTION,
    ),
}


def parsed():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, default="1.3b")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seq", type=int, default=4096)
    parser.add_argument("--layers", type=int, help="fewer than the model has")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--modules", help="names of linear layers with an adapter, apart by commas")
    parser.add_argument("--checkpointing", action="store_true", help="compute each layer again backwards")
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--cast-inputs", action="store_true", help="PEFT's own casts of inputs to fp32")
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--steps", type=int, default=9)
    return parser.parse_args()


def adapted(args):
    """The model with its adapters, and the size of its vocabulary."""
    kind, architecture, sizes, modules = MODELS[args.model]
    if args.layers:
        sizes = {**sizes, "num_hidden_layers": args.layers}
    config = kind(
        **sizes,
        max_position_embeddings=max(args.seq, 4096),
        use_cache=False,
        attn_implementation="sdpa",
    )
    # Weights are made in bf16, where the rotation's frequencies stay in fp32.
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        base = architecture(config)
    torch.set_default_dtype(torch.float32)
    if args.checkpointing:
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    lora = peft.LoraConfig(
        r=args.rank,
        lora_alpha=2 * args.rank,
        lora_dropout=0.0,
        target_modules=args.modules.split(",") if args.modules else modules,
        task_type="CAUSAL_LM",
    )
    model = peft.get_peft_model(base, lora).train()
    if not args.cast_inputs:
        # Autocast brings both factors of a product to bf16; a copy of each input in fp32 is for nothing.
        for layer in model.modules():
            if isinstance(layer, peft.tuners.tuners_utils.BaseTunerLayer):
                layer.cast_input_dtype_enabled = False
    return model, config.vocab_size


def seconds_of(step):
    torch.cuda.synchronize()
    begun = time.perf_counter()
    loss = step()
    torch.cuda.synchronize()
    return time.perf_counter() - begun, loss


def main():
    begun = time.perf_counter()
    args = parsed()
    torch.manual_seed(0)
    model, vocabulary = adapted(args)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    wrong = {weight.dtype for weight in trained} - {torch.float32}
    if wrong:
        raise SystemExit(f"adapters are in {wrong}, not in fp32: this PEFT does something else")
    optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=True)
    forward = torch.compile(model) if args.compile else model
    tokens = torch.randint(0, vocabulary, (args.batch, args.seq), device="cuda")

    def step():
        with torch.autocast("cuda", torch.bfloat16):
            loss = forward(input_ids=tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    seconds_of(step)
    first = time.perf_counter() - begun
    for _ in range(args.warm_up - 1):
        step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    times, losses = zip(*(seconds_of(step) for _ in range(args.steps)))
    seconds = statistics.median(times)
    kind = "compile" if args.compile else "eager"
    report = {
        "peer": f"peft {peft.__version__}, transformers {transformers.__version__} {kind}",
        "step_ms": round(seconds * 1e3, 2),
        "tok_s": round(args.batch * args.seq / seconds),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2),
        "first_step_s": round(first, 1),
        "loss": round(losses[-1].item(), 4),
        "trained": sum(weight.numel() for weight in trained),
    }
    print(json.dumps(report))


main()
