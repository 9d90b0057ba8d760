package dev.duoka.engine.parameter;

import dev.duoka.tensor.Dtype;

/**
 * What the weights of a bucket have in common.
 *
 * @param block the part of the model, in the order of the forward pass; the first of several
 * @param group names those whose gradients are summed over the same devices
 * @param dtype of the values; uint8 of weights in 4 bits
 * @param trainable whether they have gradients
 * @param factors of their update
 */
public record BucketKey(
    int block, String group, Dtype dtype, boolean trainable, UpdateFactors factors) {
  /** The group of models that are not laid out over several devices in different ways. */
  public static final String ONE_GROUP = "all";
}
