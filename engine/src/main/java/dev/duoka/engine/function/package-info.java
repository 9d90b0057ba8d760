/**
 * The differentiable functions that DeepSeek models are made of, each with its gradients. Shapes
 * use b (batch), t (sequence), h (hidden), n = b·t (tokens).
 *
 * <p>They are written as compositions of ATen operators, which run on every device and are the
 * truth that a fused kernel must match.
 */
package dev.duoka.engine.function;
