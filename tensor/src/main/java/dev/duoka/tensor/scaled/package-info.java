/**
 * Matrices of 8 bits with scales, and products of them: DeepSeek-V3's recipe for training
 * (arXiv:2412.19437 §3.3), one scale for each 1 × 128 of activations and gradients and for each 128
 * × 128 of weights, sums in fp32. {@link dev.duoka.tensor.scaled.Quantization} makes them, {@link
 * dev.duoka.tensor.scaled.ScaledProducts} multiplies them.
 */
package dev.duoka.tensor.scaled;
