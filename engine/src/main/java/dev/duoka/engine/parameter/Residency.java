package dev.duoka.engine.parameter;

/** Which flat buffers of a bucket are here all the time. */
public enum Residency {
  /** Values and main gradients. */
  ALL,
  /** The values; gradients are added elsewhere as they come (ZeRO 2). */
  VALUES,
  /** Neither; values are brought here when they are needed (ZeRO 3). */
  NOTHING;

  boolean keepsValues() {
    return this != NOTHING;
  }

  boolean keepsGradients() {
    return this == ALL;
  }
}
