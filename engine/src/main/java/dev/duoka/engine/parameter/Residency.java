package dev.duoka.engine.parameter;

/** Which flat buffers of a bucket are here all the time. */
public enum Residency {
  /** Values and main gradients. */
  ALL,
  /** The values; gradients are added elsewhere as they come (ZeRO 2). */
  VALUES,
  /** The main gradients; values are brought here when they are used, from where they are kept. */
  GRADIENTS,
  /** Neither; values are brought here when they are needed (ZeRO 3). */
  NOTHING;

  /** The same but for the values, which are brought here when they are used. */
  public Residency valuesLater() {
    return keepsGradients() ? GRADIENTS : NOTHING;
  }

  boolean keepsValues() {
    return this == ALL || this == VALUES;
  }

  boolean keepsGradients() {
    return this == ALL || this == GRADIENTS;
  }
}
