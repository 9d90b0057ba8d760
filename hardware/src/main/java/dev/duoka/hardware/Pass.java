package dev.duoka.hardware;

/** One of the three computations of a layer with weights, or of attention. */
public enum Pass {
  FORWARD,
  INPUT_GRADIENTS,
  WEIGHT_GRADIENTS
}
