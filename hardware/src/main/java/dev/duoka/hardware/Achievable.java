package dev.duoka.hardware;

/**
 * The fractions of a card's peaks that real kernels reach.
 *
 * @param gemm large matrix products, of the tensor peak
 * @param grouped the grouped products of experts, of the tensor peak
 * @param attentionForward the attention kernel counted at its causal half, of the tensor peak
 * @param attentionBackward its backward pass counted as 2.5 times the forward one
 * @param memory of the memory bandwidth
 * @param training how much of the rates above lasts through whole steps, under power limits
 * @param basis whether somebody measured these
 * @param source who, and on what
 */
public record Achievable(
    double gemm,
    double grouped,
    double attentionForward,
    double attentionBackward,
    double memory,
    double training,
    Basis basis,
    String source) {}
