"""Turns what bench/peers/run collected into Markdown tables."""

import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
GIB = 2**30
steps = {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json")) if file.stat().st_size}


def number(value, digits=0):
    return f"{value:,.{digits}f}"


print("| row | recompute | ms a step | tokens/s | MFU | GiB | peer, tokens/s | peer, GiB | speed | memory | first step, s |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
for name, step in steps.items():
    peer = step.get("peer_tokens_per_second")
    gib = step.get("peer_peak_gib")
    print(
        f"| {name} | {step['precision']}, {step['recompute']} | {number(step['step_ms'], 1)} "
        f"| {number(step['tokens_per_second'])} | {100 * step['mfu']:.1f} % | {step['peak_gib']:.1f} "
        f"| {number(peer) if peer else '–'} | {f'{gib:.1f}' if gib else '–'} "
        f"| {step['tokens_per_second'] / peer:.3f} " if peer else
        f"| {name} | {step['precision']}, {step['recompute']} | {number(step['step_ms'], 1)} "
        f"| {number(step['tokens_per_second'])} | {100 * step['mfu']:.1f} % | {step['peak_gib']:.1f} | – | – | – ",
        end="",
    )
    print(f"| {step['peak_gib'] / gib:.2f} " if gib else "| – ", end="")
    print(f"| {step['first_step_seconds']} |")
print()
print("| row | predicted, GiB | counted, GiB | the driver's, GiB | predicted / counted | driver / predicted |")
print("|---|---|---|---|---|---|")
for file in sorted(folder.glob("*.memory")):
    if not file.stat().st_size:
        continue
    memory = json.loads(file.read_text())
    predicted, counted, driver = (memory[k] for k in ("predicted_peak_bytes", "peak_bytes", "driver_bytes"))
    print(
        f"| {file.stem} | {predicted / GIB:.3f} | {counted / GIB:.3f} | {driver / GIB:.2f} "
        f"| {100 * (predicted / counted - 1):+.2f} % | {100 * (driver / predicted - 1):+.2f} % |"
    )
