/** Turns gradients into better weights: reduction over ranks, clipping, AdamW. */
package dev.duoka.engine.optimizer;
