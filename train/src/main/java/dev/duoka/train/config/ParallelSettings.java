package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code parallel}: how the work is spread over ranks. */
public record ParallelSettings(
    @Doc(
            value = "Data-parallel ranks; each computes its share of every batch.",
            unit = "ranks",
            byDefault = "1",
            range = "[1, 1024]")
        int data,
    @Doc(
            value =
                "ZeRO stage: 0 keeps the optimizer state on every rank, 1 shards it over the"
                    + " data-parallel ranks.",
            byDefault = "0",
            range = "[0, 1]")
        int zero,
    @Doc(
            value =
                "What ranks on GPUs of their own exchange tensors by: `copies` from card to card,"
                    + " which add in the order of the ranks, or NVIDIA's library `nccl`, which runs"
                    + " beside the computation and adds in its own order, so the last bits of a sum"
                    + " may differ.",
            byDefault = "copies")
        Collectives collectives) {
  /** What moves tensors between GPUs. */
  public enum Collectives {
    /** Plain copies between cards; the only way on a CPU and on a GPU that ranks share. */
    COPIES,
    /** NCCL, one GPU a rank. */
    NCCL
  }
}
